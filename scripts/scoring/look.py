"""What is known of an input file before it is scored."""

import base64
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from scripts.scoring.lines import Dialect, Place


@dataclass(frozen=True)
class Look:
    """schema: What its rows become, of text files the same for all. starts, dialect, header: Of a
    text file: where its parts begin, how its cells are divided, and the names of its own columns.
    """

    rows: int
    schema: pa.Schema
    starts: tuple[Place, ...] = ()
    dialect: Dialect | None = None
    header: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "columns": self.header or self.schema.names,
            "schema": base64.b64encode(self.schema.serialize()).decode(),
            # As a string: an offset in some encodings is larger than what JSON readers take.
            "starts": [[str(place.offset), place.line] for place in self.starts],
            "dialect": [self.dialect.delimiter, self.dialect.quoted] if self.dialect else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Look":
        return cls(
            data["rows"],
            pa.ipc.read_schema(pa.py_buffer(base64.b64decode(data["schema"]))),
            tuple(Place(int(offset), line) for offset, line in data["starts"]),
            Dialect(*data["dialect"]) if data["dialect"] else None,
            tuple(data["columns"]),
        )


@dataclass(frozen=True)
class Block:
    """Some rows of a file: the columns to copy, and the value of the column of texts in each."""

    columns: pa.RecordBatch
    texts: list[Any]
