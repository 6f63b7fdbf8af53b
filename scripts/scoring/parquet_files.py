"""Parquet files, read part by part."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from scripts.cli.errors import ProjectError, first_line
from scripts.data.files import check_once
from scripts.scoring.look import Block, Look
from scripts.scoring.settings import Settings
from scripts.scoring.sources import Source

# Bytes of a column that are read at a time: without, all of a row group's are.
BUFFER = 2**20


def look(source: Source, settings: Settings) -> Look:
    """RAISES (ProjectError): It is no Parquet, its column of texts holds something else, or a name
    comes twice."""
    with _opened(source.path) as file:
        # What other programs wrote about its columns would not hold for ours.
        schema, rows = file.schema_arrow.remove_metadata(), file.metadata.num_rows
    check_once(source.path, schema.names)
    if settings.column in schema.names and not is_text(schema.field(settings.column).type):
        kind = schema.field(settings.column).type
        raise ProjectError(
            f"{source.path}: the column '{settings.column}' holds {kind}, not texts.",
            "Set another: --vars.text_column NAME",
        )
    return Look(rows, schema)


def read(source: Source, seen: Look, part: int, settings: Settings) -> Iterator[Block]:
    """The rows of one part, a batch at a time."""
    begin = part * settings.rows_per_part
    end = min(begin + settings.rows_per_part, seen.rows)
    kept = settings.kept(seen.schema.names)
    with _opened(source.path) as file:
        groups: list[int] = []
        at, first = 0, 0
        for group in range(file.metadata.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if at < end and at + rows > begin:
                first = first if groups else at
                groups.append(group)
            at += rows
        batches = file.iter_batches(
            settings.batch_size,
            row_groups=groups,
            columns=list(dict.fromkeys([*kept, settings.column])),
            use_threads=False,
        )
        for batch in batches:
            low, high = max(begin - first, 0), min(end - first, len(batch))
            first += len(batch)
            if low < high:
                rows_of_part = batch.slice(low, high - low)
                texts = rows_of_part.column(settings.column).to_pylist()
                yield Block(rows_of_part.select(kept), texts)
            if first >= end:
                break


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path, buffer_size=BUFFER) as file:
            yield file
    except (pa.ArrowException, OSError) as err:
        if isinstance(err, OSError) and err.errno is not None:  # of the disk, not of the file
            raise
        raise ProjectError(f"{path} cannot be read as Parquet.", first_line(err)) from None


def is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return pa.types.is_null(kind) or any(test(kind) for test in tests)
