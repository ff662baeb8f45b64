"""A clinic's worth of real rows in a real store, for looking at pages and for testing them."""

import json
from collections.abc import Mapping

import aiosqlite

from appliance.store.db import Store
from proto.catalog.model import (
    Action,
    Autonomy,
    Check,
    Content,
    Disruption,
    Probe,
    ProbeKind,
    Rule,
    Runbook,
    Scope,
    ScopeKind,
    Source,
)
from proto.conditions.model import Group, GroupKind
from proto.findings import Scalar
from proto.ids import ApplianceId, IncidentId, SiteId, TargetId
from proto.incidents import Severity
from proto.inventory import Platform

NOW_MS = 1_795_361_520_000
"""Nov 22, 2026, 10:32 AM in New York."""

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SITE = SiteId("s-k3v7q2m5ab")
APPLIANCE = ApplianceId("a-q7dm4xk2ta")
CONTENT = "ed70b4c1" * 8


def target(name: str) -> TargetId:
    """Return a well-formed device id that starts with a word made of a-z and 2-7."""
    return TargetId(f"t-{name:a<10}")


def incident(name: str) -> IncidentId:
    """Return a well-formed incident id that starts with a word made of a-z and 2-7."""
    return IncidentId(f"i-{name:a<10}")


NOTHING = Group(GroupKind.ALL, ())
_CHECKS = (
    (
        "lin.file.shadow_perms",
        "The account files are protected",
        Severity.CRITICAL,
        ("hipaa:164.312(d)", "password hashes are readable by the system alone"),
        ("nist_800_53:AC-3", "access to the account files is enforced by their mode"),
    ),
    (
        "lin.ssh.empty_passwords",
        "SSH refuses accounts without a password",
        Severity.CRITICAL,
        ("hipaa:164.312(d)", "nobody signs in without proving who they are"),
        ("nist_800_53:IA-5", "an empty authenticator is refused"),
    ),
    (
        "lin.ssh.root_login",
        "Root cannot log in over SSH",
        Severity.HIGH,
        ("hipaa:164.312(a)(2)(i)", "each administrator signs in under their own name"),
        ("nist_800_53:AC-6(2)", "root's rights are taken with sudo, not by logging in"),
    ),
    (
        "lin.ssh.password_auth",
        "SSH accepts keys, not passwords",
        Severity.HIGH,
        ("hipaa:164.312(d)", "a key is harder to guess or to lend than a password"),
        ("nist_800_53:IA-2", "administrators are identified by keys of their own"),
    ),
    (
        "lin.firewall.active",
        "The host firewall is loaded and starts at boot",
        Severity.HIGH,
        ("hipaa:164.312(e)(1)", "only the services that are meant to be reached are reached"),
        ("nist_800_53:SC-7", "the boundary of the host is enforced"),
    ),
    (
        "lin.auditd.running",
        "The audit service is enabled at boot",
        Severity.HIGH,
        ("hipaa:164.312(b)", "activity on systems that hold records is recorded"),
        ("nist_800_53:AU-12", "audit records are made from the start of the system on"),
    ),
    (
        "lin.updates.automatic",
        "Security updates install themselves",
        Severity.HIGH,
        ("hipaa:164.308(a)(5)(ii)(B)", "known weaknesses are closed without waiting for anybody"),
        ("nist_800_53:SI-2", "flaws are remediated in time"),
    ),
    (
        "lin.time.sync",
        "Time synchronisation is enabled and has a source",
        Severity.MEDIUM,
        ("hipaa:164.312(b)", "records of different machines can be put in order"),
        ("nist_800_53:SC-45", "clocks are synchronised with the site's source"),
    ),
    (
        "lin.ssh.idle",
        "Dead SSH sessions end within 15 minutes",
        Severity.MEDIUM,
        ("hipaa:164.312(a)(2)(iii)", "a session nobody uses is ended"),
        ("nist_800_53:AC-12", "sessions end after a set time"),
    ),
    (
        "lin.disk.journal_bound",
        "The journal's size on disk is bounded",
        Severity.LOW,
        ("hipaa:164.312(b)", "a full disk cannot stop the record of activity"),
        ("nist_800_53:AU-4", "storage for audit records is set aside"),
    ),
    (
        "net.redis.open",
        "No database answers to everybody",
        Severity.CRITICAL,
        ("hipaa:164.312(a)(1)", "data is reached by those who were granted access"),
        ("nist_800_53:AC-3", "access is enforced, not assumed"),
    ),
    (
        "net.telnet.open",
        "No remote access without encryption",
        Severity.HIGH,
        ("hipaa:164.312(e)(2)(ii)", "what travels over the network cannot be read there"),
        ("nist_800_53:SC-8", "passwords and data are encrypted on their way"),
    ),
)
_RUNBOOKS = (
    ("rb.lin.ssh.root_login", "Refuse root logins over SSH", "lin.ssh.root_login"),
    ("rb.lin.firewall.active", "Load the host firewall now and at boot", "lin.firewall.active"),
    ("rb.lin.auditd.running", "Start the audit service now and at boot", "lin.auditd.running"),
    ("rb.lin.time.sync", "Synchronise the clock with the site's source", "lin.time.sync"),
    ("rb.lin.file.shadow_perms", "Protect the account files", "lin.file.shadow_perms"),
)


