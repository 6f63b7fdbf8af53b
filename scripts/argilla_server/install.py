"""The server's own environment: made once, and again when its requirements change.

ARGILLA_SERVER_VENV names another place for it, so that several data folders (those of tests, say)
share one; it is made there if it isn't yet.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.argilla_server.files import VENV
from scripts.argilla_server.waiting import progress, waiting_for_lock
from scripts.cli.errors import ProjectError

VENV_VARIABLE = "ARGILLA_SERVER_VENV"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
LOG_LINES = 15


class ServerError(ProjectError):
    """Something the user can do something about; the title says what."""


def ensure_venv(path: Path) -> Path:
    """Make the server's environment, unless it is there and up to date; give its Python.

    A marker file tells an environment of ours from others, which are left alone. It gets the
    requirements' hash last, so an installation that was interrupted is seen and made again.
    Raises ServerError if it can't be made.
    """
    python = path / "bin" / "python"
    marker = path / "requirements.sha256"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()

    def is_ready() -> bool:
        return marker.exists() and marker.read_text().strip() == wanted and python.exists()

    if is_ready():
        return python
    path.parent.mkdir(parents=True, exist_ok=True)
    with waiting_for_lock(path.with_name(f"{path.name}.lock"), "Waiting for an installation"):
        if is_ready():
            return python
        if path.exists() and not marker.exists() and any(path.iterdir()):
            raise ServerError(
                f"{path} was not made by this command. Delete it, or name another folder in "
                f"{VENV_VARIABLE}."
            )
        message = f"Installing the Argilla server into {path} (once; takes a minute or two)"
        with progress(message):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
            marker.write_text("incomplete\n")
            _run([sys.executable, "-m", "venv", str(path)], "make an environment for the server")
            _run(
                [
                    *(str(python), "-m", "pip", "install", "--disable-pip-version-check"),
                    *("--quiet", "--requirement", str(REQUIREMENTS)),
                ],
                "install the Argilla server",
            )
        marker.write_text(wanted + "\n")
    return python


def venv_folder(home: Path) -> Path:
    named = os.environ.get(VENV_VARIABLE)
    return Path(named).expanduser().resolve() if named else home / VENV


def _run(command: list[str], what: str) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if result.returncode:
        lines = (result.stdout + result.stderr).strip().splitlines()
        details = "\n".join(lines[-LOG_LINES:])
        raise ServerError(f"Could not {what}: `{' '.join(command)}` failed.\n{details}")
