"""`osiris content status` and `rollout`: what ends when, which sites run what, what is halted."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from osiris.desk.content_cli import HERE, DeskOption, FolderOption, Format, now_s, tell_next
from osiris.desk.folder import Folder
from osiris.desk.place import Desk
from proto.errors import ConfigError
from proto.hub.desk import ShowSites, SitesTold
from runtime.terminal import Output, note, plain, print_fields, print_json, print_rows, say

DOCUMENTS: Final = {
    "document": "document",
    "version": "version",
    "state": "state",
    "signed": "signed by",
    "may_sign": "may sign",
    "ends": "ends",
    "left": "in",
}
RINGS: Final = {"ring": "ring", "name": "name", "from": "takes it from", "sites": "sites"}
SITES: Final = {
    "label": "site",
    "ring": "ring",
    "appliance": "appliance",
    "runs": "runs",
    "state": "stands",
    "heard": "heard of",
    "unwell": "says it is unwell",
}


def mount(content: typer.Typer) -> None:
    """Put the verbs among those of `osiris content`."""
    content.command("status")(status)
    content.command("rollout")(rollout)


def status(
    desk: DeskOption,
    folder: FolderOption = HERE,
    sites: Annotated[
        bool,
        typer.Option("--sites", help="Ask your desk's hub which site runs what, with your key."),
    ] = False,
    output: Format = Output.TABLE,
) -> None:
    """Show what ends when, what is drafted and who must sign, how far the rollout is, and why not.

    All of it is read from the folder, the soonest end first. With --sites your desk's hub is asked,
    under your own signature, what each appliance said last that it runs.
    """
    from osiris.desk import review  # noqa: PLC0415 - loads python-tuf

    place, now = Folder.there(folder), now_s()
    found: dict[str, Any] = {
        "documents": review.drafted(place) + review.endings(place, now_s=now),
        "rollout": review.rings(place, now_s=now) if review.is_published(place) else None,
    }
    if sites:
        found["sites"] = review.running(place, _told(Desk(desk)), now_s=now)
    if output is Output.JSON:
        print_json(found)
        return
    print_rows(found["documents"], DOCUMENTS, output=output)
    if found["rollout"] is not None:
        say("")
        _show_rollout(found["rollout"])
    if sites:
        say("")
        _show_sites(found["sites"])
    elif found["rollout"] is not None:
        note("Which site runs what: osiris content status --sites")
    if review.drafted(place):
        tell_next(place)


def _told(desk: Desk) -> SitesTold:
    from osiris.desk import session  # noqa: PLC0415 - loads an HTTP client

    with session.at(desk) as here:
        return here.link.ask(ShowSites(**here.link.stamp()), SitesTold)


def _show_rollout(found: Mapping[str, Any]) -> None:
    names = ("content", "release", "started", "state", "reason")
    shown = {name: found[name] for name in names if found[name] is not None}
    print_fields(shown, output=Output.TABLE)
    print_rows(found["rings"], RINGS, output=Output.TABLE)


def _show_sites(rows: Sequence[Mapping[str, Any]]) -> None:
    print_rows(rows, SITES, output=Output.TABLE)
    run = sum(row["is_current"] is True for row in rows)
    untold = sum(row["is_current"] is None for row in rows)
    beside = f"; of {untold} it cannot be told" if untold else ""
    say(plain(f"{run} of {len(rows)} appliances run what is rolled out{beside}"))


def rollout(
    what: Annotated[
        str, typer.Argument(help="show, halt, or resume.", metavar="show|halt|resume")
    ] = "show",
    reason: Annotated[
        str | None, typer.Option(help="With halt: why; it is signed, and everybody reads it.")
    ] = None,
    folder: FolderOption = HERE,
    output: Format = Output.TABLE,
) -> None:
    """Show the rollout by rings; draft a release that halts it, or starts it anew.

    A halt stops every site that has not taken the new content; those that run it go on, until a
    release with other content reaches them. Two release people sign it, as any release.
    """
    from osiris.desk import drafting, review  # noqa: PLC0415 - loads python-tuf

    place, wanted = (
        Folder.there(folder),
        {"halt": drafting.Rollout.HALT, "resume": drafting.Rollout.START},
    )
    if (what == "halt") != (reason is not None):
        msg = "halt needs --reason: why it is halted" if what == "halt" else "--reason is for halt"
        raise ConfigError(msg)
    if what in wanted:
        version = drafting.draft_release(
            place, None, rollout=wanted[what], reason=reason, now_s=now_s()
        )
        print_fields({"release": version, "rollout": what}, output=output)
        note("Next: two release people each run: osiris content sign")
    elif what == "show":
        found = review.rings(place, now_s=now_s())
        if output is Output.JSON:
            print_json(found)
        else:
            _show_rollout(found)
    else:
        msg = f"{what!a}: show, halt or resume"
        raise ConfigError(msg)
