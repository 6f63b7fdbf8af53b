"""Argilla's API and web page, with our search engine; one of the processes `serve.py` keeps.

Runs in the server's environment as `python -m scripts.argilla_server.web`, with the settings in
environment variables (see `serve.environment`) and the data folder as its working directory.
"""

import asyncio
import contextlib
import functools
import json
import socket
import sqlite3
import sys
from pathlib import Path

import uvicorn
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from argilla_server import app
from argilla_server.contexts import accounts
from argilla_server.database import ALEMBIC_CONFIG_FILE, AsyncSessionLocal, async_engine
from argilla_server.enums import UserRole
from argilla_server.models import User, Workspace
from argilla_server.models import database as models

from scripts.argilla_server import engine
from scripts.argilla_server.files import CREDENTIALS, DATABASE
from scripts.argilla_server.lifeline import watch

# A crash between a response and its record's status leaves the record open for ever.
_REPAIR_STATUS = """
UPDATE records SET status = 'completed'
WHERE status = 'pending' AND id IN (
    SELECT responses.record_id FROM responses
    JOIN records ON records.id = responses.record_id
    JOIN datasets ON datasets.id = records.dataset_id
    WHERE responses.status = 'submitted'
    GROUP BY responses.record_id
    HAVING count(*) >= json_extract(min(datasets.distribution), '$.min_submitted')
)
"""


def prepare_database(path: Path) -> None:
    """Bring the database to this server's version, and what a crash cut short to an end."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        # Readers don't wait for writers. Every commit is still written through to the disk.
        database.execute("PRAGMA journal_mode = WAL")
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        revision = None
        if "alembic_version" in tables:
            revision = database.execute("SELECT version_num FROM alembic_version").fetchone()
    config = Config(ALEMBIC_CONFIG_FILE)
    newest = ScriptDirectory.from_config(config).get_current_head()
    if revision != (newest,):
        command.upgrade(config, "head")
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(_REPAIR_STATUS)


async def ensure_user(credentials: dict[str, str]) -> None:
    """Make the account and the workspace in the credentials file, or set the account to them."""
    async with AsyncSessionLocal() as session:
        workspace = await Workspace.get_by(session, name=credentials["workspace"])
        if workspace is None:
            workspace = await Workspace.create(session, name=credentials["workspace"])
        user = await User.get_by(session, username=credentials["username"])
        if user is None:
            await User.create(
                session,
                first_name=credentials["username"],
                username=credentials["username"],
                role=UserRole.owner,
                api_key=credentials["api_key"],
                password_hash=accounts.hash_password(credentials["password"]),
                workspaces=[workspace],
            )
        elif user.api_key != credentials["api_key"] or not accounts.verify_password(
            credentials["password"], user.password_hash
        ):
            await user.update(
                session,
                api_key=credentials["api_key"],
                password_hash=accounts.hash_password(credentials["password"]),
            )
    # Its connections belong to this event loop; the server has another.
    await async_engine.dispose()


def cache_validators() -> None:
    """Build the validators of settings once, and not again for every record that is logged.

    Logging records takes a quarter less time with it.
    """
    models.TypeAdapter = functools.lru_cache(models.TypeAdapter)


def main() -> None:
    listening = socket.socket(fileno=int(sys.argv[1]))
    watch(int(sys.argv[2]))
    cache_validators()
    prepare_database(Path(DATABASE))
    asyncio.run(ensure_user(json.loads(Path(CREDENTIALS).read_text(encoding="utf8"))))
    print(f"Argilla with the search engine {engine.ENGINE!r} is ready to serve", flush=True)
    config = uvicorn.Config(app, access_log=False, timeout_graceful_shutdown=5)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
