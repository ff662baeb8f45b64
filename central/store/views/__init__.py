"""What the console and the operators' API show, read in a bounded number of queries, as values."""
