"""Plain error messages: what a user can mend ends in one message, never in a traceback."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from scripts.cli.console import msg


class ProjectError(Exception):
    """Something the user can put right.

    title: what is wrong, in one line. hint: what to do next.
    """

    def __init__(self, title: str, hint: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.hint = hint


@contextmanager
def plain_errors() -> Iterator[None]:
    """Print a ProjectError and leave with exit code 1."""
    try:
        yield
    except ProjectError as err:
        msg.fail(err.title, err.hint, exits=1)
    except KeyboardInterrupt:
        # Every push is an upsert, so a step that was interrupted can be run again.
        msg.warn("Interrupted. Nothing is lost: run the same command again to go on.", exits=130)


def output_of(command: Sequence[str], failed: str, **options: Any) -> str:
    """What a program prints; `options` are those of subprocess.run.

    RAISES (ProjectError): It fails. failed: what that means, in one line.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise ProjectError(failed, done.stderr.strip()[-2000:])
    return done.stdout