_RULE = Rule(
    id="l1.lin.auditd.running",
    check="lin.auditd.running",
    conditions=NOTHING,
    action=Action.EXECUTE_RUNBOOK,
    runbook_id="rb.lin.auditd.running",
    params={"at_boot": True},
    limits=None,
    scope=Scope(ScopeKind.GLOBAL, ""),
    is_guard=False,
    priority=0,
    is_promoted=False,
    tests=(),
    source=Source("rules/linux/lin.auditd.running.yaml", {}),
)


def content() -> Content:
    """Return a content set with the checks and runbooks that the rows name."""
    checks = {
        name: Check(
            id=name,
            title=title,
            description="",
            platform=Platform.NETWORK if name.startswith("net.") else Platform.LINUX,
            severity=severity,
            controls=dict(controls),
            interval_s=900,
            freshness_s=3600,
            probe=Probe(ProbeKind.SH, as_root=True, timeout_s=20, script="", ports={}),
            answer={},
            applies=NOTHING,
            judge=NOTHING,
            examples=(),
            reads=(),
            source=Source(f"checks/linux/{name}.yaml", {}),
        )
        for name, title, severity, *controls in _CHECKS
    }
    runbooks = {
        name: Runbook(
            id=name,
            title=title,
            description="",
            platform=Platform.LINUX,
            autonomy=Autonomy.AUTO,
            disruption=Disruption.SERVICE,
            as_root=True,
            requires=NOTHING,
            params={},
            writes=(),
            capture="",
            steps=(),
            undo="",
            irreversible="",
            verify=(check,),
            safe_because="",
            timeout_s=20,
            examples=(),
            source=Source(f"runbooks/linux/{name}.yaml", {}),
        )
        for name, title, check in _RUNBOOKS
    }
    return Content(
        checks=checks, runbooks=runbooks, rules={_RULE.id: _RULE}, controls={}, digest=CONTENT
    )


FRONT, RECORDS, IMAGING, BACKUP, LAB = (
    target(name) for name in ("front", "records", "imaging", "backup", "lab")
)
PUMP, PRINTER, CAMERA = target("pump"), target("printer"), target("camera")

_DEVICES: tuple[tuple[TargetId, str, str, str, str, str, int], ...] = (
    (FRONT, "workstation", "Front desk", "10.44.1.21", "52:54:00:6b:3c:21", "Dell", 1),
    (RECORDS, "server", "Records server", "10.44.1.10", "52:54:00:6b:3c:10", "Supermicro", 1),
    (IMAGING, "server", "Image archive", "10.44.1.11", "52:54:00:6b:3c:11", "Supermicro", 2),
    (BACKUP, "server", "Backup box", "10.44.1.12", "52:54:00:6b:3c:12", "Synology", 1),
    (LAB, "workstation", "Lab computer", "10.44.1.24", "52:54:00:6b:3c:24", "Lenovo", 3),
    (PUMP, "medical", "", "10.44.1.60", "00:1b:c5:0a:3c:60", "B. Braun", 4),
    (PRINTER, "printer", "", "10.44.1.40", "00:80:77:31:ab:40", "Brother", 2),
    (CAMERA, "unknown", "", "10.44.1.77", "9c:8e:cd:11:ab:77", "", 12),
)
_LOGINS = {FRONT: "osiris", RECORDS: "osiris", IMAGING: "osiris", BACKUP: "svc", LAB: "osiris"}
_DRIFTED = {
    (IMAGING, "net.redis.open"): {"open": True, "port": 6379},
    (BACKUP, "lin.firewall.active"): {"loaded": False, "enabled": False},
    (LAB, "net.telnet.open"): {"telnet": True, "ftp": False},
}
_GOOD: dict[str, Mapping[str, Scalar]] = {
    "lin.ssh.root_login": {"value": "no"},
    "lin.firewall.active": {"loaded": True, "enabled": True},
    "lin.auditd.running": {"enabled": True},
    "lin.time.sync": {"source": "10.44.1.1"},
    "lin.file.shadow_perms": {"mode": "0640", "owner": "root"},
}


