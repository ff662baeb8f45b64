"""The gRPC contract between workstation agents and their appliance."""
