"""What the hub decides, as pure functions over values."""
