"""A process of the running server, as its supervisor sees it. Standard library only."""

import contextlib
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable

MAX_RESTARTS = 5  # of one process,
RESTART_WINDOW = 120  # in so many seconds
STOP_SECONDS = 10


def log(message: str) -> None:
    """Write a line to the log of the server."""
    with contextlib.suppress(OSError):  # a full disk is no reason to stop
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {message}", flush=True)


class Child:
    """A process of the unit, and how often it had to be started."""

    def __init__(self, name: str, start: Callable[[], subprocess.Popen]) -> None:
        self.name = name
        self.start_process = start
        self.starts: deque[float] = deque()
        self.process: subprocess.Popen | None = None

    def start(self) -> bool:
        """Start it; False if it has been started too often lately."""
        if not self.may_start():
            return False
        self.starts.append(time.monotonic())
        self.process = self.start_process()
        log(f"{self.name}: started (process {self.process.pid})")
        return True

    def may_start(self) -> bool:
        """Whether it has not been started too often lately."""
        while self.starts and time.monotonic() - self.starts[0] > RESTART_WINDOW:
            self.starts.popleft()
        return len(self.starts) <= MAX_RESTARTS

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
