"""What the appliance does, one thing a module: tasks call it in loops, people and orders once."""
