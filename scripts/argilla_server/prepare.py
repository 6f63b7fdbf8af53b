"""Makes the database fit for use before the web server starts, and the account to sign in with.

Import `server_app.import_app()` first.
"""

import asyncio
import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from argilla_server.contexts import accounts
from argilla_server.database import ALEMBIC_CONFIG_FILE, AsyncSessionLocal, async_engine
from argilla_server.enums import UserRole
from argilla_server.models import User, Workspace
from argilla_server.settings import settings

from scripts.argilla_server import text_index
from scripts.argilla_server.files import backup_folder, backup_name

# A server that was killed can leave a record's status behind its responses, which are the truth.
# (The plus makes SQLite look responses up by record, and not by status.)
_REPAIR_STATUS = """
UPDATE records
SET status = CASE status WHEN 'completed' THEN 'pending' ELSE 'completed' END
WHERE (status = 'completed') <> (
    (SELECT count(*) FROM responses
     WHERE responses.record_id = records.id AND +responses.status = 'submitted')
    >= (SELECT json_extract(datasets.distribution, '$.min_submitted') FROM datasets
        WHERE datasets.id = records.dataset_id)
)
"""


def prepare_database(path: Path) -> None:
    """Bring the database to this server's version, and what a crash cut short to an end.

    Raises sqlite3.DatabaseError if the file is no database, CommandError if a newer server
    made it.
    """
    newest = ScriptDirectory.from_config(Config(ALEMBIC_CONFIG_FILE)).get_current_head()
    revision = None
    if path.exists():
        with contextlib.closing(sqlite3.connect(path)) as database:
            (revision,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    if revision != newest:
        migrate(path, revision)
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        # Readers don't wait for writers. Every commit is still written through to the disk.
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(_REPAIR_STATUS)
        text_index.ensure(database)


def migrate(path: Path, revision: str | None) -> None:
    """Migrate a copy and put it in place when it is done; a database of before is kept.

    Argilla's migrations can't be taken up again where they were cut short. revision: of the
    database, None if there is none yet.
    """
    copy = path.with_name(f"{path.name}.new")
    copy.unlink(missing_ok=True)
    if revision is not None:
        with contextlib.closing(sqlite3.connect(path)) as database:
            # All of it into the one file: what is beside it would not fit the new one.
            database.execute("PRAGMA journal_mode = DELETE")
            with contextlib.closing(sqlite3.connect(copy)) as target:
                database.backup(target)
                with target:
                    text_index.drop(target)
    url = settings.database_url
    settings.database_url = url.replace(path.name, copy.name)
    try:
        command.upgrade(Config(ALEMBIC_CONFIG_FILE), "head")
    finally:
        settings.database_url = url
    if revision is not None:
        keep(path, revision)
    os.replace(copy, path)


def keep(path: Path, revision: str) -> None:
    """Keep a database of before as a backup, under its revision, in the folder of backups."""
    home = path.resolve().parent
    backup_folder(home).mkdir(mode=0o700, exist_ok=True)
    kept = backup_folder(home) / f"{backup_name(home, revision)}.db"
    partial = kept.with_name(f".{kept.name}.partial")
    shutil.copy2(path, partial)
    os.replace(partial, kept)


def ensure_user(credentials: dict[str, str]) -> None:
    """Make the account and the workspace in the credentials file, or set the account to them."""
    asyncio.run(_ensure_user(credentials))


async def _ensure_user(credentials: dict[str, str]) -> None:
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
