"""The hub: it keeps the state of the whole fleet."""
