"""The pages that people on the clinic's LAN see, and the routes behind the command line."""
