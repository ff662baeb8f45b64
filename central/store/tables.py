"""The hub's tables. Every fleet table's primary key begins with `site_id`.

Times ending in `_ms` are milliseconds since the epoch by the hub's clock; those ending in `_s` are
seconds as an appliance signed them. Hashes and keys are raw bytes.

| table | who bounds it |
|---|---|
| sites, claims, appliances, full_states, users | people; a claim is purged a week after it ended |
| appliance_keys | people on the LAN, who renew them about once a year |
| leaves, details, checkpoints, heads | evidence: kept six years (45 CFR 164.316(b)(2)(i)) |
| targets, findings, incidents, turns, heals, reported_health | a fold, rebuilt from evidence |
| conditions | one row a site, appliance and code |
| devices, device_lists | the appliance's own list, at most 4,096 devices |
| quarantine | the newest 500 of each appliance |
| order_* | see `central.store.order_tables` |
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


def site_column() -> Column[str]:
    """Return the column that every fleet table's primary key begins with."""
    return Column("site_id", ID, nullable=False)


def appliance_column() -> Column[str]:
    """Return the column that names an appliance."""
    return Column("appliance_id", ID, nullable=False)


def need(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]]) -> Column[Any]:
    """Return a column that is never empty."""
    return Column(name, kind, nullable=False)


def of_appliance() -> ForeignKeyConstraint:
    """Return the constraint that a row is an enrolled appliance's."""
    return ForeignKeyConstraint(
        ["site_id", "appliance_id"], ["appliances.site_id", "appliances.appliance_id"]
    )


sites = Table(
    "sites",
    metadata,
    site_column(),
    need("label", LABEL),
    need("created_ms", BigInteger),
    PrimaryKeyConstraint("site_id"),
)

claims = Table(
    "claims",
    metadata,
    site_column(),
    need("claim", LargeBinary(16)),
    Column("secret_sealed", LargeBinary),
    need("created_ms", BigInteger),
    need("expires_ms", BigInteger),
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
    site_column(),
    appliance_column(),
    need("ed25519", LargeBinary(32)),
    need("x25519", LargeBinary(32)),
    need("enrolled_ms", BigInteger),
    Column("confirmed_ms", BigInteger),
    Column("confirmed_by", CODE),
    need("seq", BigInteger),
    Column("last_seen_ms", BigInteger),
    need("as_of_s", BigInteger),
    need("state", LargeBinary(32)),
    need("next_s", Integer),
    PrimaryKeyConstraint("site_id", "appliance_id"),
    ForeignKeyConstraint(["site_id"], ["sites.site_id"]),
    UniqueConstraint("appliance_id"),
    UniqueConstraint("ed25519"),
)
"""`seq` is -1 before the first check-in; `state` is that of the last full state received."""

