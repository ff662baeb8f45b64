"""The current finding of each check on each target; history lives in the evidence log.

Bounded by devices x checks: a finding goes with its device, and `prune` drops checks that the
content no longer has.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass

import aiosqlite

from proto.findings import Finding, Reason, Vantage, Verdict
from proto.ids import SiteId, TargetId

Reasons = Collection[Reason]


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored finding.

    Attributes:
        since_ms: since when its verdict and reason have held.
        reported: what the last scan leaf said of it, "" when none has yet.
    """

    finding: Finding
    since_ms: int
    reported: str


def report_key(finding: Finding) -> str:
    """Return what makes a finding worth a new scan leaf: verdict, reason and reported values."""
    seen = json.dumps(dict(sorted(finding.seen.items())), separators=(",", ":"))
    return f"{finding.verdict}|{finding.reason or ''}|{seen}|{finding.content}"


def _kept(row: aiosqlite.Row, site: SiteId) -> Kept:
    finding = Finding(
        site=site,
        target=TargetId(row["target"]),
        check=row["check_id"],
        verdict=Verdict(row["verdict"]),
        reason=Reason(row["reason"]) if row["reason"] else None,
        seen=json.loads(row["seen"]),
        at_ms=row["at_ms"],
        vantage=Vantage(row["vantage"]),
        content=row["content"],
    )
    return Kept(finding, row["since_ms"], row["reported"])


async def of_target(conn: aiosqlite.Connection, site: SiteId, target: TargetId) -> dict[str, Kept]:
    """Return a target's findings by check id."""
    rows = await conn.execute_fetchall("SELECT * FROM findings WHERE target = ?", (target,))
    return {row["check_id"]: _kept(row, site) for row in rows}


async def shift_refused(conn: aiosqlite.Connection, by_ms: int, *, reasons: Reasons) -> None:
    """Let findings of these reasons be as old as before, on a clock that was set by so much."""
    await conn.execute(
        f"UPDATE findings SET at_ms = at_ms + ? WHERE reason IN ({_marks(reasons)})",  # noqa: S608 - only question marks
        (by_ms, *sorted(reasons)),
    )


async def refused_by(conn: aiosqlite.Connection, now_ms: int, *, reasons: Reasons) -> None:
    """Let no finding of these reasons be later than now."""
    await conn.execute(
        f"UPDATE findings SET at_ms = ? WHERE at_ms > ? AND reason IN ({_marks(reasons)})",  # noqa: S608 - only question marks
        (now_ms, now_ms, *sorted(reasons)),
    )


def _marks(reasons: Reasons) -> str:
    return ",".join("?" * len(reasons))


async def put(conn: aiosqlite.Connection, finding: Finding, *, since_ms: int) -> None:
    """Store a finding as its target's current one for its check."""
    await conn.execute(
        "INSERT INTO findings (target, check_id, verdict, reason, seen, at_ms, vantage, content,"
        " since_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (target, check_id) DO UPDATE SET verdict = excluded.verdict,"
        " reason = excluded.reason, seen = excluded.seen, at_ms = excluded.at_ms,"
        " vantage = excluded.vantage, content = excluded.content, since_ms = excluded.since_ms",
        (
            finding.target,
            finding.check,
            finding.verdict,
            finding.reason,
            json.dumps(dict(finding.seen)),
            finding.at_ms,
            finding.vantage,
            finding.content,
            since_ms,
        ),
    )


async def mark_reported(
    conn: aiosqlite.Connection, target: TargetId, reported: dict[str, str]
) -> None:
    """Remember what a scan leaf said of each check (`report_key`)."""
    await conn.executemany(
        "UPDATE findings SET reported = ? WHERE target = ? AND check_id = ?",
        [(key, target, check) for check, key in reported.items()],
    )


async def forget(conn: aiosqlite.Connection, target: TargetId, *, vantage: Vantage) -> None:
    """Drop a target's findings from one vantage: nobody looks from there any more."""
    await conn.execute("DELETE FROM findings WHERE target = ? AND vantage = ?", (target, vantage))


async def oldest_ms(conn: aiosqlite.Connection) -> int:
    """Return the time of the oldest current finding, 0 when there is none."""
    rows = list(await conn.execute_fetchall("SELECT min(at_ms) AS oldest FROM findings"))
    return int(rows[0]["oldest"] or 0)


async def prune(conn: aiosqlite.Connection, checks: Collection[str]) -> None:
    """Drop the findings of checks that the content set no longer has."""
    rows = await conn.execute_fetchall("SELECT DISTINCT check_id FROM findings")
    gone = [(row["check_id"],) for row in rows if row["check_id"] not in checks]
    await conn.executemany("DELETE FROM findings WHERE check_id = ?", gone)
