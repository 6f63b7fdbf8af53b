"""Plain error messages: what a user can mend ends in one message, never in a traceback."""

import errno
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


def first_line(err: BaseException) -> str:
    """What a library says of a damaged file, as far as it is of use to a person."""
    lines = str(err.__cause__ or err).splitlines()
    return lines[0] if lines else type(err).__name__


# What to do where the system refuses a file or a folder.
_REMEDIES = {
    errno.EACCES: "Change its permissions, or use another folder.",
    errno.EPERM: "Change its permissions, or use another folder.",
    errno.EROFS: "Use a folder on another disk.",
    errno.EEXIST: "A folder is needed there: move the file away.",
    errno.ENOTDIR: "A folder is needed there: move the file away.",
    errno.EISDIR: "A file is needed there: move the folder away, or give the path of a file.",
    errno.ENOENT: "Make it, or give another path.",
    errno.ENOSPC: "Free some space, then run the same command again.",
    errno.EDQUOT: "Free some space, then run the same command again.",
}


@contextmanager
def plain_errors() -> Iterator[None]:
    """Print a ProjectError, or what the system says of a file, and leave with exit code 1."""
    try:
        yield
    except ProjectError as err:
        msg.fail(err.title, err.hint, exits=1)
    except OSError as err:
        # Errors of the network are OSErrors too, without any of these numbers.
        if err.errno not in _REMEDIES or (err.filename is None and err.errno != errno.ENOSPC):
            raise
        where = f"{err.filename}: " if err.filename is not None else ""
        msg.fail(f"{where}{err.strerror}", _REMEDIES[err.errno], exits=1)
    except KeyboardInterrupt:
        # Every push is an upsert, so a step that was interrupted can be run again.
        msg.warn("Interrupted. Nothing is lost: run the same command again to go on.", exits=130)


def output_of(command: Sequence[str], failed: str, **options: Any) -> str:
    """What a program prints; `options` are those of subprocess.run.

    RAISES (ProjectError): It fails. failed: what that means, in one line.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise ProjectError(failed, (done.stdout + done.stderr).strip()[-2000:])
    return done.stdout
