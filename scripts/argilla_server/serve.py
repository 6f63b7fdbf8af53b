"""The embedded Argilla as one unit: Redis, the background worker and the web server.

    python -m scripts.argilla_server.serve HOME PORT INSTANCE

runs in the server's environment (`manage.py` starts it). It starts the three, starts one again
that ends by itself, and stops all of them on SIGTERM. If it is killed itself, the others end.
Every process of the unit holds the lock HOME/server.lock, so a free lock means that nothing is
left of it. Standard library only.
"""

import contextlib
import ctypes
import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from scripts.argilla_server.files import (
    DATABASE,
    SECRET,
    STATE,
    SUPERVISOR_LOCK,
    TEMPORARY,
    UNIT_LOCK,
    open_lock,
    try_lock,
    write_private,
)

HOST = "127.0.0.1"
MAX_RESTARTS = 5  # of one process,
RESTART_WINDOW = 120  # in so many seconds
HOPELESS = 3  # exit code of a process that would fail again
STOP_SECONDS = 10
PAUSE = 0.2
# The longest path of a Unix socket that every system takes.
MAX_SOCKET_PATH = 100
ENGINE = "sqlite"
PROJECT = Path(__file__).resolve().parents[2]


def log(message: str) -> None:
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {message}", flush=True)


def environment(home: Path, port: int, instance: str, redis_socket: Path) -> dict[str, str]:
    """What the server reads its settings from; settings of other Argillas are kept out."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ARGILLA_", "PYTHON"))
    }
    not_by_proxy = [os.environ.get("NO_PROXY", ""), HOST, "localhost"]
    return inherited | {
        "ARGILLA_HOME_PATH": str(home),
        # Relative to the working directory, so that no character of the path needs an escape.
        "ARGILLA_DATABASE_URL": f"sqlite+aiosqlite:///{DATABASE}?check_same_thread=False",
        # Seconds that a write waits for another to finish.
        "ARGILLA_DATABASE_SQLITE_TIMEOUT": "30",
        "ARGILLA_SEARCH_ENGINE": ENGINE,
        "ARGILLA_REDIS_URL": f"unix://{redis_socket}",
        "ARGILLA_CORS_ORIGINS": json.dumps([f"http://{h}:{port}" for h in (HOST, "localhost")]),
        "ARGILLA_AUTH_SECRET_KEY": (home / SECRET).read_text(encoding="utf8").strip(),
        "ARGILLA_UNIT_INSTANCE": instance,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        # Webhooks usually go to this machine.
        "NO_PROXY": ",".join(filter(None, not_by_proxy)),
        # The server copies its web page to a temporary folder at each start.
        "TMPDIR": str(home / TEMPORARY),
        "PYTHONPATH": str(PROJECT),
        "PYTHONUNBUFFERED": "1",
        # macOS ends forked processes, which the worker's jobs are, without it.
        "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",
    }


def socket_path(home: Path) -> Path:
    """Where Redis listens: in the data folder, unless its path is too long for a socket."""
    path = home / "redis.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"argilla-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        raise SystemExit(f"{folder} belongs to somebody else: choose a data folder nearer to /")
    return folder / "redis.sock"


def ask_redis(path: Path, command: str) -> bytes:
    """Send a command to Redis and give the answer; nothing if it can't be reached."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        connection.connect(str(path))
        connection.sendall(f"{command}\r\n".encode())
        return connection.recv(1024)
    return b""


