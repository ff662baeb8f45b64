"""What people run on their own machine: keys, orders, content. Imports proto and runtime only."""
