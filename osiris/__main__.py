"""`python -m osiris` is the `osiris` command."""

from osiris.cli import main

main()
