"""Looking at a database of Argilla's: whether it is sound, which version made it, what it holds."""

import contextlib
import re
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from scripts.argilla_server.files import DATABASE
from scripts.argilla_server.install import ServerError
from scripts.cli.words import count, size

MAGIC = b"SQLite format 3\x00"
LEAST_FREE = 10_000_000  # bytes; with less, the server does not even start
LITTLE_FREE = 500_000_000  # bytes; with less, people are told


class Damaged(Exception):
    """A file that is no sound database of Argilla's; the text says what is wrong with it."""


@dataclass(frozen=True)
class Content:
    """How many data sets, records and submitted answers a database holds."""

    datasets: int
    records: int
    answers: int

    def __str__(self) -> str:
        return (
            f"{count(self.datasets, 'data set')}, {count(self.records, 'record')} and "
            f"{count(self.answers, 'submitted answer')}"
        )


def open_database(path: Path) -> sqlite3.Connection:
    """Open a database that is there; sqlite3.connect would make one that is not."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)


def check(path: Path) -> str:
    """Read all of a database and give its revision, which says the version that made it.

    Raises Damaged.
    """
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if not start:
        raise Damaged("it is empty")
    if start != MAGIC:
        raise Damaged("it is no SQLite database")
    try:
        with contextlib.closing(open_database(path)) as database:
            found = [line for (line,) in database.execute("PRAGMA quick_check(3)")]
            if found != ["ok"]:
                raise Damaged("; ".join(line.replace("\n", " ") for line in found))
            names = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
            if not {"alembic_version", "datasets", "records", "responses"} <= names:
                raise Damaged("it is no database of Argilla's")
            revisions = database.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.OperationalError as error:
        if "full" in str(error) or "locked" in str(error) or "I/O" in str(error):
            raise ServerError(f"Cannot read {path}: {error}.") from None
        raise Damaged(str(error)) from None
    except sqlite3.DatabaseError as error:
        raise Damaged(str(error)) from None
    if len(revisions) != 1:
        raise Damaged("it does not say which version of Argilla made it")
    return revisions[0][0]


def content(database: sqlite3.Connection) -> Content:
    """Count what is in a database."""

    def rows(table: str) -> int:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    return Content(rows("datasets"), rows("records"), rows("responses WHERE status = 'submitted'"))


def revisions(python: Path) -> tuple[set[str], str]:
    """The revisions that the installed server knows, and the newest of them.

    python: of the server's environment.
    """
    folders = python.parent.parent.glob("lib/python*/site-packages/argilla_server/alembic/versions")
    texts = [path.read_text(encoding="utf8") for folder in folders for path in folder.glob("*.py")]
    pattern = r"^{}\s*(?::[^=]*)?=\s*['\"](\w+)"
    known, older = (
        {name for text in texts for name in re.findall(pattern.format(which), text, re.MULTILINE)}
        for which in ("revision", "down_revision")
    )
    (newest,) = known - older
    return known, newest


def check_start(home: Path, python: Path, remedy: str) -> str | None:
    """Look at the database before a start; its revision if the server is going to migrate it.

    remedy: what to do about a damaged one. Raises ServerError: It cannot be used, or the disk is
    full.
    """
    free = free_space(home)
    if free < LEAST_FREE:
        raise ServerError(
            f"The disk of {home} is full ({size(free)} free). Free some space, then run the same "
            "command again: what was labelled is kept."
        )
    path = home / DATABASE
    if not path.exists():
        if path.with_name(f"{DATABASE}-wal").exists():
            raise ServerError(
                f"{path} is gone, but {DATABASE}-wal, which is a part of it, is there.\n{remedy}"
            )
        return None
    try:
        revision = check(path)
    except Damaged as error:
        raise ServerError(f"The database {path} is damaged: {error}.\n{remedy}") from None
    known, newest = revisions(python)
    if revision not in known:
        raise ServerError(
            f"The database {path} was made by a newer Argilla server (revision {revision}; this "
            f"one knows up to {newest}). It was left as it is.\nUse the version of this project "
            "that made it, or restore a backup of before: weasel run argilla-restore"
        )
    return None if revision == newest else revision


def free_space(folder: Path) -> int:
    """Free bytes on the disk of a folder, which need not be there yet."""
    existing = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
    return shutil.disk_usage(existing).free


def stored(home: Path) -> str:
    """How large a data folder's database is, in words."""
    path = home / DATABASE
    files = [path, path.with_name(f"{DATABASE}-wal")]
    return f"its database has {size(sum(f.stat().st_size for f in files if f.exists()))}"
