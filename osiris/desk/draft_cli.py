"""`osiris order draft TYPE`: one verb a type, made from the type's own schema and examples."""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from osiris.desk.listing import print_lines
from osiris.desk.person_key import Directory, Format
from osiris.desk.place import Desk
from osiris.desk.places import Place, in_asks, sites_listed
from osiris.desk.session import Session, at
from proto import strict_json
from proto.asks import Ask, parse_ask
from proto.errors import MalformedError, OsirisError, UnreachableError
from proto.hub.desk import OrderLine, batch_name
from proto.order import ApplianceTarget
from proto.order_entry import Field, Form, fields_of, read_typed
from proto.order_words import CHANGES, needs, span
from proto.orders.kinds import OrderKind
from proto.orders.registry import KINDS
from runtime.terminal import Output, note

HELP = """Draft an order: it asks the hub for bytes that people then read and sign.

`osiris order draft TYPE --help` says what a type does, who must sign it, and shows examples. A
draft of tier 0 or 1 is signed by the hub's order key and goes out at once; any other waits for
people: osiris order approve SID. `--sites FILE` drafts for as many sites as a file lists.
"""

draft = typer.Typer(help=HELP, no_args_is_help=True)

_COMMON: Final[Mapping[str, Any]] = {
    "site": Annotated[
        list[str] | None,
        typer.Option("--site", help="The site's id, s-...; several make a batch."),
    ],
    "sites": Annotated[
        Path | None,
        typer.Option("--sites", help="A file of site ids, one a line; # begins a comment."),
    ],
    "appliance": Annotated[
        list[str] | None,
        typer.Option(
            "--appliance", help="One appliance, a-...; without it, EVERY one of the site."
        ),
    ],
    "reason": Annotated[
        str, typer.Option("--reason", "-r", help="Why, in words that everybody concerned reads.")
    ],
    "life": Annotated[
        int | None, typer.Option("--life", help="Hours after which it is void; else the longest.")
    ],
    "not_before": Annotated[
        str | None, typer.Option("--not-before", help="Not earlier: 2026-12-31T22:00+00:00.")
    ],
    "people": Annotated[
        int,
        typer.Option("--people", help="Wait for so many signatures, if more than the tier needs."),
    ],
    "desk": Directory,
    "output": Format,
}
_DEFAULTS: Final[Mapping[str, Any]] = {
    "site": None,
    "sites": None,
    "appliance": None,
    "life": None,
    "not_before": None,
    "people": 0,
    "output": Output.TABLE,
}
_HOUR_S: Final = 3600


def _option(field: Field) -> str:
    return "--with" if field.form is Form.PAIRS else f"--{field.name.replace('_', '-')}"


def _annotation(field: Field) -> Any:  # noqa: ANN401 - what Typer reads
    hint = field.hint or f"one of {', '.join(field.choices)}"
    said = f"{field.label}: {hint}."
    kind = list[str] | None if field.form is Form.PAIRS else str
    return Annotated[kind, typer.Option(_option(field), help=said)]


def _example(kind: OrderKind, params: Mapping[str, Any]) -> str:
    parts = [f"osiris order draft {kind.name} --site s-aaaaaaaaaa"]
    parts += [] if kind.is_for_sites else ["--appliance a-aaaaaaaaaa"]
    for field in fields_of(kind):
        value = params[field.name]
        if field.form is Form.PAIRS:
            parts += [f"--with {name}={_said(one)}" for name, one in value.items()]
        elif field.form is Form.DATE:
            parts.append(f"{_option(field)} {'+30d' if value else 'now'}")
        elif isinstance(value, list | tuple):
            parts.append(f"{_option(field)} {','.join(value)}")
        else:
            parts.append(f"{_option(field)} {_said(value)}")
    return " ".join([*parts, "--reason WHY"])


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _teach(kind: OrderKind) -> str:
    everywhere = "one appliance, or every one of a site" if kind.is_for_sites else "one appliance"
    windows = (
        ", inside a maintenance window where the site set any" if kind.waits_for_window else ""
    )
    shown = "\n".join(f"  {_example(kind, one.params)}\n    {one.why}" for one in kind.accepted)
    doc = inspect.getdoc(kind.params) or ""
    return (
        f"{kind.title}.\n\n{doc.splitlines()[0] if doc else ''}\n\n"
        f"Changes {CHANGES[kind.touches]}; for {everywhere}{windows}.\n\n"
        f"Needs {needs(kind.name)}. Lives at most {span(kind.life_s_max)}.\n\n"
        f"\b\nFor example:\n{shown}\n"
    )


def _command(kind: OrderKind) -> Callable[..., None]:
    """Return the verb of one type, with an option for each of its parameters."""
    fields = fields_of(kind)

    def run(**given: Any) -> None:  # noqa: ANN401 - what Typer read, by the signature below
        _draft(kind, fields, given)

    own = {field.name: _annotation(field) for field in fields}
    if clash := sorted(set(own) & set(_COMMON)):
        msg = f"{kind.name}: a parameter is called as a common option: {clash[0]}"
        raise ValueError(msg)
    hints = {**own, **_COMMON}
    pairs = {field.name: None for field in fields if field.form is Form.PAIRS}
    defaults: dict[str, Any] = {**pairs, **_DEFAULTS}
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=hint,
                default=defaults.get(name, inspect.Parameter.empty),
            )
            for name, hint in hints.items()
        ]
    )
    run.__annotations__ = hints
    run.__doc__ = _teach(kind)
    return run


