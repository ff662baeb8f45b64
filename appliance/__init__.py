"""The appliance: finds, judges, heals and proves on a clinic's LAN."""
