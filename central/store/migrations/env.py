"""Alembic's entry point: `central.store.migrate` hands it a connection inside a transaction."""

from alembic import context

from central.store import order_tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=order_tables.order_leaves.metadata,
)
context.run_migrations()
