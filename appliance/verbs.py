"""What every verb of the appliance shares: its options, its way to the daemon, and who asks."""

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from appliance import config as configs
from runtime.terminal import Output

T = TypeVar("T")
ENV_CONFIG = "OSIRIS_APPLIANCE_CONFIG"
DEFAULT = configs.DEFAULT_PATH

ConfigFile = Annotated[
    Path,
    typer.Option("--config", "-c", envvar=ENV_CONFIG, help="The appliance's configuration file."),
]
Format = Annotated[Output, typer.Option("--output", "-o", help="table or json.")]


def answered(config: Path, question: Callable[[Any], Awaitable[T]], *, healing: bool = False) -> T:
    """Put a question through the door to the appliance; see `appliance.door.open_door`."""
    from appliance.door import open_door  # noqa: PLC0415 - the daemon's wiring, not for --help

    async def ask() -> T:
        async with open_door(configs.read(config), healing=healing) as door:
            return await question(door)

    return asyncio.run(ask())


def account_password(name: str) -> str:
    """Ask for the password of an account; it is a line of standard input where nobody types."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass(f"password of the account {name}: ")


def operator() -> str:
    """Return who is named for what is asked on this command line."""
    return f"command line, {getpass.getuser()}"
