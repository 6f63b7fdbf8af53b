"""Waiting for a server, a lock or a long piece of work, and saying so."""

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from scripts.argilla_server.files import open_lock, try_lock
from scripts.cli.console import msg


def wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; False if it did not come true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


@contextlib.contextmanager
def waiting_for_lock(path: Path, message: str) -> Iterator[None]:
    descriptor = open_lock(path)
    try:
        if not try_lock(descriptor):
            msg.info(message)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def progress(message: str) -> Iterator[None]:
    """Show that something is going on: a spinner for people, a line for logs."""
    if sys.stdout.isatty():
        with msg.loading(f"{message} ..."):
            yield
    else:
        msg.text(f"{message} ...")
        yield