async def put(conn: aiosqlite.Connection, table: str, **columns: object) -> None:
    """Insert one row; the names are the test's own."""
    names, marks = ", ".join(columns), ", ".join("?" for _ in columns)
    sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - no outside text
    await conn.execute(sql, tuple(columns.values()))


async def put_device(conn: aiosqlite.Connection, id_: TargetId, **columns: object) -> None:
    """Insert a device that was seen just now, unless the columns say otherwise."""
    values = {"class": "server", "first_ms": NOW_MS - 30 * DAY, "last_ms": NOW_MS - MINUTE}
    await put(conn, "devices", id=id_, **{**values, **columns})


async def put_attribute(conn: aiosqlite.Connection, id_: TargetId, kind: str, value: str) -> None:
    """Insert a dated attribute of a device."""
    await put(
        conn,
        "device_attributes",
        device=id_,
        kind=kind,
        value=value,
        first_ms=NOW_MS - DAY,
        last_ms=NOW_MS - MINUTE,
    )


async def put_target(conn: aiosqlite.Connection, id_: TargetId, **columns: object) -> None:
    """Make a device a target."""
    values: dict[str, object] = {
        "platform": "linux",
        "address": "10.44.1.99",
        "port": 22,
        "login": "osiris",
        "sudo": "nopasswd",
        "host_key": "ssh-ed25519 AAAA",
        "os": "Debian",
        "os_version": "12",
        "added_ms": NOW_MS - 30 * DAY,
    }
    await put(conn, "targets", id=id_, **{**values, **columns})


async def put_finding(
    conn: aiosqlite.Connection,
    id_: TargetId,
    check: str,
    verdict: str,
    **columns: object,
) -> None:
    """Insert a finding that was read ten minutes ago, unless the columns say otherwise."""
    values: dict[str, object] = {
        "reason": "unreachable" if verdict == "unknown" else None,
        "seen": "{}",
        "at_ms": NOW_MS - 10 * MINUTE,
        "vantage": "scan" if check.startswith("net.") else "ssh",
        "content": CONTENT,
        "since_ms": NOW_MS - 3 * DAY,
    }
    merged = {**values, **columns}
    await put(conn, "findings", target=id_, check_id=check, verdict=verdict, **merged)


async def put_incident(
    conn: aiosqlite.Connection, id_: IncidentId, on: TargetId, check: str, **columns: object
) -> None:
    """Insert an incident that is open, unless the columns say otherwise."""
    values: dict[str, object] = {
        "platform": "network" if check.startswith("net.") else "linux",
        "severity": content().checks[check].severity,
        "seen": "{}",
        "state": "open",
        "attempt": 1,
        "opened_ms": NOW_MS - 2 * HOUR,
        "updated_ms": NOW_MS - HOUR,
    }
    await put(conn, "incidents", id=id_, target=on, check_id=check, **{**values, **columns})


async def put_waiting(conn: aiosqlite.Connection) -> IncidentId:
    """Insert an incident whose repair waits for a person's approval; return its id."""
    waiting = incident("auditd")
    await put_incident(
        conn,
        waiting,
        LAB,
        _RULE.check,
        state="escalated",
        cause="approval_needed",
        decided_by="rule",
        decided_id=_RULE.id,
    )
    await put_turn(conn, waiting, 0, "open", leaf=310)
    await put_turn(conn, waiting, 1, "escalated", cause="approval_needed", leaf=311)
    return waiting


async def put_turn(
    conn: aiosqlite.Connection, id_: IncidentId, n: int, state: str, **columns: object
) -> None:
    """Insert a turn of an incident."""
    values: dict[str, object] = {"at_ms": NOW_MS - 2 * HOUR + n * MINUTE, "actor": "appliance"}
    await put(conn, "turns", incident=id_, n=n, state=state, **{**values, **columns})


def side(verdict: str, **seen: Scalar) -> str:
    """Return one side of a repair as the journal keeps it."""
    return json.dumps({"verdict": verdict, "reason": None, "seen": seen})


