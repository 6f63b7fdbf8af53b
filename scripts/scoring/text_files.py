"""CSV and JSONL files: looked through once before anything is scored, then read part by part."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scripts.cli.errors import ProjectError
from scripts.scoring.lines import Dialect, Lines, Row, csv_header, csv_rows, json_rows
from scripts.scoring.look import Block, Look
from scripts.scoring.settings import Settings
from scripts.scoring.sources import Source

# Characters of a block, which bound its memory whatever the length of its texts.
MOST_CHARACTERS = 2**24
LOOKED_AT = 1000  # rows whose types are inferred together
Types = dict[str, pa.DataType]


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
        types: Types = {}
        rows = json_rows(lines)
        if dialect:
            names, delimiter = csv_header(lines, settings.column, dialect.delimiter)
            dialect = Dialect(delimiter, dialect.quoted)
            types = dict.fromkeys(names, pa.string())
            rows = csv_rows(lines, names, dialect)
        starts, count, block = [lines.place()], 0, []
        for row in rows:
            count += 1
            if count % settings.rows_per_part == 0:
                starts.append(lines.place())
            if not dialect:
                block.append(row)
                if len(block) == LOOKED_AT:
                    types, block = _merge(types, block), []
        types = _merge(types, block)
    schema = pa.schema([(name, _storable(kind)) for name, kind in types.items()])
    return Look(count, schema, tuple(starts[: settings.parts(count)]), dialect)


def read(source: Source, seen: Look, part: int, settings: Settings) -> Iterator[Block]:
    """The rows of one part, a batch at a time."""
    left = min(settings.rows_per_part, seen.rows - part * settings.rows_per_part)
    with closing(Lines(source.path, settings.encoding, seen.starts[part])) as lines:
        rows = json_rows(lines)
        if seen.dialect:
            rows = csv_rows(lines, seen.schema.names, seen.dialect)
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


def _merge(types: Types, rows: list[Row]) -> Types:
    """With the types of more rows. What does not fit together becomes a string: a text as it is,
    all else as JSON."""
    for name in dict.fromkeys(name for row in rows for name in row):
        try:
            found = pa.array([row.get(name) for row in rows]).type
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            found = pa.string()
        types[name] = _common(types.get(name, pa.null()), found)
    return types


def _storable(kind: pa.DataType) -> pa.DataType:
    """Parquet has no struct without fields, which is what only empty objects make."""
    try:
        pq.write_table(pa.schema([("x", kind)]).empty_table(), pa.BufferOutputStream())
    except pa.ArrowException:
        return pa.string()
    return kind


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    try:
        schemas = [pa.schema([("x", kind)]) for kind in (one, other)]
        return pa.unify_schemas(schemas, promote_options="permissive").field("x").type
    except pa.ArrowException:
        return pa.string()
