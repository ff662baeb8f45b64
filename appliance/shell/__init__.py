"""The ports made real: the only rooms of the appliance that touch the network or a target."""
