"""The catalogue: schemas of what lives in `rules/`, and the loader that refuses a set as a whole.

`proto.catalog.load.load({path: bytes})` gives a `proto.catalog.model.Content` or raises
`CatalogError` with every problem, each `file:line: what`. Nothing is imported here, because the
gate in `proto.rules` reads these values and the loader runs the gate.
"""
