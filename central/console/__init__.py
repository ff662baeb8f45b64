"""The pages that operators see: the fleet, a site, a target, an incident."""
