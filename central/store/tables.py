"""The hub's tables. Every fleet table's primary key begins with `site_id`.

Times ending in `_ms` are milliseconds since the epoch by the hub's clock; those ending in `_s` are
seconds as an appliance signed them. Hashes and keys are raw bytes.

| table | who bounds it |
|---|---|
| sites, claims, appliances, full_states, users | people; a claim is purged a week after it ended |
| leaves, details, checkpoints, heads | evidence: kept six years (45 CFR 164.316(b)(2)(i)) |
| targets, findings, incidents, turns, heals, reported_health | a fold, rebuilt from evidence |
| conditions | one row a site, appliance and code |
| devices, device_lists | the appliance's own list, at most 4,096 devices |
| quarantine | the newest 500 of each appliance |
| refusals | the newest 2,000 |
| sessions | purged when they end |
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

ID = String(16)
CODE = String(64)
LABEL = String(120)


def _site() -> Column[str]:
    return Column("site_id", ID, nullable=False)


def _appliance() -> Column[str]:
    return Column("appliance_id", ID, nullable=False)


def _need(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]]) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _of_appliance() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["site_id", "appliance_id"], ["appliances.site_id", "appliances.appliance_id"]
    )


sites = Table(
    "sites",
    metadata,
    _site(),
    _need("label", LABEL),
    _need("created_ms", BigInteger),
    PrimaryKeyConstraint("site_id"),
)

claims = Table(
    "claims",
    metadata,
    _site(),
    _need("claim", LargeBinary(16)),
    Column("secret_sealed", LargeBinary),
    _need("created_ms", BigInteger),
    _need("expires_ms", BigInteger),
    Column("used_by", ID),
    Column("used_ms", BigInteger),
    Column("proof_digest", LargeBinary(32)),
    PrimaryKeyConstraint("site_id", "claim"),
    ForeignKeyConstraint(["site_id"], ["sites.site_id"]),
    UniqueConstraint("claim"),
)
"""`secret_sealed` is emptied when the claim is used; the proof's digest then answers a repeat."""

appliances = Table(
    "appliances",
    metadata,
    _site(),
    _appliance(),
    _need("ed25519", LargeBinary(32)),
    _need("x25519", LargeBinary(32)),
    _need("enrolled_ms", BigInteger),
    Column("confirmed_ms", BigInteger),
    Column("confirmed_by", CODE),
    _need("seq", BigInteger),
    Column("last_seen_ms", BigInteger),
    _need("as_of_s", BigInteger),
    _need("state", LargeBinary(32)),
    _need("next_s", Integer),
    PrimaryKeyConstraint("site_id", "appliance_id"),
    ForeignKeyConstraint(["site_id"], ["sites.site_id"]),
    UniqueConstraint("appliance_id"),
    UniqueConstraint("ed25519"),
)
"""`seq` is -1 before the first check-in; `state` is that of the last full state received."""

full_states = Table(
    "full_states",
    metadata,
    _site(),
    _appliance(),
    _need("body", LargeBinary),
    _need("received_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id"),
    _of_appliance(),
)

heads = Table(
    "heads",
    metadata,
    _site(),
    _appliance(),
    _need("size", BigInteger),
    _need("peaks", LargeBinary),
    PrimaryKeyConstraint("site_id", "appliance_id"),
    _of_appliance(),
)
"""The mirror's compact tree, moved only by compare-and-set on its size."""

