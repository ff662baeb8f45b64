"""`osiris hub keys`: the keys that the hub's signer holds, and how each goes over to the next."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from central import config as configs
from runtime.terminal import Output, note, print_fields, print_json, print_rows

keys = typer.Typer(
    help="""The signer's keys: order, head, log, snapshot, timestamp, promoted.

    \b
    1 on the hub:    osiris hub keys renew KIND     makes the next key; the former signs on
    2 in the folder: osiris hub ceremony begin --hub-keys STATE_DIR/trust/hub-keys.json
    3 one person:    order: osiris content grant; head, log, promoted: osiris content build --keep;
                     snapshot, timestamp: osiris hub ceremony root
    4 each person:   osiris content sign; then one: osiris content publish --to STATE_DIR/incoming

    Nothing stops meanwhile: the former key counts until its end, and sites learn of the next one
    with their next check-in. After a key was stolen, draft and sign step 3 once more at once: what
    is signed second leaves the former key out. On a development hub, osiris hub init does 2 to 4.
    """,
    no_args_is_help=True,
)

Ask = Callable[[Path, Callable[[Any], Awaitable[Any]]], Any]
ConfigFile = Annotated[
    Path,
    typer.Option(
        "--config", "-c", envvar="OSIRIS_HUB_CONFIG", help="The hub's configuration file."
    ),
]
Format = Annotated[Output, typer.Option("--output", "-o", help="table or json.")]


BY_PEOPLE: Final = {
    "order": "osiris content grant",
    "head": "osiris content build --keep",
    "log": "osiris content build --keep",
    "promoted": "osiris content build --keep, and osiris content promote --renew",
    "snapshot": "osiris hub ceremony root",
    "timestamp": "osiris hub ceremony root",
}
"""What one of the people runs so that a kind's next key is named."""


def _then(kind: str, found: Mapping[str, Any]) -> str:
    """Return what names the key that is to follow: until then the former signs on."""
    if found["trust"] == "development":
        return "osiris hub init, which names it: one person has every key here"
    return (
        f"carry {found['hub_keys']} to the people; there: osiris hub ceremony begin --hub-keys"
        f" FILE, {BY_PEOPLE[kind]}, osiris content sign, osiris content publish"
    )


def mount(hub: typer.Typer, ask: Ask) -> None:
    """Put the keys among the verbs of the hub; `ask` puts a question through its door."""
    keys.command("list")(_list(ask))
    keys.command("renew")(_renew(ask))
    hub.add_typer(keys, name="keys")


def _list(ask: Ask) -> Callable[..., None]:
    def list_keys(output: Format = Output.TABLE, config: ConfigFile = configs.DEFAULT_PATH) -> None:
        """List the signer's keys, and what should be renewed by now."""
        found = ask(config, lambda door: door.get("/local/keys"))
        if output is Output.JSON:
            print_json(found)
            return
        rows = [
            {**row, "state": "to follow" if row["follows"] else "signs"} for row in found["keys"]
        ]
        columns = {"kind": "kind", "fingerprint": "fingerprint", "state": "state"}
        print_rows(rows, columns, output=output)
        if any(row["follows"] for row in found["keys"]):
            note("What is to follow signs once people have named it: osiris hub keys --help")
        for sentence in found["due"]:
            note(sentence)

    return list_keys


def _renew(ask: Ask) -> Callable[..., None]:
    def renew(
        kind: Annotated[
            str, typer.Argument(help="order, head, log, snapshot, timestamp or promoted.")
        ],
        output: Format = Output.TABLE,
        config: ConfigFile = configs.DEFAULT_PATH,
    ) -> None:
        """Have the signer make the key that is to follow, and tell its public half.

        The former key signs on. Asked again before people named the new one, it is told again.
        """
        path = f"/local/keys/{quote(kind, safe='')}/renew"
        found = ask(config, lambda door: door.post(path, {}))
        print_fields(found, output=output)
        note(f"Next: {_then(kind, found)}")

    return renew
