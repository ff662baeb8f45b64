"""Version 1 of the agents' contract; generated from agent.proto by `make proto`."""
