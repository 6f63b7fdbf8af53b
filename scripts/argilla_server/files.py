"""The files in the data folder (`.argilla` by default), and locks on them.

Standard library only: both environments use this.
"""

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HOST = "127.0.0.1"
DEFAULT_PORT = 6900  # as in project.yml

CREDENTIALS = "credentials.json"
DATABASE = "argilla.db"
LOG = "server.log"
SECRET = "secret.key"
STATE = "server.json"
TEMPORARY = "tmp"  # emptied at every start
READY = "tmp/ready"  # there as soon as the database is fit for use
VENV = "venv"

# Locks: a free one means that its holder is gone, however that came about.
UNIT_LOCK = "server.lock"  # held by every process of a running server
SUPERVISOR_LOCK = "supervisor.lock"  # held by the one that looks after the others
START_LOCK = "start.lock"  # held while a server is being started


def start_command(url: str) -> str:
    """What starts the server at the address that it had, which its credentials know."""
    port = urlsplit(url).port
    other = f" . --vars.argilla_port {port}" if port not in (None, DEFAULT_PORT) else ""
    return f"weasel run argilla-start{other}"


def backup_folder(home: Path) -> Path:
    """Where backups of a data folder are kept: beside it, so that they outlive it."""
    return home.resolve().parent / "backups"


def backup_name(home: Path, *kind: str, at: str = "") -> str:
    """The name of a backup, by what it is of, what kind of backup it is, and the time.

    at: Instead of now.
    """
    when = at or time.strftime("%Y-%m-%d-%H%M%S")
    return "-".join([home.resolve().name.lstrip("."), *kind, when])


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; whoever reads it sees all of it or nothing."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON file; None if there is none, or it is not readable as such."""
    try:
        content = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def open_lock(path: Path) -> int:
    """Open (or make) a lock file."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int) -> bool:
    """Take a lock; False if somebody else has it. The system drops it when its holders end."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def is_locked(path: Path) -> bool:
    """Whether somebody holds a lock right now."""
    if not path.exists():
        return False
    descriptor = open_lock(path)
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)
