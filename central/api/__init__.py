"""What the hub serves: appliances, operators, and the daemon's own socket."""
