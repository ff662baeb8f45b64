"""The order gate: what may run here, decided from exact bytes and frozen values.

`gate` decides, `ledger` remembers, `clock` knows the time that cannot be turned back, `limits` are
what the hub cannot lift, `names` holds what an order names against what is current.
"""
