"""How fast, large and quick to start a pipeline is where it is deployed: in a new process, without
what only training needs (thinc, for one, imports torch wherever it finds it)."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from statistics import median
from typing import IO, Any

import psutil
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.cli.errors import ProjectError

WORKER = Path(__file__).with_name("worker.py")
ROOT = Path(__file__).parent.parent.parent
# Of `classy_textcat` in a package of its own. spaCy's own textcat needs the first alone.
NEEDS = ("spacy", "onnxruntime", "tokenizers", "numpy")


@dataclass
class Measured:
    """start: Seconds from the start of the process to its first answer. speeds: Texts a second of
    each round. memory: Bytes of the process after all of them. size: Bytes on disk."""

    size: int
    start: list[float] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)
    memory: int = 0

    def summary(self) -> dict[str, float]:
        return {
            "texts_a_second": median(self.speeds),
            "megabytes_on_disk": self.size / 1e6,
            "megabytes_of_memory": self.memory / 1e6,
            "seconds_to_first_answer": median(self.start),
        }


class Deployed:
    """A running process with one pipeline in it."""

    def __init__(self, model: Path, site: Path, own: bool) -> None:
        """own: Whether it needs the project's components."""
        command = [sys.executable, "-I", "-S", "-W", "ignore", str(WORKER), str(site), str(model)]
        self._process = subprocess.Popen(
            [*command, *([str(ROOT)] if own else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ask(self, texts: Sequence[str]) -> dict[str, Any]:
        """RAISES (ProjectError): The process has failed."""
        stdin, stdout = self._streams
        try:
            stdin.write(json.dumps(list(texts)) + "\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            _, said = self._process.communicate()
            raise ProjectError("A pipeline could not be measured.", said.strip()[-2000:])
        return dict(json.loads(line))

    @property
    def _streams(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin
        assert self._process.stdout
        return self._process.stdin, self._process.stdout

    @property
    def memory(self) -> int:
        """Bytes of it that are in memory now."""
        return int(psutil.Process(self._process.pid).memory_info().rss)

    def close(self) -> None:
        """End it, whatever state it is in."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


def measure(
    models: dict[str, tuple[Path, bool]], texts: Sequence[str], rounds: int
) -> dict[str, Measured]:
    """All of them in turn, round by round, so that a busy moment of the machine hits all alike.

    models: Name -> folder, and whether it needs the project's components.
    texts: Each round takes a part of its own, as the big model remembers what it has embedded; a
        first part warms up.
    """
    found = {name: Measured(size_of(folder)) for name, (folder, _) in models.items()}
    part = max(1, len(texts) // (rounds + 1))
    with lean_site() as site, ExitStack() as stack:
        running: dict[str, Deployed] = {}
        for _ in range(rounds):
            for name, (folder, own) in models.items():
                if name in running:
                    running[name].close()
                begin = time.perf_counter()
                running[name] = Deployed(folder, site, own)
                stack.callback(running[name].close)
                running[name].ask(texts[:1])
                found[name].start.append(time.perf_counter() - begin)
        for number in range(rounds + 1):
            some = texts[number * part : (number + 1) * part] or texts
            for name, process in running.items():
                seconds = process.ask(some)["seconds"]
                if number:
                    found[name].speeds.append(len(some) / seconds)
                found[name].memory = max(found[name].memory, process.memory)
    return found


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@contextmanager
def lean_site() -> Iterator[Path]:
    """A folder of links to what a package needs, as link_distributions makes them."""
    with tempfile.TemporaryDirectory() as folder:
        link_distributions(NEEDS, Path(folder))
        yield Path(folder)


def link_distributions(names: Sequence[str], site: Path) -> None:
    """A site-packages of links to the named distributions and all that they require."""
    todo, done = list(names), set()
    while todo:
        name = canonicalize_name(todo.pop())
        if name in done:
            continue
        done.add(name)
        try:
            one = distribution(name)
        except PackageNotFoundError:  # for another Python or platform
            continue
        for requirement in map(Requirement, one.requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                todo.append(requirement.name)
        for top in {file.parts[0] for file in one.files or ()} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(one.locate_file(top))))
