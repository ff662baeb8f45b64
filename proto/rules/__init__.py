"""L1: the matcher that decides about an incident, and the gate that a set of rules must pass."""
