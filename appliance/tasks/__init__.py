"""The appliance's coroutines, one a file: a short loop each."""
