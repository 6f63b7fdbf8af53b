"""Putting a backup in the place of the embedded server's database.

It can be killed at any point and run again. What is checked is a copy beside the database, which
takes its place by being renamed; what was there before is a backup of its own by then.
"""

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.argilla_server import backup, text_index
from scripts.argilla_server.database import (
    Content,
    Damaged,
    check,
    content,
    open_database,
    revisions,
)
from scripts.argilla_server.files import (
    DATABASE,
    START_LOCK,
    UNIT_LOCK,
    backup_folder,
    backup_name,
    is_locked,
    write_private,
)
from scripts.argilla_server.install import ServerError, ensure_venv, venv_folder
from scripts.argilla_server.manage import make_home
from scripts.argilla_server.redis_process import DATA
from scripts.argilla_server.waiting import waiting_for_lock

STAGED = f"{DATABASE}.restored"
BESIDE = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a database


@dataclass(frozen=True)
class Staged:
    """A backup that was found to be good."""

    content: Content
    files: dict[str, str]


def look_at(path: Path, home: Path) -> Content:
    """Check a backup without changing anything.

    RAISES (ServerError): It is none, it is damaged, or a newer server made it.
    """
    with _alone(home, path):
        try:
            return _stage(path, home.resolve()).content
        finally:
            (home / STAGED).unlink(missing_ok=True)


def restore(path: Path, home: Path) -> tuple[Staged, Path | None]:
    """Put a backup in the database's place; the server is not running.

    Gives what was put there and where what was there before is kept, if there was anything.
    RAISES (ServerError): As `look_at`, or the server runs.
    """
    home = home.resolve()
    with _alone(home, path):
        if is_locked(home / UNIT_LOCK):
            raise ServerError("The server runs.", "Stop it first: weasel run argilla-stop")
        staged = _stage(path, home)
        kept = _keep(home)
        for name, text in staged.files.items():
            write_private(home / name, text)
        os.replace(home / STAGED, home / DATABASE)
        backup.sync(home)
        # Jobs of the database that was replaced.
        shutil.rmtree(home / DATA, ignore_errors=True)
    return staged, kept


@contextlib.contextmanager
def _alone(home: Path, path: Path) -> Iterator[None]:
    """While no other command starts, backs up or restores the server of a data folder."""
    if not path.is_file():
        raise ServerError(f"There is no backup {path}.", "Give the path of a backup file.")
    make_home(home)
    with waiting_for_lock(home / START_LOCK, "Another command is at work on the server: waiting"):
        yield


def _stage(path: Path, home: Path) -> Staged:
    """Copy a backup beside the database, and check the copy: that is what will be used."""
    staged = home / STAGED
    python = ensure_venv(venv_folder(home))
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise Damaged("it is empty")
        backup.copy(path, staged, f"Checking {path.name}")
        revision = check(staged)
        known, newest = revisions(python)
        if revision not in known:
            raise ServerError(
                f"{path} was made by a newer Argilla server: revision {revision}, and this one "
                f"knows up to {newest}.",
                "Nothing was changed. Use the version of this project that made it.",
            )
        with contextlib.closing(open_database(staged)) as database:
            files = _take_files(database)
            _check_index(database)
            return Staged(content(database), files)
    except (Damaged, sqlite3.DatabaseError) as error:
        staged.unlink(missing_ok=True)
        raise ServerError(
            f"{path} cannot be restored: {error}.",
            "Nothing was changed. Restore another backup: weasel run argilla-restore . "
            "--vars.backup FILE",
        ) from None
    except BaseException:
        staged.unlink(missing_ok=True)
        raise


def _take_files(database: sqlite3.Connection) -> dict[str, str]:
    """Take the files out of a backup; there are none in a database of Argilla's that is none."""
    with contextlib.suppress(sqlite3.OperationalError):
        files = dict(database.execute(f"SELECT name, content FROM {backup.TABLE}").fetchall())
        with database:
            database.execute(f"DROP TABLE {backup.TABLE}")
        return {name: text for name, text in files.items() if name in backup.FILES}
    return {}


def _check_index(database: sqlite3.Connection) -> None:
    """Drop a text index that is not as it should be; the server makes it again when it starts."""
    table = text_index.TABLE
    try:
        with database:
            database.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
            missing = (
                f"SELECT count(*) FROM records LEFT JOIN {table}_docsize "
                f"ON {table}_docsize.id = records.rowid WHERE {table}_docsize.id IS NULL"
            )
            if not database.execute(missing).fetchone()[0]:
                return
    except sqlite3.DatabaseError:
        pass
    with database:
        text_index.drop(database)


def _keep(home: Path) -> Path | None:
    """Keep the database that is there as a backup, and leave nothing beside it.

    A WAL file that stayed would be applied to the database that is put there.
    """
    path = home / DATABASE
    beside = [path.with_name(f"{DATABASE}{ending}") for ending in BESIDE]
    if not any(file.exists() for file in (path, *beside)):
        return None
    try:
        check(path)
    except (Damaged, FileNotFoundError):
        # As it is, in a folder of its own.
        kept = backup_folder(home) / backup_name(home, "damaged", at=str(time.time_ns()))
        kept.mkdir(mode=0o700, parents=True)
        for file in (path, *beside, *(home / name for name in backup.FILES)):
            if file.exists():
                shutil.copy2(file, kept / file.name)
        backup.sync(kept)
    else:
        kept, _ = backup.copy_out(home, None, "replaced")
        try:
            with contextlib.closing(open_database(path)) as database:
                database.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            raise ServerError(
                f"Another program has {path} open ({error}).", "Close it. Nothing was replaced."
            ) from None
    for file in beside:
        file.unlink(missing_ok=True)
    return kept
