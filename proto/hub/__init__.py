"""The messages between an appliance and its hub, one module a conversation."""
