"""The memory that a process took."""

from pathlib import Path


def peak_memory() -> float:
    """Megabytes of this process at its largest. (getrusage would count its parent's, too.)"""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
