"""Start, stop and look at the embedded Argilla server, from the project's environment.

Everything it keeps is in one folder (`.argilla` by default): the environment of the server
(`venv/`), the database, the log, and `credentials.json`, which only its owner can read. The
account named in that file is set to the password and API key in it whenever the server starts.
"""

import contextlib
import errno
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from scripts.argilla_server.backup import remedy
from scripts.argilla_server.database import check_start
from scripts.argilla_server.files import (
    CREDENTIALS,
    DEFAULT_PORT,
    HOST,
    LOG,
    SECRET,
    START_LOCK,
    STATE,
    SUPERVISOR_LOCK,
    UNIT_LOCK,
    VENV,
    backup_folder,
    is_locked,
    read_json,
    write_private,
)
from scripts.argilla_server.install import (
    LOG_LINES,
    ServerError,
    ensure_venv,
    venv_folder,
)
from scripts.argilla_server.redis_process import ask_redis, socket_path
from scripts.argilla_server.waiting import progress, wait, waiting_for_lock
from scripts.cli.console import msg

USERNAME = WORKSPACE = "argilla"
PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 180
STOP_SECONDS = 45
MAX_LOG_BYTES = 5_000_000


@dataclass(frozen=True)
class Credentials:
    """How to reach the server and sign in."""

    api_url: str
    username: str
    password: str
    api_key: str
    workspace: str


@dataclass(frozen=True)
class Status:
    """What the server is doing; `url` and `pid` are known unless it is stopped."""

    state: Literal["running", "unhealthy", "stopped"]
    url: str | None = None
    pid: int | None = None


def read_credentials(home: Path) -> Credentials | None:
    """Read a data folder's credentials; None if it has none yet."""
    content = read_json(home / CREDENTIALS)
    try:
        return Credentials(**content) if content else None
    except TypeError:
        return None


def status(home: Path) -> Status:
    """Say whether the server of a data folder runs, and whether it answers."""
    home = home.resolve()
    if not is_locked(home / UNIT_LOCK):
        return Status("stopped")
    state = read_json(home / STATE)
    if state is None or not is_locked(home / SUPERVISOR_LOCK):  # its last processes are ending
        return Status("unhealthy")
    healthy = _instance_at(state["port"]) == state["instance"]
    return Status("running" if healthy else "unhealthy", _url(state["port"]), state["pid"])


def start(home: Path, port: int = DEFAULT_PORT) -> Credentials:
    """Start the server, unless it runs already, and wait until it answers.

    Raises ServerError if it can't be started.
    """
    home = home.resolve()
    make_home(home)
    with waiting_for_lock(home / START_LOCK, "Another command is starting the server: waiting"):
        running = _running(home)
        if running is not None:
            if running.api_url != _url(port):
                msg.warn(f"The server already runs, and not on port {port}: stop it to change that")
            return running
        _check_port(port)
        python = ensure_venv(venv_folder(home))
        older = check_start(home, python, remedy(home))
        if older is not None:
            msg.info(
                f"An older Argilla server made the database (revision {older}). It is brought up "
                f"to date; as it was before, it is kept in {backup_folder(home)}"
            )
        credentials = _prepare_home(home, port)
        _launch(home, port, python)
    return credentials


def running_port(home: Path) -> int | None:
    """The port of a server that runs, whether it answers or not; None if it is stopped."""
    url = status(home).url
    return int(url.rsplit(":", 1)[1]) if url else None


def stop(home: Path) -> bool:
    """Stop the server and wait until all of it is gone; False if it did not run.

    Raises ServerError if it can't be stopped.
    """
    home = home.resolve()
    if not is_locked(home / UNIT_LOCK):
        return False
    with progress("Stopping the server"):
        for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 15)):
            state = read_json(home / STATE)
            if state is not None and is_locked(home / SUPERVISOR_LOCK):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(state["pid"], number)
            if _wait_until_gone(home, seconds):
                return True
    raise ServerError(f"The server does not stop. Its log: {home / LOG}")