appliance_keys = Table(
    "appliance_keys",
    metadata,
    site_column(),
    appliance_column(),
    need("leaf", BigInteger),
    need("ed25519", LargeBinary(32)),
    need("x25519", LargeBinary(32)),
    need("since_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "leaf"),
    of_appliance(),
    UniqueConstraint("ed25519"),
)
"""The keys of appliances that renewed theirs, each with the leaf that names it; the first has -1.

`appliances` has the newest; `since_ms` is when this hub took the leaf."""

full_states = Table(
    "full_states",
    metadata,
    site_column(),
    appliance_column(),
    need("body", LargeBinary),
    need("received_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id"),
    of_appliance(),
)

heads = Table(
    "heads",
    metadata,
    site_column(),
    appliance_column(),
    need("size", BigInteger),
    need("peaks", LargeBinary),
    PrimaryKeyConstraint("site_id", "appliance_id"),
    of_appliance(),
)
"""The mirror's compact tree, moved only by compare-and-set on its size."""

leaves = Table(
    "leaves",
    metadata,
    site_column(),
    appliance_column(),
    need("leaf", BigInteger),
    need("envelope", LargeBinary),
    need("hash", LargeBinary(32)),
    need("kind", CODE),
    need("at_s", BigInteger),
    need("received_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "leaf"),
    of_appliance(),
)

details = Table(
    "details",
    metadata,
    site_column(),
    appliance_column(),
    need("leaf", BigInteger),
    need("part", CODE),
    need("salt", LargeBinary(16)),
    need("detail", Text),
    PrimaryKeyConstraint("site_id", "appliance_id", "leaf", "part"),
    ForeignKeyConstraint(
        ["site_id", "appliance_id", "leaf"],
        ["leaves.site_id", "leaves.appliance_id", "leaves.leaf"],
    ),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    site_column(),
    appliance_column(),
    need("size", BigInteger),
    need("root", LargeBinary(32)),
    need("note", Text),
    need("cosigned_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "size"),
    of_appliance(),
)
"""Cosigned heads. The primary key is what keeps a second root from one size."""

targets = Table(
    "targets",
    metadata,
    site_column(),
    appliance_column(),
    need("target", ID),
    Column("platform", CODE),
    Column("device_class", CODE),
    need("listed", Boolean),
    PrimaryKeyConstraint("site_id", "appliance_id", "target"),
    of_appliance(),
)
"""`listed` is true while the appliance's full state names the target."""

findings = Table(
    "findings",
    metadata,
    site_column(),
    appliance_column(),
    need("target", ID),
    need("check_id", CODE),
    need("verdict", CODE),
    Column("reason", CODE),
    need("content", CODE),
    need("at_s", BigInteger),
    need("since_s", BigInteger),
    need("leaf", BigInteger),
    need("part", CODE),
    PrimaryKeyConstraint("site_id", "appliance_id", "target", "check_id"),
    of_appliance(),
)
"""The current verdict of each check; `since_s` is when it last changed."""

incidents = Table(
    "incidents",
    metadata,
    site_column(),
    appliance_column(),
    need("incident", ID),
    need("target", ID),
    need("check_id", CODE),
    Column("platform", CODE),
    Column("severity", CODE),
    need("state", CODE),
    Column("cause", CODE),
    Column("actor", CODE),
    need("attempt", Integer),
    Column("runbook", CODE),
    Column("rule", CODE),
    Column("result", CODE),
    need("opened_s", BigInteger),
    need("updated_s", BigInteger),
    Column("closed_s", BigInteger),
    need("leaf", BigInteger),
    Column("heal_leaf", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "incident"),
    of_appliance(),
    Index(None, "site_id", "state"),
)

heals = Table(
    "heals",
    metadata,
    site_column(),
    appliance_column(),
    need("leaf", BigInteger),
    need("incident", ID),
    need("target", ID),
    need("check_id", CODE),
    need("attempt", Integer),
    need("rule", CODE),
    need("runbook", CODE),
    need("content", CODE),
    need("before_verdict", CODE),
    Column("before_reason", CODE),
    need("outcome", CODE),
    need("changed", Boolean),
    need("after_verdict", CODE),
    Column("after_reason", CODE),
    need("result", CODE),
    need("at_s", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "leaf"),
    of_appliance(),
    Index(None, "site_id", "appliance_id", "incident"),
)

turns = Table(
    "turns",
    metadata,
    site_column(),
    appliance_column(),
    need("leaf", BigInteger),
    need("incident", ID),
    need("turn", CODE),
    Column("cause", CODE),
    need("actor", CODE),
    need("at_s", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "leaf"),
    of_appliance(),
    Index(None, "site_id", "appliance_id", "incident"),
)

reported_health = Table(
    "reported_health",
    metadata,
    site_column(),
    appliance_column(),
    need("code", CODE),
    need("ok", Boolean),
    need("at_s", BigInteger),
    need("leaf", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "code"),
    of_appliance(),
)
"""What an appliance says of itself, in its evidence."""

conditions = Table(
    "conditions",
    metadata,
    site_column(),
    appliance_column(),
    need("code", CODE),
    need("message", String(500)),
    need("since_ms", BigInteger),
    need("last_ms", BigInteger),
    need("times", Integer),
    Column("cleared_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "code"),
    of_appliance(),
)
"""What the hub says of an appliance: a fork, a rollback, a clock that is off."""

devices = Table(
    "devices",
    metadata,
    site_column(),
    appliance_column(),
    need("device", ID),
    need("device_class", CODE),
    need("off_limits", Boolean),
    Column("label", String(320)),
    Column("name", String(320)),
    Column("vendor", String(320)),
    need("digest", LargeBinary(32)),
    PrimaryKeyConstraint("site_id", "appliance_id", "device"),
    of_appliance(),
)
"""What devices are called: text that was scrubbed on the appliance and admitted here."""

device_lists = Table(
    "device_lists",
    metadata,
    site_column(),
    appliance_column(),
    need("seq", BigInteger),
    need("digest", CODE),
    need("received_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id"),
    of_appliance(),
)
"""How far each list of devices came: its last page, and the digest of what is held of it."""

quarantine = Table(
    "quarantine",
    metadata,
    site_column(),
    appliance_column(),
    need("sha256", LargeBinary(32)),
    need("place", CODE),
    need("what", CODE),
    need("forms", String(500)),
    need("size_bytes", Integer),
    need("at_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "sha256", "place"),
    of_appliance(),
)
"""Text that was not admitted: where it stood and what was seen in it, and none of the text."""

refusals = Table(
    "refusals",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("site_id", ID),
    Column("appliance_id", ID),
    need("path", CODE),
    need("code", CODE),
    need("message", String(500)),
    need("size_bytes", Integer),
    need("digest", LargeBinary(32)),
    need("at_ms", BigInteger),
    need("unrecorded", Integer),
)
"""Dead letters: what was refused. The sender still has it; here is enough to recognise it by."""

users = Table(
    "users",
    metadata,
    need("name", CODE),
    need("password", String(256)),
    need("created_ms", BigInteger),
    Column("disabled_ms", BigInteger),
    PrimaryKeyConstraint("name"),
)

sessions = Table(
    "sessions",
    metadata,
    need("digest", LargeBinary(32)),
    need("user", CODE),
    need("created_ms", BigInteger),
    need("seen_ms", BigInteger),
    need("expires_ms", BigInteger),
    PrimaryKeyConstraint("digest"),
    ForeignKeyConstraint(["user"], ["users.name"]),
)
"""A session is kept by the SHA-256 of its cookie's token: the table opens no session."""
