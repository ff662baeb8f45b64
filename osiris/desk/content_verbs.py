"""The verbs of `osiris content` that stand in files of their own."""

import typer

from osiris.desk import promote_cli, status_cli


def mount(content: typer.Typer) -> None:
    """Put them beside the others."""
    promote_cli.mount(content)
    status_cli.mount(content)
