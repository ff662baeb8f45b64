"""What people said at appliances, and since when an appliance holds orders back."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of words, and the hold beside how far each mirror is."""
    op.create_table(
        "order_words",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("appliance_id", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("by_whom", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("sid", sa.LargeBinary(length=32), nullable=True),
        sa.Column("since_s", sa.BigInteger(), nullable=True),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "appliance_id"],
            ["appliances.site_id", "appliances.appliance_id"],
            name=op.f("fk_order_words_appliances"),
        ),
        sa.PrimaryKeyConstraint("site_id", "appliance_id", "seq", name=op.f("pk_order_words")),
    )
    op.create_index(
        op.f("ix_order_words_site_id_sid"), "order_words", ["site_id", "sid"], unique=False
    )
    op.add_column("order_fetches", sa.Column("held_s", sa.BigInteger(), nullable=True))