async def put_healed(
    conn: aiosqlite.Connection,
    id_: IncidentId,
    on: TargetId,
    check: str,
    *,
    before: str,
    after: str,
    minutes_ago: int,
    leaf: int,
) -> None:
    """Insert an incident that was repaired, proved and closed."""
    done_ms = NOW_MS - minutes_ago * MINUTE
    await put_incident(
        conn,
        id_,
        on,
        check,
        state="closed",
        cause="passed",
        opened_ms=done_ms - 2000,
        updated_ms=done_ms,
        closed_ms=done_ms,
        decided_by="rule",
        decided_id=f"l1.{check}",
        losers=json.dumps([f"l1.{check}_any"]),
        runbook=f"rb.{check}",
        params="{}",
        seen=json.dumps(json.loads(before)["seen"]),
    )
    await put(
        conn,
        "repairs",
        incident=id_,
        run=1,
        attempt=1,
        check_id=check,
        rule=f"l1.{check}",
        runbook=f"rb.{check}",
        plan="{}",
        content=CONTENT,
        before=before,
        captured='{"existed":false}',
        after=after,
        result="healed",
        at_ms=done_ms - 1800,
        done_ms=done_ms,
        leaf=leaf,
    )
    for step, kind in enumerate(("capture", "step", "verify")):
        await put(
            conn,
            "commands",
            incident=id_,
            run=1,
            kind=kind,
            step=0 if kind == "step" else 1,
            created_ms=done_ms - 1700 + step * 500,
            not_before_ms=0,
            started_ms=done_ms - 1600 + step * 500,
            done_ms=done_ms - 1300 + step * 500,
            outcome="done",
            changed=1 if kind == "step" else None,
        )
    turns = ("open", None), ("executing", None), ("verifying", None), ("healed", None)
    for n, (state, cause) in enumerate((*turns, ("closed", "passed"))):
        await put_turn(
            conn,
            id_,
            n,
            state,
            cause=cause,
            at_ms=done_ms - 2000 + 500 * n,
            leaf=leaf + n - 4 if state in {"healed", "closed", "open"} else None,
        )


async def fill(store: Store) -> None:
    """Fill a store with the clinic: repaired, waiting, waived, unknown and never touched."""
    async with store.write() as conn:
        await _fill_devices(conn)
        await _fill_findings(conn)
        await _fill_incidents(conn)
        await put(
            conn,
            "waivers",
            target=LAB,
            check_id="lin.ssh.idle",
            reason="The analyser's own program keeps its session open; the maker is working on it.",
            account="dr.okafor",
            created_ms=NOW_MS - 5 * DAY,
            until_ms=NOW_MS + 25 * DAY,
        )
        await put(
            conn,
            "waivers",
            target=BACKUP,
            check_id="lin.updates.automatic",
            reason="Held back during the move of the archive.",
            account="maria",
            created_ms=NOW_MS - 60 * DAY,
            until_ms=NOW_MS - 20 * DAY,
        )
        await put(
            conn,
            "health",
            code="breaker_open",
            since_ms=NOW_MS - 3 * HOUR,
            detail="rb.lin.firewall.active on Backup box",
        )


async def acknowledge(store: Store, *, size: int = 412, acked: int = 398) -> None:
    """Say how far the evidence goes and how much of it the hub holds; the leaves are not there."""
    async with store.write() as conn:
        sql = "UPDATE evidence_head SET size = ?, acked_size = ?, cosigned = 'x'"
        await conn.execute(sql, (size, acked))


async def _fill_devices(conn: aiosqlite.Connection) -> None:
    for id_, kind, label, address, mac, vendor, minutes in _DEVICES:
        await put_device(
            conn,
            id_,
            **{"class": kind},
            label=label,
            last_ms=NOW_MS - minutes * MINUTE,
            off_limits=1 if kind == "medical" else 0,
            because="vendor B. Braun: infusion pumps" if kind == "medical" else "",
        )
        await put_attribute(conn, id_, "address", address)
        await put_attribute(conn, id_, "mac", mac)
        if vendor:
            await put_attribute(conn, id_, "vendor", vendor)
        if id_ in _LOGINS:
            await put_target(conn, id_, address=address, login=_LOGINS[id_])


async def _fill_findings(conn: aiosqlite.Connection) -> None:
    for id_ in _LOGINS:
        for check in content().checks:
            drifted = _DRIFTED.get((id_, check))
            if drifted:
                await put_finding(conn, id_, check, "drifted", seen=json.dumps(drifted))
            elif id_ == LAB and check == "lin.ssh.idle":
                await put_finding(conn, id_, check, "drifted", seen='{"minutes":0}')
            elif id_ == LAB and check == "lin.updates.automatic":
                await put_finding(conn, id_, check, "unknown", reason="sudo_refused")
            elif id_ == LAB and check == "lin.disk.journal_bound":
                await put_finding(conn, id_, check, "compliant", at_ms=NOW_MS - 5 * HOUR)
            elif id_ == FRONT and check == "lin.disk.journal_bound":
                await put_finding(conn, id_, check, "not_applicable")
            else:
                seen = json.dumps(_GOOD.get(check, {}))
                await put_finding(conn, id_, check, "compliant", seen=seen)


