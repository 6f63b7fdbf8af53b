"""One command at a time changes the loop's data set."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from scripts.cli.console import msg
from scripts.cli.errors import ProjectError

PATIENCE = 600.0  # seconds; a change of labels copies all records


@contextmanager
def lease(folder: Path, what: str, wait: float = PATIENCE) -> Iterator[None]:
    """Hold the prepared data in a folder, so that no other command changes what belongs to it. The
    system takes the lease back from a process that was killed. A process may take it again.

    what: Who holds it, for the others' messages. wait: Seconds to wait for others.
    RAISES (ProjectError): Another process still holds it then.
    """
    with _hold(folder / ".step.lock", what, wait):
        yield


@contextmanager
def only_one(folder: Path, what: str) -> Iterator[None]:
    """The same for a command of which one may run at a time, while others come in between.

    RAISES (ProjectError): It runs already.
    """
    with _hold(folder / f".{what}.lock", what, 0):
        yield


@contextmanager
def _hold(path: Path, what: str, wait: float) -> Iterator[None]:
    lock = FileLock(path, is_singleton=True)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if not wait:
                raise
            msg.info(f"{_holder(path)} is at work on {path.parent}: waiting for it")
            lock.acquire(timeout=wait)
    except Timeout:
        raise ProjectError(
            f"{_holder(path)} is at work on {path.parent} already; nothing was changed.",
            "Leave it to it, or end it first: Ctrl+C where it runs.",
        ) from None
    try:
        path.write_text(f"`weasel run {what}` (process {os.getpid()})")
        yield
    finally:
        lock.release()


def _holder(path: Path) -> str:
    """As the process that holds it has written down."""
    with suppress(OSError):  # it may just have ended
        return path.read_text() or "Another command"
    return "Another command"
