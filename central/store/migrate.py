"""Migrations: the schema is brought to head before anything is served, and readiness asks for it.

A hub that runs on another schema than its own answers wrongly and politely; so it does not answer.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from central.store.engine import Store
from proto.errors import IntegrityError

_MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaAheadError(IntegrityError):
    """The store was written by a newer hub; an older one must not touch it."""

    code = "schema_ahead"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def head_revision() -> str:
    """Return the revision that this program's tables are at."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return str(head)


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def current_revision(store: Store) -> str | None:
    """Return the revision the store is at; None for an empty one."""
    async with store.read() as connection:
        return await connection.run_sync(_current)


async def is_at_head(store: Store) -> bool:
    """Tell whether the store's schema is exactly this program's."""
    return await current_revision(store) == head_revision()


async def migrate(store: Store, *, to: str = "head") -> str:
    """Bring the store forward, all in one transaction, and return its revision.

    Raises:
        SchemaAheadError: the store is at a revision that this program does not know.
    """

    def run(connection: Connection) -> None:
        config = _config()
        known = {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}
        found = _current(connection)
        if found is not None and found not in known:
            msg = f"store: is at revision {found}, which this version of Osiris does not know"
            raise SchemaAheadError(msg)
        config.attributes["connection"] = connection
        command.upgrade(config, to)

    async with store.write() as connection:
        await connection.run_sync(run)
    return str(await current_revision(store))
