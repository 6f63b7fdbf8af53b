"""CSV and JSONL files: looked through once before anything is scored, then read part by part."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pyarrow as pa

from scripts.cli.errors import ProjectError
from scripts.scoring.lines import Dialect, Lines, Row, csv_header, csv_rows, json_rows
from scripts.scoring.look import Block, Look
from scripts.scoring.settings import Settings
from scripts.scoring.sources import Source
from scripts.scoring.types import Fields, merge, of_rows, storable

# Characters of a block, which bound its memory whatever the length of its texts.
MOST_CHARACTERS = 2**24
LOOKED_AT = 1000  # rows whose types are inferred together


def look(source: Source, settings: Settings) -> Look:
    """Read all of it once: how many rows, of what types, and where each part begins. It costs far
    less than scoring, and a wrong line is found now and not after hours.

    RAISES (ProjectError): It cannot be read to its end.
    """
    if source.kind not in (".csv", ".tsv"):
        return _look(source, settings, None)
    quoted, plain = (Dialect("\t" if source.kind == ".tsv" else ",", way) for way in (True, False))
    try:
        return _look(source, settings, quoted)
    except ProjectError:
        if source.kind != ".tsv":
            raise
    # Tab-separated files often have no quoting: a quote is a character like any other.
    return _look(source, settings, plain)


def _look(source: Source, settings: Settings, dialect: Dialect | None) -> Look:
    with closing(Lines(source.path, settings.encoding)) as lines:
        fields: Fields = {}
        names: list[str] = []
        rows = json_rows(lines)
        if dialect:
            names, dialect = csv_header(lines, settings.column, dialect)
            fields = {name: pa.field(name, pa.string()) for name in names}
            rows = csv_rows(lines, names, dialect)
        starts, count, block = [lines.place()], 0, []
        for row in rows:
            count += 1
            if count % settings.rows_per_part == 0:
                starts.append(lines.place())
            if not dialect:
                block.append(row)
                if len(block) == LOOKED_AT:
                    merge(fields, of_rows(block))
                    block = []
        merge(fields, of_rows(block))
    parts = tuple(starts[: settings.parts(count)])
    return Look(count, storable(fields), parts, dialect, tuple(names))


def read(source: Source, seen: Look, part: int, settings: Settings) -> Iterator[Block]:
    """The rows of one part, a batch at a time."""
    left = min(settings.rows_per_part, seen.rows - part * settings.rows_per_part)
    with closing(Lines(source.path, settings.encoding, seen.starts[part])) as lines:
        rows = json_rows(lines)
        if seen.dialect:
            rows = csv_rows(lines, list(seen.header), seen.dialect)
        block: list[Row] = []
        most = MOST_CHARACTERS
        while left:
            row = next(rows, None)
            if row is None:
                raise ProjectError(
                    f"{source.path} has changed while it was read.", "Run the same command again."
                )
            block.append(row)
            left -= 1
            if not left or len(block) == settings.batch_size or lines.characters > most:
                yield _block(block, seen.schema, settings)
                block, most = [], lines.characters + MOST_CHARACTERS


def _block(rows: list[Row], schema: pa.Schema, settings: Settings) -> Block:
    texts = [row.get(settings.column) for row in rows]
    kept = pa.schema([schema.field(name) for name in settings.kept(schema.names)])
    columns = [_array([row.get(field.name) for row in rows], field.type) for field in kept]
    return Block(pa.RecordBatch.from_arrays(columns, schema=kept), texts)


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_floating(kind):
        values = [value if value is None else float(value) for value in values]
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, TypeError, ValueError):
        if kind != pa.string():
            raise
    return pa.array([_string(value) for value in values], kind)


def _string(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf8", "replace").decode("utf8")  # half a character cannot be stored
