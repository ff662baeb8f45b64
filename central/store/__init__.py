"""Tables and the functions over them; the fleet's site is the first parameter of each."""
