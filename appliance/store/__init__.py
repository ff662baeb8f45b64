"""The appliance's memory: one SQLite file in WAL mode, one writer, and plain functions."""
