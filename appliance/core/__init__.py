"""The appliance's decisions: pure functions of values, the time and ids passed in."""
