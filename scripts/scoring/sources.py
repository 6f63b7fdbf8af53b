"""Files to score, by the name of one, of a folder, or by a pattern."""

import glob
from dataclasses import dataclass
from pathlib import Path

from scripts.cli.errors import ProjectError

TEXT_KINDS = (".csv", ".tsv", ".jsonl", ".ndjson")
ENDINGS = (".parquet", *TEXT_KINDS, *(f"{kind}.gz" for kind in TEXT_KINDS))


@dataclass(frozen=True)
class Source:
    """One input file. name: its path below the folder that was asked for, by which it is known
    again where that folder has moved. changed: its time of change in nanoseconds."""

    path: Path
    name: str
    size: int
    changed: int

    @property
    def ending(self) -> str:
        return ending_of(self.path) or ""

    @property
    def kind(self) -> str:
        return self.ending.removesuffix(".gz")

    def output(self, part: int) -> str:
        """Where a part of it goes, below the output folder: a/b.csv.gz -> a/b-00000.parquet."""
        # A file that is scored by its name may be hidden; what comes of it must not be.
        return f"{self.name[: -len(self.ending)].lstrip('._')}-{part:05}.parquet"


def ending_of(path: Path) -> str | None:
    name = path.name.lower()
    return next((ending for ending in ENDINGS if name.endswith(ending) and name != ending), None)


def find_sources(asked: str, output: Path) -> list[Source]:
    """All files of a kind that can be read, in the order of their names. Those that are hidden
    (unless named) and those in the output folder are left out.

    asked: A file, a folder (with all below it), or a pattern such as data/*.parquet.
    RAISES (ProjectError): There are none, or two would have the same output.
    """
    path = Path(asked)
    if path.is_dir():
        root, paths = path, list(path.rglob("*"))
    elif path.is_file():
        root, paths = path.parent, [path]
    elif glob.has_magic(asked):
        parts = path.parts
        magic = next(i for i, part in enumerate(parts) if glob.has_magic(part))
        root, paths = Path(*parts[:magic]), [Path(p) for p in glob.glob(asked, recursive=True)]
    else:
        raise ProjectError(
            f"There is no file or folder {asked}.",
            "Give a file, a folder or a pattern: --vars.score_input 'data/*.parquet'",
        )
    inside = output.resolve()
    found = [
        _source(file, root)
        for file in sorted(paths)
        if file.is_file()
        and ending_of(file)
        and (file == path or not _is_hidden(file.relative_to(root)))
        and inside not in file.resolve().parents
    ]
    if not found:
        raise ProjectError(
            f"{asked}: no file that can be scored.", f"Known endings are {', '.join(ENDINGS)}."
        )
    first: dict[str, Source] = {}
    for source in found:
        other = first.setdefault(source.output(0), source)
        if other is not source:
            raise ProjectError(
                f"{other.name} and {source.name} would both become {source.output(0)}.",
                "Rename one of them, or score them into two folders.",
            )
    return found


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _source(path: Path, root: Path) -> Source:
    stat = path.stat()
    return Source(path, path.relative_to(root).as_posix(), stat.st_size, stat.st_mtime_ns)
