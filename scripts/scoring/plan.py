"""What is to be scored, and what of it is done already."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from filelock import FileLock, Timeout
from tqdm import tqdm

from scripts.cli.errors import ProjectError
from scripts.scoring import inputs
from scripts.scoring.look import Look
from scripts.scoring.manifest import AGAIN, Manifest
from scripts.scoring.model import Model
from scripts.scoring.parquet_files import is_text
from scripts.scoring.parts import TEMPORARY, Job, read_counts
from scripts.scoring.settings import Settings
from scripts.scoring.sources import find_sources
from scripts.scoring.types import together

PREFIX = "predicted_"


@dataclass(frozen=True)
class Plan:
    """jobs: All parts, in the order of the rows. waiting: Those that are not written yet. unlike:
    Columns that not all files have, or not with the same type: they are no one table."""

    columns: tuple[str, str, str]
    jobs: list[Job]
    waiting: list[Job]
    unlike: list[str]


@dataclass
class Totals:
    rows: int = 0
    why: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)


@contextmanager
def held(output: Path) -> Iterator[None]:
    """The output folder, for one command at a time; the system takes it back from a killed one.

    RAISES (ProjectError): Another holds it.
    """
    output.mkdir(parents=True, exist_ok=True)
    lock = FileLock(output / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ProjectError(
            f"Another command writes to {output}.", "Wait for it, or end it with Ctrl+C."
        ) from None
    try:
        yield
    finally:
        lock.release()


def make_plan(asked: str, output: Path, model: Model, settings: Settings) -> Plan:
    """Look at all inputs that were not looked at before, and write down what was found.

    asked: A file, a folder or a pattern.
    RAISES (ProjectError): An input cannot be read, or the folder was begun otherwise.
    """
    before = Manifest.read(output)
    sources = find_sources(asked, output)
    if before:
        before.check(output, model.fingerprint, settings, sources)
    known = before.inputs if before else {}
    looks = {
        source.name: known[source.name][2]
        if source.name in known
        else inputs.look(source, settings)
        for source in tqdm(
            sources, desc="Looking at the input", unit="file", disable=None, leave=False
        )
    }
    text = [source.name for source in sources if source.kind != ".parquet"]
    schema = together(looks[name].schema for name in text)
    # What was begun before keeps its types: some of it may be written.
    looks |= {name: replace(looks[name], schema=schema) for name in text if name not in known}
    taken = {column for seen in looks.values() for column in settings.kept(seen.schema.names)}
    columns = before.columns if before else _columns(model.columns, taken)
    if clash := sorted(taken.intersection(columns)):
        raise ProjectError(
            f"The input has a column '{clash[0]}', which scoring would add.",
            f"Choose the columns to copy without it: --vars.score_keep NAME,NAME\n{AGAIN}",
        )
    found = {source.name: (source.size, source.changed, looks[source.name]) for source in sources}
    Manifest(model.name, model.fingerprint, settings, columns, found).write(output)
    for left in output.rglob(f".*{TEMPORARY}"):  # by a run that was killed
        left.unlink()
    jobs = [
        Job(source, looks[source.name], part, output / source.output(part), settings, columns)
        for source in sources
        for part in range(settings.parts(looks[source.name].rows))
    ]
    unlike = _unlike(list(looks.values()), settings)
    return Plan(columns, jobs, [job for job in jobs if not job.target.exists()], unlike)


def _unlike(looks: list[Look], settings: Settings) -> list[str]:
    found: dict[str, list[Any]] = {}
    for seen in looks:
        for name in settings.kept(seen.schema.names):
            kind = seen.schema.field(name).type
            # What reads them as one table takes all kinds of strings for one.
            plain = is_text(kind) and not pa.types.is_null(kind)
            found.setdefault(name, []).append("text" if plain else kind)
    return [
        name
        for name, kinds in found.items()
        if len(kinds) < len(looks) or any(kind != kinds[0] for kind in kinds)
    ]


def _columns(names: tuple[str, str, str], taken: set[str]) -> tuple[str, str, str]:
    """All three get another name where one is taken, as by gold labels."""
    if not taken.intersection(names):
        return names
    label, score, cats = (PREFIX + name for name in names)
    return label, score, cats


def count_all(plan: Plan) -> Totals:
    """What all parts say of themselves.

    RAISES (ProjectError): A part is damaged, or has not the rows that it should have.
    """
    totals = Totals()
    for job in plan.jobs:
        rows, counts = read_counts(job.target)
        if rows != job.rows:
            raise ProjectError(
                f"{job.target} has {rows} rows in place of {job.rows}.",
                "Delete it and run the same command again.",
            )
        totals.rows += rows
        totals.why.update(counts["why"])
        totals.labels.update(counts["labels"])
    return totals
