"""The little input and output that both daemons share."""
