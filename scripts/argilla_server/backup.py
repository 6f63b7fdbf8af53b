"""Backups of the embedded server: one SQLite file each, made while the server runs.

A backup is a copy of the database as it was at one moment, with one more table that holds the
files without which the same password, API key and sessions would not work. What Redis holds
(webhooks that are still to be sent) is not in it, nor is anything that can be made again.
"""

import contextlib
import os
import shlex
import sqlite3
import time
from pathlib import Path

from tqdm import tqdm

from scripts.argilla_server.database import (
    Content,
    Damaged,
    check,
    content,
    open_database,
)
from scripts.argilla_server.files import (
    CREDENTIALS,
    DATABASE,
    SECRET,
    START_LOCK,
    backup_folder,
    backup_name,
)
from scripts.argilla_server.install import ServerError
from scripts.argilla_server.waiting import waiting_for_lock
from scripts.cli.words import size

FILES = (CREDENTIALS, SECRET)  # readable by their owner alone, and so is a backup
TABLE = "weasel_backup"
PAGES = 2000  # copied at once


def newest(home: Path) -> Path | None:
    """The newest backup that `argilla-backup` has made; not what a restore has replaced, or to
    restore once more would undo it."""
    pattern = f"{backup_name(home, at='????-??-??-??????')}.db"
    return max(backup_folder(home).glob(pattern), default=None)


def remedy(home: Path) -> str:
    """What to do where the database cannot be used."""
    found = newest(home)
    kept = "It was left as it is. "
    if found is None:
        return (
            f"{kept}There is no backup in {backup_folder(home)}; restore one from elsewhere:\n"
            "weasel run argilla-restore . --vars.backup FILE"
        )
    return f"{kept}Restore the newest backup:\n{restore_command(found)}"


def restore_command(path: Path) -> str:
    """What to type to restore a backup; its path from here, as far as it lies below."""
    here = Path.cwd()
    shown = path.resolve().relative_to(here) if path.resolve().is_relative_to(here) else path
    return f"weasel run argilla-restore . --vars.backup {shlex.quote(str(shown))}"


def back_up(home: Path, path: Path | None = None) -> tuple[Path, Content]:
    """Write a backup (by default to `backup_folder`, named by the time) and check what was written.

    All that was acknowledged before is in it, whoever writes in the meantime. RAISES (ServerError):
    There is nothing to back up, the database is damaged, or there is no room.
    """
    home = home.resolve()
    if not (home / DATABASE).exists():
        raise ServerError(f"There is no database in {home}.", "Nothing to back up.")
    # Neither restored nor migrated in the meantime.
    with waiting_for_lock(home / START_LOCK, "Another command is at work on the server: waiting"):
        return copy_out(home, path)


def copy_out(home: Path, path: Path | None, *kind: str) -> tuple[Path, Content]:
    """`back_up` for who holds the lock; kind is a part of the file's name."""
    if path is None:
        backup_folder(home).mkdir(mode=0o700, exist_ok=True)
        path = _free_name(home, *kind)
    elif path.exists():
        raise ServerError(f"There is a file {path} already.", "Give another name.")
    elif not path.parent.is_dir():
        raise ServerError(f"There is no folder {path.parent}.", "Make it, or give another path.")
    partial = path.with_name(f".{path.name}.partial")
    try:
        copy(home / DATABASE, partial, f"Writing {path.name}")
        with contextlib.closing(open_database(partial)) as database, database:
            database.execute(f"DROP TABLE IF EXISTS {TABLE}")  # of a backup put there by hand
            database.execute(f"CREATE TABLE {TABLE} (name TEXT PRIMARY KEY, content TEXT)")
            database.executemany(
                f"INSERT INTO {TABLE} VALUES (?, ?)",
                [(n, (home / n).read_text("utf8")) for n in FILES if (home / n).exists()],
            )
        check(partial)
        with contextlib.closing(open_database(partial)) as database:
            found = content(database)
        os.replace(partial, path)
        sync(path.parent)
    except Damaged as error:
        raise ServerError(
            f"The database {home / DATABASE} is damaged: {error}.", remedy(home)
        ) from None
    finally:
        partial.unlink(missing_ok=True)
    return path, found


def copy(source: Path, target: Path, what: str) -> None:
    """Copy a database, with what its WAL file holds, into a single file that is private.

    Raises Damaged; ServerError if there is no room.
    """
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with (
            contextlib.closing(open_database(source)) as database,
            contextlib.closing(open_database(target)) as copied,
        ):
            # Of one moment: SQLite begins again where somebody writes while it copies, unless the
            # pages are read within one transaction.
            database.execute("BEGIN")
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            with tqdm(desc=what, unit=" pages", leave=False, disable=None) as bar:

                def show(status: int, remaining: int, total: int) -> None:
                    bar.total = total
                    bar.update(total - remaining - bar.n)

                database.backup(copied, pages=PAGES, progress=show, sleep=0.01)
            copied.execute("PRAGMA journal_mode = DELETE")  # one file
    except sqlite3.OperationalError as error:
        if "full" in str(error) or "I/O" in str(error):
            raise ServerError(
                f"No room for {target} ({size(source.stat().st_size)}): {error}.",
                "Free some space, then run the same command again.",
            ) from None
        raise Damaged(str(error)) from None
    except sqlite3.DatabaseError as error:
        raise Damaged(str(error)) from None


def sync(path: Path) -> None:
    """Have a folder's new names written through to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _free_name(home: Path, *kind: str) -> Path:
    while True:
        path = backup_folder(home) / f"{backup_name(home, *kind)}.db"
        if not path.exists():
            return path
        time.sleep(0.2)
