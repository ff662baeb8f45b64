"""`osiris order`: what operators and auditors do about orders, each on their own machine."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from osiris.desk import hold_cli, order_proof
from osiris.desk.draft_cli import draft
from osiris.desk.kept_trust import KeptTrust, read_kept
from osiris.desk.life_cli import mount
from osiris.desk.login_cli import login
from osiris.desk.order_proof import Keys, Report
from osiris.desk.person_key import Directory, Format, key
from osiris.desk.place import Desk, read_authority, read_file, read_trust
from osiris.desk.words import laid_out, moment, width
from proto import ids
from proto.errors import ConfigError, RejectedError
from proto.keys import PublicKey
from proto.order_file import FILE_BYTES_MAX
from proto.order_words import Line, order_in_words
from runtime.clock import SystemClock, seconds
from runtime.terminal import Output, note, print_fields, print_json, say

HELP = """Orders: drafted, read and signed by people on their own machines.

\b
Your key:       osiris order key new NAME
Your hub:       osiris order desk --hub https://HOST, then osiris content trust
Ask for one:    osiris order draft TYPE --site S --reason WHY
New login:      osiris order login --target T ... (sealed here, for one appliance)
Read and sign:  osiris order approve SID
Follow it:      osiris order list, osiris order show SID
Stop it:        osiris order cancel SID, osiris order veto SID
End a hold:     osiris order holds, osiris order clear APPLIANCE (two operators)
Without a hub:  osiris order verify FILE

An order is a signed instruction to appliances. The hub can draft and deliver, but what changes
anything needs people: tier 2 one person and a wait, tier 3 two people and the site or a wait.
"""

FIRST_PERSON: Final = "dev-1"
"""Of a development trust's three names of one person."""

order = typer.Typer(help=HELP, no_args_is_help=True)
order.add_typer(key, name="key")
order.add_typer(draft, name="draft")
order.command("login")(login)
mount(order)
hold_cli.mount(order)


@order.command("desk")
def set_desk(
    desk: Directory,
    hub: Annotated[str, typer.Option(help="The hub's address, https://host[:port].")],
    hub_tls_ca: Annotated[
        Path | None,
        typer.Option(help="The PEM file of the hub's own TLS authority, when it is not public."),
    ] = None,
    development: Annotated[
        Path | None,
        typer.Option(help="To try things out: the state directory of a hub of one person's trust."),
    ] = None,
    person: Annotated[
        str, typer.Option(help="With --development: whose key you take: dev-1, dev-2 or dev-3.")
    ] = FIRST_PERSON,
    output: Format = Output.TABLE,
) -> None:
    """Say which hub you speak to; it is written into your desk's directory.

    Whose signatures count the hub is never asked: take authority and grants to your desk with
    `osiris content trust`. With --development everything is taken from the hub's own files: a key
    too, the trust, and its TLS authority.
    """
    if development is not None:
        from osiris.desk.development import make_desk  # noqa: PLC0415 - loads python-tuf

        now_s = seconds(SystemClock())
        made = make_desk(Desk(desk), development, person=person, hub=hub, now_s=now_s)
        print_fields(made, output=output)
        note(f"Next: osiris order draft --help, and --desk {desk} with each command")
        return
    found = Desk(desk).set_hub(hub, tls_ca=hub_tls_ca)
    note(f"{desk}: speaks to {found.hub}")
    if Desk(desk).authority() is None:
        note(
            "Next: osiris content trust --folder RELEASE, or --from-hub --first-root DIGEST with"
            " the digest that your root people read out"
        )


@order.command("verify")
def verify(
    file: Annotated[
        Path, typer.Argument(help="An order as `osiris order show --save` writes it, or envelope.")
    ],
    desk: Directory,
    authority: Annotated[
        Path | None, typer.Option(help="The authority file; by default your desk's.")
    ] = None,
    grants: Annotated[
        Path | None, typer.Option(help="The grants file; by default your desk's.")
    ] = None,
    appliance_key: Annotated[
        list[str] | None,
        typer.Option(
            help="ID=PUBLIC_KEY of an appliance, as `osiris appliance status` shows it there, or"
            " one that it had before, to look at its receipts; repeatable."
        ),
    ] = None,
    output: Format = Output.TABLE,
) -> None:
    """Verify one order without any hub, and say what was checked and what was not.

    Looks at the exact bytes, at who signed them and whether they might, at the order's place in the
    site's order log, and at what each appliance answered. Exit status 0 only if signatures,
    grant and people were checked and nothing failed; else 1. An old order is held against the files
    of its time, which your desk keeps.
    """
    keys = Keys(_kept(Desk(desk), authority, grants), _appliances(appliance_key or []))
    report = order_proof.verify(read_file(file, FILE_BYTES_MAX), keys)
    if output is Output.JSON:
        print_json(_as_json(report))
    else:
        _print(report)
    sys.exit(0 if report.is_verified else 1)


def _kept(desk: Desk, authority: Path | None, grants: Path | None) -> KeptTrust | None:
    if authority is None and grants is None:
        return read_kept(desk)
    if authority is None or grants is None:
        msg = "--authority and --grants are given together"
        raise ConfigError(msg)
    return KeptTrust.of(read_trust(read_authority(authority), grants))


def _appliances(pairs: list[str]) -> dict[str, PublicKey]:
    found: dict[str, PublicKey] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        try:
            found[ids.parse_appliance_id(name, "--appliance-key")] = PublicKey.from_b64(
                text, "--appliance-key"
            )
        except RejectedError as error:
            raise ConfigError(*error.args) from None
    return found


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "verified": report.is_verified,
        "sid": report.sid.hex() or None,
        "order": report.order.to_value() if report.order else None,
        "signers": [{"person": one.person, "key_id": one.key.key_id} for one in report.signers],
        "checks": [
            {"what": one.what, "held": one.held.value, "seen": one.seen} for one in report.looks
        ],
    }


def _print(report: Report) -> None:
    if report.order is not None:
        lines = order_in_words(report.order, sid=report.sid, moment=moment)
        say(f"{laid_out(lines, columns=width())}\n")
    looks = [Line(one.what, f"{one.held.value}: {one.seen}") for one in report.looks]
    say(laid_out(looks, columns=width()))
    say(f"\n{'Verified.' if report.is_verified else 'NOT VERIFIED.'} {_sum(report)}")


def _sum(report: Report) -> str:
    if report.failed:
        return f"Failed: {', '.join(one.what for one in report.failed)}."
    if report.is_verified:
        return "Nothing failed."
    return f"Not checked: {', '.join(report.unchecked)}."
