"""Alembic's entry point: `central.store.migrate` hands it a connection inside a transaction."""

from alembic import context

from central.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
