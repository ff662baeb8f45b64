"""The keys of appliances that renewed theirs."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of keys."""
    op.create_table(
        "appliance_keys",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("ed25519", sa.LargeBinary(length=32), nullable=False),
        sa.Column("x25519", sa.LargeBinary(length=32), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_appliance_keys_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", "leaf", name=op.f("pk_appliance_keys")),
        sa.UniqueConstraint("ed25519", name=op.f("uq_appliance_keys_ed25519")),
    )
