"""What the appliance and the hub must agree on, byte for byte and verdict for verdict.

Everything here is pure: no input or output, no clock, no randomness, no logging.
"""
