"""`osiris order login`: seal a login to one appliance, hand it over, and draft the order for it.

The login is sealed on this machine to the appliance's own X25519 key, which the person confirmed on
the appliance's own page: the hub carries a box that it cannot open, outside the order log, and the
order names the box by its SHA-256.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Final

import typer

from osiris.desk import asking
from osiris.desk.draft_cli import told
from osiris.desk.person_key import Directory, Format
from osiris.desk.place import Desk, read_file
from osiris.desk.session import Session, at
from proto import strict_json
from proto.asks import Ask, parse_ask
from proto.errors import ConflictError, MalformedError, RejectedError
from proto.hub.desk import SendBox, Taken
from proto.ids import parse_target_id
from proto.keys import SealingPublicKey
from proto.orders.kinds import OrderType
from proto.orders.registry import kind_of
from proto.sealed_login import SUDO, SealedLogin, seal
from proto.secret import Secret
from runtime.terminal import Output, note

SAME_WORD: Final = "same"
KEY_BYTES_MAX: Final = 16 * 1024


def login(
    site: Annotated[str, typer.Option("--site", help="The site's id, s-....")],
    appliance: Annotated[str, typer.Option("--appliance", help="The appliance's id, a-....")],
    target: Annotated[str, typer.Option("--target", help="The target's id, t-....")],
    user: Annotated[str, typer.Option("--user", help="Who logs in on the target.")],
    sealing_key: Annotated[
        str,
        typer.Option(
            "--sealing-key",
            help="The appliance's key for sealed logins, as its own Health page shows it.",
        ),
    ],
    reason: Annotated[
        str, typer.Option("--reason", "-r", help="Why, in words that everybody concerned reads.")
    ],
    desk: Directory,
    key: Annotated[
        Path | None,
        typer.Option("--key", help="The private key's file; without it a password is asked for."),
    ] = None,
    sudo: Annotated[
        str,
        typer.Option("--sudo", help=f"How the user becomes root: {', '.join(SUDO)}."),
    ] = "nopasswd",
    output: Format = Output.TABLE,
) -> None:
    """Replace the login of one target by a new one, without anybody between you seeing it.

    Passwords are asked for here and stand in no command line. They are sealed on this machine for
    one appliance alone; the hub carries what it cannot open. The order that is drafted needs one
    more person (osiris order approve SID). The appliance tries the new login before it drops the
    old one: one that does not open the target changes nothing.
    """
    to = _sealing_key(sealing_key)
    with at(Desk(desk)) as session:
        _confirm(to, appliance)
        made = seal(_login(target, user, sudo=sudo, key=key), to)
        # The ask is read before the box goes out: what was typed wrong leaves nothing at the hub.
        ask = _ask(session, made, to, target=target, place=(site, appliance), reason=reason)
        _send(session, made, site=site, appliance=appliance)
        told([ask], session.draft(ask).orders, output=output)


def _sealing_key(text: str) -> SealingPublicKey:
    try:
        return SealingPublicKey.from_b64(text, "--sealing-key")
    except RejectedError as error:
        raise typer.BadParameter(str(error)) from None


def _confirm(to: SealingPublicKey, appliance: str) -> None:
    """Have a person compare the key's fingerprint with the appliance's own word.

    Raises:
        ConflictError: the word was not typed.
    """
    note(f"The login will be sealed for the key with the fingerprint\n  {to.fingerprint()}")
    question = (
        f"The Health page of appliance {appliance}, or `osiris appliance status` on it, shows a"
        f" fingerprint for sealed logins. Type {SAME_WORD} if it is this one:"
    )
    if not asking.agrees(question, word=SAME_WORD):
        msg = "nothing was sealed: the word was not typed"
        raise ConflictError(msg)


def _login(target: str, user: str, *, sudo: str, key: Path | None) -> SealedLogin:
    """Return the login as it was typed; every secret is asked for.

    Raises:
        typer.BadParameter: something that was typed is wrong.
    """
    try:
        return SealedLogin(
            target=parse_target_id(target),
            user=user,
            sudo=sudo,
            private_key=_private_key(key) if key else None,
            password=None if key else asking.passphrase(f"{user}'s new password on {target}: "),
            sudo_password=asking.passphrase("the password for sudo: ") if sudo == "ask" else None,
        )
    except RejectedError as error:
        raise typer.BadParameter(str(error)) from None


def _private_key(path: Path) -> Secret:
    data = read_file(path, KEY_BYTES_MAX)
    if not data.isascii() or b"PRIVATE KEY-----" not in data:
        msg = f"{path}: no private key in PEM or OpenSSH form"
        raise MalformedError(msg)
    return Secret(data)


def _ask(
    session: Session,
    box: bytes,
    to: SealingPublicKey,
    *,
    target: str,
    place: tuple[str, str],
    reason: str,
) -> Ask:
    kind = kind_of(OrderType.UPDATE_CREDENTIALS)
    value = {
        "v": 1,
        "type": kind.name.value,
        "targets": [{"site": place[0], "appliance": place[1]}],
        "params": {
            "target": target,
            "sealed_sha256": hashlib.sha256(box).hexdigest(),
            "sealed_to": to.digest(),
        },
        "life_s": kind.life_s_max,
        "not_before": 0,
        "people": 0,
        "reason": reason,
        **session.link.stamp(),
    }
    try:
        return parse_ask(strict_json.dumps(value))
    except RejectedError as error:
        raise typer.BadParameter(str(error)) from None


def _send(session: Session, box: bytes, *, site: str, appliance: str) -> None:
    said = {
        "site": site,
        "appliance": appliance,
        "box": strict_json.b64_encode(box),
        **session.link.stamp(),
    }
    taken = session.link.ask(SendBox.from_value(said, "ask"), Taken)
    note(f"sealed login {taken.names[0][:16]} is at the hub, which cannot open it")
