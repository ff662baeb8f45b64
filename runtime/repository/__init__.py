"""Release content as a TUF repository: its layout, its documents, its writers and their checks.

Imported by what people run on their own machines and by the hub's writer of freshness, never by an
appliance's daemon: it has a client of its own. Everything here loads python-tuf.
"""
