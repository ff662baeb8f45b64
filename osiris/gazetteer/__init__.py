"""Compiles public name statistics into the one compact file that the scrubber reads.

This is build-time code: nothing here runs in a daemon. `python -m osiris.gazetteer build` makes
the file, and does nothing when it is already there and current.
"""
