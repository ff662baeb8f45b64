"""What pages and exports read: frozen values from the store, one query each, never a write."""
