"""`osiris content promote`: what healed an incident becomes a rule, everywhere or nowhere."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from osiris.desk.content_cli import HERE, DeskOption, FolderOption, Format, now_s
from osiris.desk.folder import Folder
from osiris.desk.place import Desk
from proto.catalog.l1 import COOLDOWN_S_MAX, PER_DAY_MAX
from proto.errors import ConfigError
from proto.hub.desk import IncidentTold, ShowIncident
from proto.ids import parse_incident_id, parse_site_id
from runtime.repository.layout import digest_of
from runtime.terminal import Output, note, plain, print_fields

if TYPE_CHECKING:
    from osiris.desk.promoting import Promotion

Incident = Annotated[
    str | None, typer.Argument(help="The incident whose repair healed: i-xxxxxxxxxx.")
]
When = Annotated[
    list[str] | None,
    typer.Option(help="A reported field whose answer must be the same, again for more."),
]
Cooldown = Annotated[
    int, typer.Option(min=0, max=COOLDOWN_S_MAX, help="How long a target then rests.")
]
PerDay = Annotated[int, typer.Option(min=1, max=PER_DAY_MAX, help="How often a day on one target.")]


def mount(content: typer.Typer) -> None:
    """Put the verb among those of `osiris content`."""
    content.command("promote")(promote)


def promote(
    desk: DeskOption,
    incident: Incident = None,
    site: Annotated[str | None, typer.Option(help="Its site: s-xxxxxxxxxx.")] = None,
    when: When = None,
    anything: Annotated[
        bool, typer.Option("--any", help="Whatever the check reported, as long as it drifted.")
    ] = False,
    like: Annotated[
        str | None, typer.Option(help="The release rule that gives the runbook's parameters.")
    ] = None,
    cooldown_s: Cooldown = 3600,
    per_day: PerDay = 3,
    drop: Annotated[
        list[str] | None, typer.Option(help="A promoted rule to take away, again for more.")
    ] = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Those of before for 30 days more, and no other.")
    ] = False,
    folder: FolderOption = HERE,
    output: Format = Output.TABLE,
) -> None:
    """Draft a rule from what healed an incident, or take promoted rules away, or renew them.

    The hub is asked what was seen and what ran; the rule may only do what a release rule of the
    same check does already, comes after every one, and is refused here in the words in which an
    appliance would refuse it. All promoted rules are one document: one operator signs it, the hub
    signs its half when it takes it in, and it lives 30 days. Where a rule is to act, an order says:
    osiris order draft sync_promoted_rule.
    """
    from osiris.desk import promoting  # noqa: PLC0415 - loads python-tuf

    if sum((incident is not None, bool(drop), renew)) != 1:
        msg = "give an incident to promote from, or --drop RULE, or --renew"
        raise ConfigError(msg)
    if anything and when:
        msg = "--any and --when contradict each other"
        raise ConfigError(msg)
    place, added = Folder.there(folder), []
    if incident is not None:
        told = _told(desk=Desk(desk), site=site, incident=incident)
        fields = () if anything else tuple(when) if when else None
        wish = promoting.Wish(fields, like, cooldown_s, per_day)
        added = [promoting.promotion_of(place, told, wish)]
    if renew and not promoting.published_rules(place):
        msg = f"{folder}: no rule was promoted that could be renewed"
        raise ConfigError(msg)
    version = promoting.draft_promoted(place, added, drop=drop or (), now_s=now_s())
    _show(version, added, folder=place, output=output)


def _show(version: int, added: "Sequence[Promotion]", *, folder: Folder, output: Output) -> None:
    """Show what was drafted, the rules in full, and what comes next."""
    for one in added:
        for line in one.data.decode().splitlines():
            note(plain(f"  {line}"))
        note("What was seen and what healed, the hub says: this desk did not verify the evidence")
    rules = [{"rule": one.rule, "content_sha256": digest_of(one.data)} for one in added]
    shown = {"promoted": version, "rules": rules, "folder": str(folder.directory)}
    print_fields(shown, output=output)
    note("Next: one operator runs osiris content sign, then: osiris content publish")
    for named in rules:
        note(
            "Then for each site: osiris order draft sync_promoted_rule --site SITE"
            f" --rule {named['rule']} --content-sha256 {named['content_sha256']} --reason WHY"
        )


def _told(*, desk: Desk, site: str | None, incident: str) -> IncidentTold:
    from osiris.desk import session  # noqa: PLC0415 - loads an HTTP client

    if site is None:
        msg = "--site: say of which site the incident is"
        raise ConfigError(msg)
    asked_site, asked = parse_site_id(site, "--site"), parse_incident_id(incident, "incident")
    with session.at(desk) as here:
        asking = ShowIncident(site=asked_site, incident=asked, **here.link.stamp())
        told = here.link.ask(asking, IncidentTold)
    if (told.site, told.incident) != (asked_site, asked):
        msg = f"{incident}: the hub answered with {told.incident} of {told.site}"
        raise ConfigError(msg)
    return told