for _kind in KINDS.values():
    draft.command(_kind.name.value)(_command(_kind))


def _draft(kind: OrderKind, fields: tuple[Field, ...], given: Mapping[str, Any]) -> None:
    desk: Path = given["desk"]
    with at(Desk(desk)) as session:
        asks = _asks(kind, fields, given, session)
        made: list[OrderLine] = []
        try:
            for ask in asks:
                made += session.draft(ask).orders
                if len(asks) > 1:
                    note(f"{len(made)} of {sum(len(one.targets) for one in asks)} drafted")
        except OsirisError as error:
            if made:
                told(asks, made, output=given["output"])
                note(_so_far(asks, made, is_known=not isinstance(error, UnreachableError)))
            raise
    told(asks, made, output=given["output"])


def _so_far(asks: Sequence[Ask], made: Sequence[OrderLine], *, is_known: bool) -> str:
    """Return what was drafted before the hub refused the rest, or gave no answer to it.

    What stands is not to be drafted again, and an ask that nobody answered may have arrived.
    """
    every = [target for ask in asks for target in ask.targets]
    rest = every[len(made)]
    first = rest.appliance if isinstance(rest, ApplianceTarget) else rest.site
    stands = f"Drafted for the first {len(made)} of {len(every)} places"
    if is_known:
        return f"{stands}, for none from {first} on. Once that is put right, draft for those alone."
    return (
        f"{stands}; it is not known whether any was drafted from {first} on. Look before you draft"
        f" for those: osiris order list --site {rest.site}"
    )


def told(asks: Sequence[Ask], made: Sequence[OrderLine], *, output: Output) -> None:
    """Print what became of asks, and what their drafts wait for."""
    print_lines(made, output=output)
    waiting = [line for line in made if line.stage == "waits_for_people"]
    if waiting:
        alone = [waiting[0].sid or ""] if len(waiting) == 1 else []
        held = {line.batch for line in waiting}
        batches = [name for ask in asks if (name := batch_name(ask.to_bytes())) in held]
        names = " ".join(alone or batches)
        note(f"Nothing is delivered until people sign: osiris order approve {names}")
    if any(line.stage == "drafted" for line in made):
        note(
            "The hub's signer does not answer now. The hub asks it again by itself: do not repeat."
        )


def _asks(
    kind: OrderKind, fields: tuple[Field, ...], given: Mapping[str, Any], session: Session
) -> list[Ask]:
    """Return what was typed as asks, each of as many places as one may name.

    Raises:
        typer.BadParameter: something that was typed is wrong.
    """
    now_s = session.link.now_s
    typed = {
        field.name: "\n".join(given[field.name] or ())
        if field.form is Form.PAIRS
        else given[field.name]
        for field in fields
    }
    try:
        value = {
            "v": 1,
            "type": kind.name.value,
            "params": read_typed(kind, typed, now_s=now_s, day_end=day_end),
            "life_s": _life_s(kind, given["life"]),
            "not_before": _not_before(given["not_before"]),
            "people": given["people"],
            "reason": given["reason"],
        }
        places = _places(kind, given)
        return [
            parse_ask(strict_json.dumps({**value, "targets": some, **session.link.stamp()}))
            for some in in_asks(places)
        ]
    except MalformedError as error:
        raise typer.BadParameter(str(error)) from None


def _places(kind: OrderKind, given: Mapping[str, Any]) -> list[Place]:
    named: list[str] = given["site"] or []
    appliances: list[str] = given["appliance"] or []
    listed = sites_listed(given["sites"]) if given["sites"] is not None else []
    if bool(named) == bool(listed):
        msg = "where to? Give --site, or --sites with a file of them"
        raise MalformedError(msg)
    sites = named or listed
    if not appliances and not kind.is_for_sites:
        msg = f"--appliance: {kind.name} is for one appliance; name it"
        raise MalformedError(msg)
    if not appliances:
        return [{"site": site} for site in sites]
    if len(sites) != 1:
        msg = "--appliance: names appliances of one site; give one --site"
        raise MalformedError(msg)
    return [{"site": sites[0], "appliance": one} for one in appliances]


def _life_s(kind: OrderKind, hours: int | None) -> int:
    return kind.life_s_max if hours is None else hours * _HOUR_S


def _not_before(text: str | None) -> int:
    if text is None:
        return 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        msg = f"--not-before: {text!a:.40} is no time such as 2026-12-31T22:00+00:00"
        raise MalformedError(msg) from None
    return int(moment.timestamp())


def day_end(text: str) -> int | None:
    """Return the last second of a day written 2026-12-31, in this machine's time zone."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").astimezone()
    except ValueError:
        return None
    return int(day.replace(hour=23, minute=59, second=59).timestamp())
