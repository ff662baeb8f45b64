"""The signer: a process of its own that holds the hub's online keys; nothing imports it.

The hub asks it over a Unix socket (`central.core.signer_talk`). It builds what it signs itself, by
its own copy of authority and grants, within its own rates, and keeps the order log of every site.
"""
