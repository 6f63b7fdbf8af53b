"""A server and a `live` that are started again whenever they are gone, and what kills them."""

import contextlib
import random
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from scripts.argilla_server import manage
from scripts.argilla_server.files import STATE, SUPERVISOR_LOCK, is_locked, read_json

# What is killed, and how often of all; the dearer it is to start again, the more rarely.
SHARES = {"live": 3, "web": 2, "worker": 2, "redis": 2, "supervisor": 1, "whole server": 1}
PARTS = {"web": ".web", "worker": ".worker", "redis": "redis-server"}
LOOK = 0.1  # seconds
# What `live` says where there is no server.
AWAY = ("No Argilla server answers", "has a fault of its own")


class Server:
    """The embedded Argilla in a home of its own, kept running as a user would who sees it gone."""

    def __init__(self, home: Path, port: int, log: Path) -> None:
        self.home, self.port, self.log = home, port, log
        self.starts = 0
        self.refused: list[str] = []  # starts that failed
        self.end = threading.Event()
        self.thread = threading.Thread(target=self._keep, daemon=True)

    @property
    def supervisor(self) -> psutil.Process | None:
        state = read_json(self.home / STATE)
        if state is None or not is_locked(self.home / SUPERVISOR_LOCK):
            return None
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(state["pid"])
            if str(self.home) in process.cmdline():
                return process
        return None

    def victims(self) -> dict[str, list[psutil.Process]]:
        """What can be killed of it now."""
        supervisor = self.supervisor
        if supervisor is None:
            return {}
        found = {"supervisor": [supervisor]}
        with contextlib.suppress(psutil.Error):
            found["whole server"] = [supervisor, *supervisor.children(recursive=True)]
            for process in supervisor.children():
                with contextlib.suppress(psutil.Error):
                    command = " ".join(process.cmdline()[:3])
                    found |= {n: [process] for n, part in PARTS.items() if part in command}
        return found

    @property
    def answers(self) -> bool:
        return manage.status(self.home).state == "running"

    def _keep(self) -> None:
        place = ["--home", str(self.home), "--port", str(self.port)]
        while not self.end.wait(LOOK):
            if self.supervisor is None:
                self.starts += 1
                start = subprocess.run(
                    [sys.executable, "-m", "scripts.argilla_start", *place],
                    capture_output=True,
                    text=True,
                )
                with self.log.open("a") as log:
                    log.write(start.stdout + start.stderr)
                if start.returncode:
                    self.refused.append(start.stdout + start.stderr)


class Live:
    """`live` in a process of its own, until it says that nothing is left to do."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self.arguments, self.log = arguments, log
        self.starts = 0
        self.begin = 0  # where in the log the present one begins
        self.process: subprocess.Popen[bytes] | None = None
        self.wrong: list[str] = []
        self.done = threading.Event()
        self.end = threading.Event()
        self.thread = threading.Thread(target=self._keep, daemon=True)

    def victims(self) -> dict[str, list[psutil.Process]]:
        process = self.process
        if process is None or process.poll() is not None:
            return {}
        with contextlib.suppress(psutil.Error):
            return {"live": [psutil.Process(process.pid)]}
        return {}

    @property
    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    @property
    def reached(self) -> bool:
        """Whether it has come as far as to its first step."""
        return "Label at" in self.said[self.begin :]

    def run_once(self) -> int:
        """To its end. RETURNS: Its exit code."""
        self.starts += 1
        self.begin = len(self.said)
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-u", "-m", "scripts.live", *self.arguments],
                stdout=log,
                stderr=log,
            )
            try:
                while self.process.poll() is None and not self.end.wait(LOOK):
                    pass
            finally:
                self.process.kill()
                code = self.process.wait()
        words = self.said[self.begin :]
        # It may end by itself only where there was no server to begin with.
        said = [line for line in words.splitlines() if line.startswith("✘")]
        expected = all(any(part in line for part in AWAY) for line in said)
        if "Traceback" in words or not expected or (code > 0 and not said):
            self.wrong.append(f"`live` ended with {code}:\n{words}")
        return code

    def _keep(self) -> None:
        while not self.end.is_set():
            if self.run_once() == 0:
                self.done.set()
                return


@contextlib.contextmanager
def kept(part: Server | Live) -> Iterator[None]:
    """Started again whenever it is gone."""
    part.thread.start()
    try:
        yield
    finally:
        part.end.set()
        part.thread.join()


def strike(rng: random.Random, *parts: Server | Live) -> str:
    """SIGKILL to something at random that is there. RETURNS: What; "" where nothing is."""
    victims: dict[str, list[psutil.Process]] = {}
    for part in parts:
        victims |= part.victims()
    if not victims:
        return ""
    names = sorted(victims)
    (name,) = rng.choices(names, [SHARES[n] for n in names])
    hit = False
    for process in victims[name]:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended by itself
            process.kill()
            hit = True
    return name if hit else ""


def left_behind(folder: Path) -> list[str]:
    """Processes that have to do with a folder: by their command or their working directory."""
    me = psutil.Process()
    ours = {me.pid, *(p.pid for p in me.parents())}
    found = []
    for process in psutil.process_iter():
        if process.pid in ours:
            continue
        with contextlib.suppress(psutil.Error):
            words = [*process.cmdline(), process.cwd()]
            if process.status() != psutil.STATUS_ZOMBIE and any(str(folder) in w for w in words):
                found.append(f"process {process.pid} is left: {' '.join(words)[:200]}")
    return found
