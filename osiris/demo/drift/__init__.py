"""What neglect looks like: one shell script a check, run as root on a clean host to drift it."""