async def _fill_incidents(conn: aiosqlite.Connection) -> None:
    root = "lin.ssh.root_login"
    await put_healed(
        conn,
        incident("rootfront"),
        FRONT,
        root,
        before=side("drifted", value="yes"),
        after=side("compliant", value="no"),
        minutes_ago=4,
        leaf=405,
    )
    await put_healed(
        conn,
        incident("rootrec"),
        RECORDS,
        root,
        before=side("drifted", value="prohibit-password"),
        after=side("compliant", value="no"),
        minutes_ago=31,
        leaf=388,
    )
    await put_healed(
        conn,
        incident("audit"),
        RECORDS,
        "lin.auditd.running",
        before=side("drifted", enabled=False),
        after=side("compliant", enabled=True),
        minutes_ago=33,
        leaf=381,
    )
    await put_healed(
        conn,
        incident("time"),
        IMAGING,
        "lin.time.sync",
        before=side("drifted", source="none"),
        after=side("compliant", source="10.44.1.1"),
        minutes_ago=57,
        leaf=370,
    )
    redis = incident("redis")
    await put_incident(
        conn,
        redis,
        IMAGING,
        "net.redis.open",
        state="escalated",
        cause="rule_escalates",
        seen='{"open":true,"port":6379}',
        decided_by="rule",
        decided_id="l1.net.redis.open",
    )
    await put_turn(conn, redis, 0, "open", leaf=360)
    await put_turn(conn, redis, 1, "escalated", cause="rule_escalates", leaf=361)
    telnet = incident("telnet")
    await put_incident(
        conn,
        telnet,
        LAB,
        "net.telnet.open",
        state="escalated",
        cause="no_rule",
        opened_ms=NOW_MS - 26 * HOUR,
        updated_ms=NOW_MS - 26 * HOUR,
    )
    await put_turn(conn, telnet, 0, "open", leaf=301)
    await put_turn(conn, telnet, 1, "escalated", cause="no_rule", leaf=302)
    firewall = incident("firewall")
    await put_incident(
        conn,
        firewall,
        BACKUP,
        "lin.firewall.active",
        state="open",
        attempt=2,
        cause="cooldown",
        decided_by="rule",
        decided_id="l1.lin.firewall.active",
        runbook="rb.lin.firewall.active",
        opened_ms=NOW_MS - 20 * MINUTE,
        updated_ms=NOW_MS - 9 * MINUTE,
        seen='{"enabled":false,"loaded":false}',
    )
    await _fill_undone(conn, firewall)


async def _fill_undone(conn: aiosqlite.Connection, firewall: IncidentId) -> None:
    await put(
        conn,
        "repairs",
        incident=firewall,
        run=1,
        attempt=1,
        check_id="lin.firewall.active",
        rule="l1.lin.firewall.active",
        runbook="rb.lin.firewall.active",
        plan="{}",
        content=CONTENT,
        before=side("drifted", enabled=False, loaded=False),
        after=side("drifted", enabled=True, loaded=False),
        result="undone",
        at_ms=NOW_MS - 19 * MINUTE,
        done_ms=NOW_MS - 18 * MINUTE,
        leaf=399,
    )
    kinds = (
        ("capture", 1, "done"),
        ("step", 0, "done"),
        ("verify", 1, "done"),
        ("undo", 1, "done"),
    )
    for kind, step, outcome in kinds:
        await put(
            conn,
            "commands",
            incident=firewall,
            run=1,
            kind=kind,
            step=step,
            created_ms=NOW_MS - 19 * MINUTE,
            not_before_ms=0,
            started_ms=NOW_MS - 19 * MINUTE,
            done_ms=NOW_MS - 18 * MINUTE,
            outcome=outcome,
            changed=1 if kind in {"step", "undo"} else None,
        )
    states = ("open", "executing", "verifying", "undoing")
    for n, state in enumerate(states):
        await put_turn(conn, firewall, n, state, at_ms=NOW_MS - 20 * MINUTE + n * 20_000)
    await put_turn(
        conn, firewall, 4, "open", cause="cooldown", at_ms=NOW_MS - 18 * MINUTE, leaf=399
    )
