"""The embedded Argilla as one unit: Redis, the background worker and the web server.

    python -m scripts.argilla_server.serve HOME PORT INSTANCE

runs in the server's environment (`manage.py` starts it). It starts the three, starts one again
that ends by itself, and stops all of them on SIGTERM. If it is killed itself, the others end.
Every process of the unit holds the lock HOME/server.lock, so a free lock means that nothing is
left of it. Standard library only.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from scripts.argilla_server.child import MAX_RESTARTS, Child, log
from scripts.argilla_server.files import (
    DATABASE,
    HOST,
    SECRET,
    STATE,
    SUPERVISOR_LOCK,
    TEMPORARY,
    UNIT_LOCK,
    open_lock,
    try_lock,
    write_private,
)
from scripts.argilla_server.redis_process import DATA, ask_redis, socket_path, start_redis

HOPELESS = 3  # exit code of a process that would fail again
PAUSE = 0.2
ENGINE = "sqlite"
INSTANCE_VARIABLE = "ARGILLA_UNIT_INSTANCE"
PROJECT = Path(__file__).resolve().parents[2]


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
        INSTANCE_VARIABLE: instance,
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
        data = self.home / DATA
        if len(self.redis.starts) == MAX_RESTARTS and data.exists():
            # Jobs are all that is in there, and labels are not: better without than not at all.
            log(f"redis: does not start with the files in {data}, so they are moved away")
            data.rename(self.home / f"redis.broken.{int(time.time())}")
        return start_redis(self.home, self.lock)

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
                    if child.name == "worker" and not child.may_start():
                        continue  # people label without it; on a full disk it cannot stay up
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
