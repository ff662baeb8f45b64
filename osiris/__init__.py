"""The `osiris` command: it mounts the verbs of appliance and hub, and holds the demo's clinic."""