def make_home(home: Path) -> None:
    """Make the data folder, private to its owner; don't take over a folder of something else."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = {path.name for path in home.iterdir()}
        if content and not content & {START_LOCK, CREDENTIALS, VENV, f"{VENV}.lock"}:
            raise ServerError(
                f"{home} holds other files. Name a folder for the server's data: `--home .argilla`"
            )
        home.chmod(0o700)
    except OSError as error:
        raise ServerError(f"Cannot keep data in {home}: {error.strerror}.") from None


def _prepare_home(home: Path, port: int) -> Credentials:
    """Make what a first start needs, and keep what is there."""
    if not (home / SECRET).exists():
        write_private(home / SECRET, secrets.token_hex(32) + "\n")
    credentials = read_credentials(home)
    if credentials is None and (home / CREDENTIALS).exists():
        raise ServerError(
            f"{home / CREDENTIALS} is not readable. Correct it, or delete it to get new ones."
        )
    if credentials is None:
        credentials = Credentials(
            api_url=_url(port),
            username=USERNAME,
            password=secrets.token_urlsafe(12),
            api_key=secrets.token_urlsafe(48),
            workspace=WORKSPACE,
        )
    credentials = replace(credentials, api_url=_url(port))
    write_private(home / CREDENTIALS, json.dumps(asdict(credentials), indent=2) + "\n")
    return credentials


def _running(home: Path) -> Credentials | None:
    """Give the credentials if the server runs; wait for one that is on its way up or down."""
    if not is_locked(home / UNIT_LOCK):
        return None

    found = status(home)
    if found.state == "unhealthy":
        with progress("The server runs but does not answer: waiting"):
            end = time.monotonic() + START_SECONDS
            while found.state == "unhealthy" and time.monotonic() < end:
                _wait_until_gone(home, 0.5)
                found = status(home)
    if found.state == "stopped":
        return None
    credentials = read_credentials(home)
    if found.state == "unhealthy" or credentials is None or found.url is None:
        raise ServerError(
            f"The server runs (process {found.pid}) but does not answer. Stop it and start it "
            f"again. Its log: {home / LOG}"
        )
    return replace(credentials, api_url=found.url)


def _check_port(port: int) -> None:
    """Raise ServerError if somebody else listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            return
        except (OSError, OverflowError) as error:
            if not isinstance(error, OSError) or error.errno != errno.EADDRINUSE:
                raise ServerError(f"Cannot listen on port {port}: {error}.") from None
    who = "another program"
    if _instance_at(port) is not None:
        who = "an Argilla server with another data folder"
    raise ServerError(
        f"Port {port} is used by {who}. Choose another one: `--port 6901`, or in the project "
        "`--vars.argilla_port 6901`."
    )


def _launch(home: Path, port: int, python: Path) -> None:
    log = home / LOG
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    instance = secrets.token_hex(16)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a") as output:
        begin = output.tell()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        process = subprocess.Popen(
            [
                *(str(python), "-m", "scripts.argilla_server.serve"),
                *(str(home), str(port), instance),
            ],
            cwd=home,
            env=environment | {"PYTHONPATH": str(PROJECT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # The server outlives the command, and Ctrl-C does not reach it.
            start_new_session=True,
        )

    def settled() -> bool:
        return process.poll() is not None or _instance_at(port) == instance

    with progress("Starting the Argilla server"):
        try:
            answered = wait(settled, START_SECONDS) and process.poll() is None
        except KeyboardInterrupt:
            process.terminate()
            raise
    if answered:
        return
    if process.poll() is None:
        process.terminate()
    with log.open(encoding="utf8", errors="replace") as lines:
        lines.seek(begin)
        details = "".join(lines.readlines()[-LOG_LINES:])
    raise ServerError(f"The server did not start. The end of its log ({log}):\n{details}")


def _instance_at(port: int) -> str | None:
    """Ask what listens on a port which of our servers it is; None if it is none, or silent."""
    # Not through a proxy, whatever the environment says: it is on this machine.
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/api/v1/status")
        content: Any = json.loads(connection.getresponse().read())
        return content["search_engine"]["instance"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"


def _wait_until_gone(home: Path, seconds: float) -> bool:
    """Wait until nothing is left of a server that is ending; False if it takes too long."""

    def is_gone() -> bool:
        if not is_locked(home / SUPERVISOR_LOCK):
            # Nobody is left to stop Redis, and only Linux does that by itself.
            ask_redis(socket_path(home), "SHUTDOWN")
        return not is_locked(home / UNIT_LOCK)

    return wait(is_gone, seconds)