def end_with_parent() -> None:
    """On Linux: let the system end this process when its parent is gone (for Redis)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


class Child:
    """A process of the unit, and how often it had to be started."""

    def __init__(self, name: str, start: Callable[[], subprocess.Popen]) -> None:
        self.name = name
        self.start_process = start
        self.starts: deque[float] = deque()
        self.process: subprocess.Popen | None = None

    def start(self) -> bool:
        """Start it; False if it has been started too often lately."""
        now = time.monotonic()
        while self.starts and now - self.starts[0] > RESTART_WINDOW:
            self.starts.popleft()
        if len(self.starts) > MAX_RESTARTS:
            return False
        self.starts.append(now)
        self.process = self.start_process()
        log(f"{self.name}: started (process {self.process.pid})")
        return True

    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def terminate(self) -> None:
        """Ask it to stop."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop(self) -> None:
        """Ask it to stop, wait, and make it stop with everything that it started."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                log(f"{self.name}: does not stop, so it is killed")
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Unit:
    """The three processes and what they share."""

    def __init__(
        self, home: Path, port: int, instance: str, lock: int, listening: socket.socket
    ) -> None:
        self.home = home
        self.stopping = False
        self.listening = listening
        self.lifeline, self._writing_end = os.pipe()
        self.redis_socket = socket_path(home)
        self.environment = environment(home, port, instance, self.redis_socket)
        self.lock = lock
        self.redis = Child("redis", self._start_redis)
        self.others = [
            Child("web", lambda: self._start_python("web", self.listening.fileno())),
            Child("worker", lambda: self._start_python("worker")),
        ]

    def _start_python(self, module: str, *descriptors: int) -> subprocess.Popen:
        passed = (*descriptors, self.lifeline)
        return subprocess.Popen(
            [sys.executable, "-m", f"scripts.argilla_server.{module}", *map(str, passed)],
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            pass_fds=(*passed, self.lock),
            process_group=0,
        )

    def _start_redis(self) -> subprocess.Popen:
        data = self.home / "redis"
        if len(self.redis.starts) == MAX_RESTARTS and data.exists():
            # Jobs are all that is in there, and labels are not: better without than not at all.
            log(f"redis: does not start with the files in {data}, so they are moved away")
            data.rename(self.home / f"redis.broken.{int(time.time())}")
        data.mkdir(mode=0o700, exist_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self.redis_socket),
            "unixsocketperm": "700",
            "dir": str(data),
            "save": "",
            "appendonly": "yes",
            "loglevel": "warning",
            "daemonize": "no",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("redis-server")), *arguments],
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            pass_fds=(self.lock,),
            process_group=0,
            preexec_fn=end_with_parent,
        )

    def _wait_for_redis(self) -> bool:
        while not self.stopping and not self.redis.ended():
            if ask_redis(self.redis_socket, "PING").startswith(b"+PONG"):
                return True
            time.sleep(0.02)
        return False

    def run(self) -> int:
        """Keep everything running until a signal (0) or a process that won't stay up (1)."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        shutil.rmtree(self.home / TEMPORARY, ignore_errors=True)
        (self.home / TEMPORARY).mkdir(mode=0o700)
        try:
            while not self.stopping:
                for child in (self.redis, *self.others):
                    if not child.ended():
                        continue
                    if child.process is not None:
                        code = child.process.returncode
                        log(f"{child.name}: ended with code {code}")
                        if code == HOPELESS:
                            return 1
                    if child is not self.redis and not self._wait_for_redis():
                        break
                    if not child.start():
                        log(f"{child.name}: ended {MAX_RESTARTS} times, so everything is stopped")
                        return 1
                time.sleep(PAUSE)
            return 0
        finally:
            self._stop()

    def _on_signal(self, number: int, frame: object) -> None:
        self.stopping = True

    def _stop(self) -> None:
        log("stopping")
        for child in self.others:
            child.terminate()
        for child in (*self.others, self.redis):
            child.stop()
        self._close_database()
        with contextlib.suppress(OSError):
            self.redis_socket.unlink(missing_ok=True)
            if self.redis_socket.parent != self.home:
                self.redis_socket.parent.rmdir()
        shutil.rmtree(self.home / TEMPORARY, ignore_errors=True)
        (self.home / STATE).unlink(missing_ok=True)
        log("stopped")

    def _close_database(self) -> None:
        """Put all there is into the one database file, so that copying it copies everything."""
        path = self.home / DATABASE
        if path.exists():
            with (
                contextlib.suppress(sqlite3.Error),
                contextlib.closing(sqlite3.connect(path)) as database,
            ):
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def main() -> int:
    home, port, instance = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    os.umask(0o077)
    locks = [open_lock(home / name) for name in (UNIT_LOCK, SUPERVISOR_LOCK)]
    for lock in locks:
        # Somebody who asks whether it is taken has it for a moment.
        patience = time.monotonic() + 10 * PAUSE
        while not try_lock(lock):
            if time.monotonic() > patience:
                log(f"another server is running in {home}")
                return 1
            time.sleep(PAUSE / 10)
    state = {"pid": os.getpid(), "port": port, "instance": instance}
    write_private(home / STATE, json.dumps(state))
    # Bound here and not by the web server: while that one is started again, clients wait.
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError as error:
        log(f"cannot listen on {HOST}:{port}: {error.strerror}")
        return 1
    listening.listen(128)
    log(f"starting on http://{HOST}:{port}")
    return Unit(home, port, instance, locks[0], listening).run()


if __name__ == "__main__":
    sys.exit(main())
