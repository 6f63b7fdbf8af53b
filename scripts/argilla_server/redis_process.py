"""Redis, which keeps the background jobs: where it listens, and how it is started and asked.

Standard library only.
"""

import contextlib
import ctypes
import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

# The longest path of a Unix socket that every system takes.
MAX_SOCKET_PATH = 100
DATA = "redis"


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


def start_redis(home: Path, lock: int) -> subprocess.Popen:
    """Start it in the server's environment; it inherits the unit's lock."""
    data = home / DATA
    data.mkdir(mode=0o700, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(socket_path(home)),
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
        cwd=home,
        stdin=subprocess.DEVNULL,
        pass_fds=(lock,),
        process_group=0,
        preexec_fn=end_with_parent,
    )
