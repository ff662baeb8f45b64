"""The one door by which findings enter: finding, incident and evidence in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiosqlite

from appliance.core import episodes, records
from appliance.core.site_rules import SiteRules
from appliance.handlers.site_rules import site_rules
from appliance.handlers.telling import told
from appliance.handlers.work import Work
from appliance.store import decisions, evidence, findings, incidents
from appliance.store.findings import Kept
from proto.catalog.model import Check
from proto.findings import Finding
from proto.ids import ENTROPY_BYTES, TargetId, new_incident_id
from proto.incidents import Incident

FULL_EVERY_MS = 86_400_000
"""A target's findings are written to evidence in full once in this time."""


@dataclass(frozen=True, slots=True)
class _Known:
    kept: Mapping[str, Kept]
    live: Mapping[str, Incident]
    rules: SiteRules
    checks: Mapping[str, Check]


async def record(
    work: Work, found: Sequence[Finding], *, knowing: Mapping[str, Incident] | None = None
) -> None:
    """Store findings, each target's in one transaction, and wake who waits for them.

    `knowing` is one target's live incidents, by check, from before its checks were asked. A check
    whose incident moved on meanwhile was asked in another time: its finding is dropped, because a
    repair may have verified since, and the check is asked again.
    """
    by_target: dict[TargetId, list[Finding]] = {}
    for finding in found:
        by_target.setdefault(finding.target, []).append(finding)
    for target, of_target in by_target.items():
        async with work.store.write() as conn:
            still = await _not_overtaken(conn, work, of_target, knowing=knowing)
            await record_in(conn, work, target, still)
    if found:
        work.bells.heal.ring()
        work.bells.uplink.ring()


async def _not_overtaken(
    conn: aiosqlite.Connection,
    work: Work,
    found: Sequence[Finding],
    *,
    knowing: Mapping[str, Incident] | None,
) -> Sequence[Finding]:
    if knowing is None:
        return found
    live = await incidents.live_of_target(conn, work.scribe.site, found[0].target)
    return [one for one in found if _stage(knowing.get(one.check)) == _stage(live.get(one.check))]


def _stage(incident: Incident | None) -> tuple[str, str, int] | None:
    return (incident.id, incident.state, incident.attempt) if incident else None


async def record_in(
    conn: aiosqlite.Connection, work: Work, target: TargetId, found: Sequence[Finding]
) -> None:
    """Store one target's findings inside the caller's transaction.

    What was asked of a device before a person put it off limits is not kept.
    """
    if await decisions.is_off_limits_by_person(conn, target):
        return
    known = _Known(
        kept=await findings.of_target(conn, work.scribe.site, target),
        live=await incidents.live_of_target(conn, work.scribe.site, target),
        rules=await site_rules(conn, work),
        checks=work.content().checks,
    )
    for finding in found:
        await _store(conn, work, finding, known=known)
    await _report(conn, work, target, found=found, kept=known.kept)


async def _store(
    conn: aiosqlite.Connection, work: Work, finding: Finding, *, known: _Known
) -> None:
    check = known.checks.get(finding.check)
    if check is None:  # the content was swapped while the probe ran
        return
    since_ms = _since_ms(finding, known.kept.get(finding.check))
    await findings.put(conn, finding, since_ms=since_ms)
    watched = episodes.Watched(
        platform=check.platform,
        severity=check.severity,
        live=known.live.get(finding.check),
        since_ms=since_ms,
        waived=known.rules.is_waived(finding.target, finding.check),
    )
    new_id = new_incident_id(work.entropy(ENTROPY_BYTES))
    for incident in episodes.on_finding(finding, watched, new_id=new_id):
        before = known.live.get(finding.check)
        await incidents.put(conn, incident)
        if before is None or before.id != incident.id or before.state is not incident.state:
            await tell_turn(conn, work, incident, actor="appliance")


def _since_ms(finding: Finding, kept: Kept | None) -> int:
    if kept is None:
        return finding.at_ms
    same = (kept.finding.verdict, kept.finding.reason) == (finding.verdict, finding.reason)
    return kept.since_ms if same else finding.at_ms


async def tell_turn(
    conn: aiosqlite.Connection, work: Work, incident: Incident, *, actor: str, note: str = ""
) -> None:
    """Write an incident's new state to its turns, and to evidence where evidence tells it.

    `note` is what a person said; it stays on the appliance. `actor` is a code.
    """
    author = work.author()
    draft = records.incident_draft(author, incident, actor=actor, content=work.content().digest)
    leaf = (await evidence.append(conn, work.scribe, [draft]))[0] if draft else None
    await incidents.add_turn(conn, incident, at_ms=author.now_ms, actor=actor, note=note, leaf=leaf)


async def _report(
    conn: aiosqlite.Connection,
    work: Work,
    target: TargetId,
    *,
    found: Sequence[Finding],
    kept: Mapping[str, Kept],
) -> None:
    """Write a scan leaf of what changed, or of everything once a day."""
    author = work.author()
    full_ms = await _full_ms(conn, target)
    full = author.now_ms - full_ms >= FULL_EVERY_MS
    current = await findings.of_target(conn, work.scribe.site, target)
    digest = work.content().digest
    changed = [
        one.finding
        for one in current.values()
        if one.finding.content == digest
        and (full or findings.report_key(one.finding) != one.reported)
    ]
    if not changed:
        return
    since_ms = min((kept[f.check].finding.at_ms for f in found if f.check in kept), default=None)
    drafts = records.scan_drafts(
        author,
        target,
        [told(work, finding) for finding in changed],
        since_ms=author.now_ms if since_ms is None else since_ms,
        full=full,
    )
    await evidence.append(conn, work.scribe, drafts)
    await findings.mark_reported(conn, target, {f.check: findings.report_key(f) for f in changed})
    if full:
        await conn.execute("UPDATE devices SET full_ms = ? WHERE id = ?", (author.now_ms, target))


async def _full_ms(conn: aiosqlite.Connection, target: TargetId) -> int:
    rows = await conn.execute_fetchall("SELECT full_ms FROM devices WHERE id = ?", (target,))
    return next((int(row["full_ms"]) for row in rows), 0)