leaves = Table(
    "leaves",
    metadata,
    _site(),
    _appliance(),
    _need("leaf", BigInteger),
    _need("envelope", LargeBinary),
    _need("hash", LargeBinary(32)),
    _need("kind", CODE),
    _need("at_s", BigInteger),
    _need("received_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "leaf"),
    _of_appliance(),
)

details = Table(
    "details",
    metadata,
    _site(),
    _appliance(),
    _need("leaf", BigInteger),
    _need("part", CODE),
    _need("salt", LargeBinary(16)),
    _need("detail", Text),
    PrimaryKeyConstraint("site_id", "appliance_id", "leaf", "part"),
    ForeignKeyConstraint(
        ["site_id", "appliance_id", "leaf"],
        ["leaves.site_id", "leaves.appliance_id", "leaves.leaf"],
    ),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    _site(),
    _appliance(),
    _need("size", BigInteger),
    _need("root", LargeBinary(32)),
    _need("note", Text),
    _need("cosigned_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "size"),
    _of_appliance(),
)
"""Cosigned heads. The primary key is what keeps a second root from one size."""

targets = Table(
    "targets",
    metadata,
    _site(),
    _appliance(),
    _need("target", ID),
    Column("platform", CODE),
    Column("device_class", CODE),
    _need("listed", Boolean),
    PrimaryKeyConstraint("site_id", "appliance_id", "target"),
    _of_appliance(),
)
"""`listed` is true while the appliance's full state names the target."""

findings = Table(
    "findings",
    metadata,
    _site(),
    _appliance(),
    _need("target", ID),
    _need("check_id", CODE),
    _need("verdict", CODE),
    Column("reason", CODE),
    _need("content", CODE),
    _need("at_s", BigInteger),
    _need("since_s", BigInteger),
    _need("leaf", BigInteger),
    _need("part", CODE),
    PrimaryKeyConstraint("site_id", "appliance_id", "target", "check_id"),
    _of_appliance(),
)
"""The current verdict of each check; `since_s` is when it last changed."""

incidents = Table(
    "incidents",
    metadata,
    _site(),
    _appliance(),
    _need("incident", ID),
    _need("target", ID),
    _need("check_id", CODE),
    Column("platform", CODE),
    Column("severity", CODE),
    _need("state", CODE),
    Column("cause", CODE),
    Column("actor", CODE),
    _need("attempt", Integer),
    Column("runbook", CODE),
    Column("rule", CODE),
    Column("result", CODE),
    _need("opened_s", BigInteger),
    _need("updated_s", BigInteger),
    Column("closed_s", BigInteger),
    _need("leaf", BigInteger),
    Column("heal_leaf", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "incident"),
    _of_appliance(),
    Index(None, "site_id", "state"),
)

heals = Table(
    "heals",
    metadata,
    _site(),
    _appliance(),
    _need("leaf", BigInteger),
    _need("incident", ID),
    _need("target", ID),
    _need("check_id", CODE),
    _need("attempt", Integer),
    _need("rule", CODE),
    _need("runbook", CODE),
    _need("content", CODE),
    _need("before_verdict", CODE),
    Column("before_reason", CODE),
    _need("outcome", CODE),
    _need("changed", Boolean),
    _need("after_verdict", CODE),
    Column("after_reason", CODE),
    _need("result", CODE),
    _need("at_s", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "leaf"),
    _of_appliance(),
    Index(None, "site_id", "appliance_id", "incident"),
)

turns = Table(
    "turns",
    metadata,
    _site(),
    _appliance(),
    _need("leaf", BigInteger),
    _need("incident", ID),
    _need("turn", CODE),
    Column("cause", CODE),
    _need("actor", CODE),
    _need("at_s", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "leaf"),
    _of_appliance(),
    Index(None, "site_id", "appliance_id", "incident"),
)

reported_health = Table(
    "reported_health",
    metadata,
    _site(),
    _appliance(),
    _need("code", CODE),
    _need("ok", Boolean),
    _need("at_s", BigInteger),
    _need("leaf", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "code"),
    _of_appliance(),
)
"""What an appliance says of itself, in its evidence."""

conditions = Table(
    "conditions",
    metadata,
    _site(),
    _appliance(),
    _need("code", CODE),
    _need("message", String(500)),
    _need("since_ms", BigInteger),
    _need("last_ms", BigInteger),
    _need("times", Integer),
    Column("cleared_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "code"),
    _of_appliance(),
)
"""What the hub says of an appliance: a fork, a rollback, a clock that is off."""

devices = Table(
    "devices",
    metadata,
    _site(),
    _appliance(),
    _need("device", ID),
    _need("device_class", CODE),
    _need("off_limits", Boolean),
    Column("label", String(320)),
    Column("name", String(320)),
    Column("vendor", String(320)),
    _need("digest", LargeBinary(32)),
    PrimaryKeyConstraint("site_id", "appliance_id", "device"),
    _of_appliance(),
)
"""What devices are called: text that was scrubbed on the appliance and admitted here."""

device_lists = Table(
    "device_lists",
    metadata,
    _site(),
    _appliance(),
    _need("seq", BigInteger),
    _need("digest", CODE),
    _need("received_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id"),
    _of_appliance(),
)
"""How far each list of devices came: its last page, and the digest of what is held of it."""

quarantine = Table(
    "quarantine",
    metadata,
    _site(),
    _appliance(),
    _need("sha256", LargeBinary(32)),
    _need("place", CODE),
    _need("what", CODE),
    _need("forms", String(500)),
    _need("size_bytes", Integer),
    _need("at_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "sha256", "place"),
    _of_appliance(),
)
"""Text that was not admitted: where it stood and what was seen in it, and none of the text."""

refusals = Table(
    "refusals",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("site_id", ID),
    Column("appliance_id", ID),
    _need("path", CODE),
    _need("code", CODE),
    _need("message", String(500)),
    _need("size_bytes", Integer),
    _need("digest", LargeBinary(32)),
    _need("at_ms", BigInteger),
    _need("unrecorded", Integer),
)
"""Dead letters: what was refused. The sender still has it; here is enough to recognise it by."""

users = Table(
    "users",
    metadata,
    _need("name", CODE),
    _need("password", String(256)),
    _need("created_ms", BigInteger),
    Column("disabled_ms", BigInteger),
    PrimaryKeyConstraint("name"),
)

sessions = Table(
    "sessions",
    metadata,
    _need("digest", LargeBinary(32)),
    _need("user", CODE),
    _need("created_ms", BigInteger),
    _need("seen_ms", BigInteger),
    _need("expires_ms", BigInteger),
    PrimaryKeyConstraint("digest"),
    ForeignKeyConstraint(["user"], ["users.name"]),
)
"""A session is kept by the SHA-256 of its cookie's token: the table opens no session."""
