"""Orders: drafts, approvals, the log of each site, receipts, opinions."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables about orders."""
    _approvals()
    _checkpoints()
    _drafts()
    _leaves()
    _logs()
    _opinions()
    _boxes()
    _fetches()
    _receipts()
    _waits()


def _approvals() -> None:
    op.create_table(
        "order_approvals",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("sid", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.Column("given_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.site_id"], name=op.f("fk_order_approvals_sites")
        ),
        sa.PrimaryKeyConstraint("site_id", "sid", "person", name=op.f("pk_order_approvals")),
    )


def _checkpoints() -> None:
    op.create_table(
        "order_checkpoints",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.site_id"], name=op.f("fk_order_checkpoints_sites")
        ),
        sa.PrimaryKeyConstraint("site_id", "size", name=op.f("pk_order_checkpoints")),
    )


def _drafts() -> None:
    op.create_table(
        "order_drafts",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("draft", sa.String(length=64), nullable=False),
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=True),
        sa.Column("order_type", sa.String(length=64), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("life_s", sa.Integer(), nullable=False),
        sa.Column("not_before_s", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("ask", sa.LargeBinary(), nullable=True),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("sid", sa.LargeBinary(length=32), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("iat_s", sa.BigInteger(), nullable=True),
        sa.Column("exp_s", sa.BigInteger(), nullable=True),
        sa.Column("refused", sa.String(length=64), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.site_id"], name=op.f("fk_order_drafts_sites")),
        sa.PrimaryKeyConstraint("site_id", "draft", name=op.f("pk_order_drafts")),
        sa.UniqueConstraint("site_id", "sid", name=op.f("uq_order_drafts_site_id_sid")),
    )
    op.create_index(
        op.f("ix_order_drafts_site_id_batch"), "order_drafts", ["site_id", "batch"], unique=False
    )


def _leaves() -> None:
    op.create_table(
        "order_leaves",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("sid", sa.LargeBinary(length=32), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("logged_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.site_id"], name=op.f("fk_order_leaves_sites")),
        sa.PrimaryKeyConstraint("site_id", "leaf", name=op.f("pk_order_leaves")),
        sa.UniqueConstraint("site_id", "sid", name=op.f("uq_order_leaves_site_id_sid")),
    )


def _logs() -> None:
    op.create_table(
        "order_logs",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.site_id"], name=op.f("fk_order_logs_sites")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_order_logs")),
    )


def _opinions() -> None:
    op.create_table(
        "order_opinions",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("sid", sa.LargeBinary(length=32), nullable=True),
        sa.Column("appliance_id", sa.String(length=16), nullable=True),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("said_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.site_id"], name=op.f("fk_order_opinions_sites")
        ),
        sa.PrimaryKeyConstraint("site_id", "digest", name=op.f("pk_order_opinions")),
    )


def _boxes() -> None:
    op.create_table(
        "order_boxes",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_order_boxes_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", "sha256", name=op.f("pk_order_boxes")),
    )


def _fetches() -> None:
    op.create_table(
        "order_fetches",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("asked_s", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_order_fetches_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", name=op.f("pk_order_fetches")),
    )


def _receipts() -> None:
    op.create_table(
        "order_receipts",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sid", sa.LargeBinary(length=32), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("deadline_s", sa.BigInteger(), nullable=True),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_order_receipts_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", "seq", name=op.f("pk_order_receipts")),
    )
    op.create_index(
        op.f("ix_order_receipts_site_id_leaf"), "order_receipts", ["site_id", "leaf"], unique=False
    )


def _waits() -> None:
    op.create_table(
        "order_waits",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("until_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_order_waits_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", "leaf", name=op.f("pk_order_waits")),
    )
