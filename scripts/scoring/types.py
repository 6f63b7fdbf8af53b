"""Types of columns whose files do not say any: CSV and JSONL."""

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

# A double holds every whole number up to here, and not all of those beyond: ids are often larger.
EXACT = 2**53
# Of a field whose column has such a number.
WIDE = {b"wide": b""}
Fields = dict[str, pa.Field]


def of_rows(rows: Sequence[dict[str, Any]]) -> list[pa.Field]:
    """As pyarrow finds them. What does not fit together becomes a string: a text as it is, all else
    as JSON."""
    found = []
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        try:
            kind = pa.array(values).type
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            kind = pa.string()
        wide = "int64" in str(kind) and any(map(_is_wide, values))
        found.append(pa.field(name, kind, metadata=WIDE if wide else None))
    return found


def merge(fields: Fields, more: Iterable[pa.Field]) -> None:
    """Put more fields to those of before, of which those of the same name become one."""
    for field in more:
        before = fields.get(field.name)
        fields[field.name] = _common(before, field) if before else field


def storable(fields: Fields) -> pa.Schema:
    """Parquet has no struct without fields, which is what only empty objects make."""
    found = []
    for field in fields.values():
        try:
            pq.write_table(pa.schema([field]).empty_table(), pa.BufferOutputStream())
        except pa.ArrowException:
            field = field.with_type(pa.string())
        found.append(field)
    return pa.schema(found)


def together(schemas: Iterable[pa.Schema]) -> pa.Schema:
    """One schema that the rows of several files fit into."""
    fields: Fields = {}
    for schema in schemas:
        merge(fields, schema)
    return pa.schema([field.remove_metadata() for field in fields.values()])


def _common(one: pa.Field, other: pa.Field) -> pa.Field:
    wide = one.metadata or other.metadata
    try:
        schemas = [pa.schema([field]) for field in (one, other)]
        kind = pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except pa.ArrowException:
        kind = pa.string()
    if wide and (_blurs(one.type, kind) or _blurs(other.type, kind)):
        kind = pa.string()
    return pa.field(one.name, kind, metadata=wide)


def _is_wide(value: Any) -> bool:
    if isinstance(value, (list, dict)):
        return any(map(_is_wide, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and abs(value) > EXACT


def _blurs(kind: pa.DataType, merged: pa.DataType) -> bool:
    """Do whole numbers become doubles?"""
    if pa.types.is_list(kind) and pa.types.is_list(merged):
        return _blurs(kind.value_type, merged.value_type)
    if pa.types.is_struct(kind) and pa.types.is_struct(merged):
        return any(_blurs(field.type, merged.field(field.name).type) for field in kind)
    return pa.types.is_integer(kind) and pa.types.is_floating(merged)
