"""The demo: a hub, an appliance and a small clinic of real machines on one computer."""
