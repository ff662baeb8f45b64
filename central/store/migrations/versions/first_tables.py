"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table; tables that others refer to come first."""
    _refusals()
    _sites()
    _users()
    _appliances()
    _claims()
    _sessions()
    _checkpoints()
    _conditions()
    _findings()
    _full_states()
    _heads()
    _heals()
    _turns()
    _incidents()
    _leaves()
    _reported_health()
    _targets()
    _details()
    _devices()
    _device_lists()
    _quarantine()


def _refusals() -> None:
    op.create_table(
        "refusals",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.String(length=16), nullable=True),
        sa.Column("appliance_id", sa.String(length=16), nullable=True),
        sa.Column("path", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("unrecorded", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_refusals")),
    )


def _sites() -> None:
    op.create_table(
        "sites",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_sites")),
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("password", sa.String(length=256), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("disabled_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_users")),
    )


def _appliances() -> None:
    op.create_table(
        "appliances",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("ed25519", sa.LargeBinary(length=32), nullable=False),
        sa.Column("x25519", sa.LargeBinary(length=32), nullable=False),
        sa.Column("enrolled_ms", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_ms", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_by", sa.String(length=64), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_ms", sa.BigInteger(), nullable=True),
        sa.Column("as_of_s", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.LargeBinary(length=32), nullable=False),
        sa.Column("next_s", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.site_id"], name=op.f("fk_appliances_sites")),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", name=op.f("pk_appliances")),
        sa.UniqueConstraint("appliance_id", name=op.f("uq_appliances_appliance_id")),
        sa.UniqueConstraint("ed25519", name=op.f("uq_appliances_ed25519")),
    )


def _claims() -> None:
    op.create_table(
        "claims",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("claim", sa.LargeBinary(length=16), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_by", sa.String(length=16), nullable=True),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.Column("proof_digest", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.site_id"], name=op.f("fk_claims_sites")),
        sa.PrimaryKeyConstraint("site_id", "claim", name=op.f("pk_claims")),
        sa.UniqueConstraint("claim", name=op.f("uq_claims_claim")),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.name"], name=op.f("fk_sessions_users")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
    )


def _checkpoints() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("cosigned_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_checkpoints_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", "size", name=op.f("pk_checkpoints")),
    )


def _conditions() -> None:
    op.create_table(
        "conditions",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("cleared_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_conditions_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", "code", name=op.f("pk_conditions")),
    )


def _findings() -> None:
    op.create_table(
        "findings",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column("check_id", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("since_s", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_findings_appliances"),
        ),
        sa.PrimaryKeyConstraint(
            "site_id", "appliance_id", "target", "check_id", name=op.f("pk_findings")
        ),
    )


def _full_states() -> None:
    op.create_table(
        "full_states",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_full_states_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", name=op.f("pk_full_states")),
    )


def _heads() -> None:
    op.create_table(
        "heads",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_heads_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", name=op.f("pk_heads")),
    )


def _heals() -> None:
    op.create_table(
        "heals",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("incident", sa.String(length=16), nullable=False),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column("check_id", sa.String(length=64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("runbook", sa.String(length=64), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("before_verdict", sa.String(length=64), nullable=False),
        sa.Column("before_reason", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("changed", sa.Boolean(), nullable=False),
        sa.Column("after_verdict", sa.String(length=64), nullable=False),
        sa.Column("after_reason", sa.String(length=64), nullable=True),
        sa.Column("result", sa.String(length=64), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_heals_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", "leaf", name=op.f("pk_heals")),
    )
    op.create_index(
        op.f("ix_heals_site_id_appliance_id_incident"),
        "heals",
        ["site_id", "appliance_id", "incident"],
        unique=False,
    )


def _turns() -> None:
    op.create_table(
        "turns",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("incident", sa.String(length=16), nullable=False),
        sa.Column("turn", sa.String(length=64), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=True),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_turns_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", "leaf", name=op.f("pk_turns")),
    )
    op.create_index(
        op.f("ix_turns_site_id_appliance_id_incident"),
        "turns",
        ["site_id", "appliance_id", "incident"],
        unique=False,
    )


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("incident", sa.String(length=16), nullable=False),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column("check_id", sa.String(length=64), nullable=False),
        sa.Column("platform", sa.String(length=64), nullable=True),
        sa.Column("severity", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=True),
        sa.Column("actor", sa.String(length=64), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("runbook", sa.String(length=64), nullable=True),
        sa.Column("rule", sa.String(length=64), nullable=True),
        sa.Column("result", sa.String(length=64), nullable=True),
        sa.Column("opened_s", sa.BigInteger(), nullable=False),
        sa.Column("updated_s", sa.BigInteger(), nullable=False),
        sa.Column("closed_s", sa.BigInteger(), nullable=True),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("heal_leaf", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_incidents_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", "incident", name=op.f("pk_incidents")),
    )
    op.create_index(
        op.f("ix_incidents_site_id_state"), "incidents", ["site_id", "state"], unique=False
    )


def _leaves() -> None:
    op.create_table(
        "leaves",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_leaves_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", "leaf", name=op.f("pk_leaves")),
    )


def _reported_health() -> None:
    op.create_table(
        "reported_health",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_reported_health_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", "code", name=op.f("pk_reported_health")),
    )


def _targets() -> None:
    op.create_table(
        "targets",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column("platform", sa.String(length=64), nullable=True),
        sa.Column("device_class", sa.String(length=64), nullable=True),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_targets_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", "target", name=op.f("pk_targets")),
    )


def _details() -> None:
    op.create_table(
        "details",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.String(length=64), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id", "leaf"],
            ["leaves.site_id", "leaves.appliance_id", "leaves.leaf"],
            name=op.f("fk_details_leaves"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", "leaf", "part", name=op.f("pk_details")),
    )


def _devices() -> None:
    op.create_table(
        "devices",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("device_class", sa.String(length=64), nullable=False),
        sa.Column("off_limits", sa.Boolean(), nullable=False),
        sa.Column("label", sa.String(length=320), nullable=True),
        sa.Column("name", sa.String(length=320), nullable=True),
        sa.Column("vendor", sa.String(length=320), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_devices_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", "device", name=op.f("pk_devices")),
    )


def _device_lists() -> None:
    op.create_table(
        "device_lists",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_device_lists_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", name=op.f("pk_device_lists")),
    )


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("forms", sa.String(length=500), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_quarantine_appliances"),
        ),
        sa.PrimaryKeyConstraint(
            "site_id", "appliance_id", "sha256", "place", name=op.f("pk_quarantine")
        ),
    )
