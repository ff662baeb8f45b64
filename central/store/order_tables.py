"""The hub's tables about orders; the same rules as in `central.store.tables`.

| table | who bounds it |
|---|---|
| order_drafts, order_approvals | at most 512 open a site; others a week |
| order_logs, order_leaves, order_checkpoints | the order log: kept as long as the site |
| order_receipts, order_words | folds of evidence, rebuilt from it |
| order_fetches, order_waits | what each appliance last said: one row, and at most 32 |
| order_opinions, order_boxes | at most 64 a site that matter, 32 a person; purged after a week |
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from central.store.tables import (
    CODE,
    ID,
    appliance_column,
    metadata,
    need,
    of_appliance,
    site_column,
)

order_drafts = Table(
    "order_drafts",
    metadata,
    site_column(),
    need("draft", CODE),
    need("batch", CODE),
    Column("appliance_id", ID),
    need("order_type", CODE),
    need("params", Text),
    need("tier", Integer),
    need("people", Integer),
    need("life_s", Integer),
    need("not_before_s", BigInteger),
    need("reason", String(400)),
    need("asked_by", CODE),
    Column("ask", LargeBinary),
    need("asked_ms", BigInteger),
    Column("sid", LargeBinary(32)),
    Column("body", LargeBinary),
    Column("iat_s", BigInteger),
    Column("exp_s", BigInteger),
    Column("refused", CODE),
    Column("ended_by", CODE),
    Column("ended_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "draft"),
    ForeignKeyConstraint(["site_id"], ["sites.site_id"]),
    UniqueConstraint("site_id", "sid"),
    Index(None, "site_id", "batch"),
)
"""What people asked for. The signer fixes `body` and `sid`; `ended_by` withdrew it before it was
logged; `refused` is the signer's answer to it, if that was no."""

order_approvals = Table(
    "order_approvals",
    metadata,
    site_column(),
    need("sid", LargeBinary(32)),
    need("person", CODE),
    need("key_id", CODE),
    need("signature", LargeBinary(64)),
    need("given_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "sid", "person"),
    ForeignKeyConstraint(["site_id"], ["sites.site_id"]),
)
"""Signatures of people over an order's exact bytes, as they gave them."""

order_logs = Table(
    "order_logs",
    metadata,
    site_column(),
    need("size", BigInteger),
    need("peaks", LargeBinary),
    PrimaryKeyConstraint("site_id"),
    ForeignKeyConstraint(["site_id"], ["sites.site_id"]),
)
"""The order log's compact tree, moved only by compare-and-set on its size."""

order_leaves = Table(
    "order_leaves",
    metadata,
    site_column(),
    need("leaf", BigInteger),
    need("sid", LargeBinary(32)),
    need("envelope", LargeBinary),
    need("hash", LargeBinary(32)),
    need("logged_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "leaf"),
    ForeignKeyConstraint(["site_id"], ["sites.site_id"]),
    UniqueConstraint("site_id", "sid"),
)

order_checkpoints = Table(
    "order_checkpoints",
    metadata,
    site_column(),
    need("size", BigInteger),
    need("root", LargeBinary(32)),
    need("note", Text),
    need("signed_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "size"),
    ForeignKeyConstraint(["site_id"], ["sites.site_id"]),
)
"""Signed heads. The primary key is what keeps a second root from one size."""

order_fetches = Table(
    "order_fetches",
    metadata,
    site_column(),
    appliance_column(),
    need("size", BigInteger),
    need("asked_s", BigInteger),
    need("at_ms", BigInteger),
    Column("held_s", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id"),
    of_appliance(),
)
"""How far each appliance's mirror is, and since when it holds orders back, as it last signed."""

order_waits = Table(
    "order_waits",
    metadata,
    site_column(),
    appliance_column(),
    need("leaf", BigInteger),
    need("code", CODE),
    need("until_s", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "leaf"),
    of_appliance(),
)
"""Which orders wait at an appliance, as it last said."""

order_receipts = Table(
    "order_receipts",
    metadata,
    site_column(),
    appliance_column(),
    need("seq", BigInteger),
    need("kind", CODE),
    need("leaf", BigInteger),
    need("leaf_hash", LargeBinary(32)),
    Column("sid", LargeBinary(32)),
    Column("code", CODE),
    Column("deadline_s", BigInteger),
    need("at_s", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "seq"),
    of_appliance(),
    Index(None, "site_id", "leaf"),
)
"""Receipts: `seq` is the evidence leaf; `code` is a result's outcome or a refusal's reason."""

order_words = Table(
    "order_words",
    metadata,
    site_column(),
    appliance_column(),
    need("seq", BigInteger),
    need("what", CODE),
    need("by_whom", CODE),
    need("actor", CODE),
    Column("sid", LargeBinary(32)),
    Column("since_s", BigInteger),
    need("statement", LargeBinary),
    need("at_s", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "seq"),
    of_appliance(),
    Index(None, "site_id", "sid"),
)
"""What people said at an appliance, a fold of its evidence: `seq` is the evidence leaf."""

order_opinions = Table(
    "order_opinions",
    metadata,
    site_column(),
    need("digest", LargeBinary(32)),
    need("kind", CODE),
    Column("sid", LargeBinary(32)),
    Column("appliance_id", ID),
    need("person", CODE),
    need("envelope", LargeBinary),
    need("said_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "digest"),
    ForeignKeyConstraint(["site_id"], ["sites.site_id"]),
)
"""Vetoes and ends of holds that operators signed; one without an appliance is for all."""

order_boxes = Table(
    "order_boxes",
    metadata,
    site_column(),
    appliance_column(),
    need("sha256", LargeBinary(32)),
    need("box", LargeBinary),
    need("received_ms", BigInteger),
    PrimaryKeyConstraint("site_id", "appliance_id", "sha256"),
    of_appliance(),
)
"""Logins sealed to an appliance's own key; the order that uses one names its SHA-256."""
