"""One part of an input file -> one output file, all of it or nothing."""

import json
import os
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scripts.cli.errors import ProjectError
from scripts.scoring import inputs
from scripts.scoring.look import Look
from scripts.scoring.model import Model
from scripts.scoring.settings import Settings
from scripts.scoring.sources import Source

TEMPORARY = ".unfinished"
# Of the file's own metadata, which Parquet keeps after the rows: what is counted at the end.
COUNTS = b"scored"
NO_LABEL = ""  # in these, of a text that has none of the labels
# A row group is written when it has so many rows or bytes.
GROUP_ROWS, GROUP_BYTES = 16_384, 2**25


@dataclass(frozen=True)
class Job:
    """What a worker needs to know of a part, wherever it runs. columns: Names of those added."""

    source: Source
    seen: Look
    part: int
    target: Path
    settings: Settings
    columns: tuple[str, str, str]

    @property
    def rows(self) -> int:
        most = self.settings.rows_per_part
        return min(most, self.seen.rows - self.part * most)


def score_part(job: Job, model: Model, tick: Callable[[int], object] = lambda rows: None) -> None:
    """Score the rows of a part and write them. They depend on nothing but the part, so that two
    who write it at once write the same.

    tick: Called with the number of rows that are done, again and again.
    RAISES (ProjectError): The input cannot be read, or has changed since it was looked at.
    """
    model.forget()
    job.target.parent.mkdir(parents=True, exist_ok=True)
    # Hidden, so that nobody takes it for a result, and no other's.
    unfinished = job.target.with_name(f".{job.target.name}.{uuid.uuid4().hex[:8]}{TEMPORARY}")
    try:
        _write(job, model, unfinished, tick)
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())  # the name must not reach the disk before the rows
        unfinished.replace(job.target)
    finally:
        unfinished.unlink(missing_ok=True)


def _write(job: Job, model: Model, path: Path, tick: Callable[[int], object]) -> None:
    kept = [job.seen.schema.field(name) for name in job.settings.kept(job.seen.schema.names)]
    added = zip(job.columns, model.arrays([]), strict=True)
    schema = pa.schema([*kept, *(pa.field(name, array.type) for name, array in added)])
    why: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    waiting: list[pa.RecordBatch] = []
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for block in inputs.read(job.source, job.seen, job.part, job.settings):
            scored = model.score(block.texts)
            why += scored.why
            for cats in scored.cats:
                labels.update([] if cats is None else model.given(cats) or [NO_LABEL])
            arrays = [*block.columns.columns, *model.arrays(scored.cats)]
            waiting.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
            rows += len(block.texts)
            size = sum(batch.nbytes for batch in waiting)
            if sum(map(len, waiting)) >= GROUP_ROWS or size >= GROUP_BYTES:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting = []
            tick(len(block.texts))
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting))
        writer.add_key_value_metadata({COUNTS: json.dumps({"why": why, "labels": labels}).encode()})
    if rows != max(job.rows, 0):
        raise ProjectError(
            f"{job.source.path} has changed while it was read.", "Run the same command again."
        )


def read_counts(path: Path) -> tuple[int, dict[str, Any]]:
    """Rows of a finished part, and what was counted in it.

    RAISES (ProjectError): It is damaged, or gone.
    """
    try:
        metadata = pq.read_metadata(path)
        return metadata.num_rows, json.loads(metadata.metadata[COUNTS])
    except (pa.ArrowException, OSError, KeyError, TypeError):
        raise ProjectError(
            f"{path} is damaged or gone.", "Delete it if it is there, and run the same again."
        ) from None
