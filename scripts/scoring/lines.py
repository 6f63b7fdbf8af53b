"""Rows of CSV and JSONL files, one by one, from any line on."""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from scripts.cli.errors import ProjectError
from scripts.data.files import codec_of, column_names, find_delimiter

# A quote that is never closed would take the rest of the file into one cell.
MOST_CHARACTERS = 2**24
Row = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a row begins: what `tell` says there, and the number of lines before it."""

    offset: int = 0
    line: int = 0


@dataclass(frozen=True)
class Dialect:
    """Of a CSV file. quoted: Whether a quote is more than a character like any other."""

    delimiter: str
    quoted: bool = True


class Lines(Iterator[str]):
    """Lines of a text file, which may be packed by gzip, that know where they are.

    RAISES (ProjectError): A line is in another encoding, or the file is damaged.
    """

    def __init__(self, path: Path, encoding: str, place: Place = Place()) -> None:
        self.path = path
        self.encoding = encoding
        self.line = place.line
        self.characters = 0
        opened = gzip.open if path.suffix.lower() == ".gz" else open
        with path.open("rb") as file:
            codec = codec_of(file.read(2), encoding)
        # Line ends as they are: csv wants them so, and JSON does not mind.
        self.file: Any = opened(path, "rt", encoding=codec, newline="")
        if place.offset:
            self.file.seek(place.offset)

    def __next__(self) -> str:
        try:
            line = self.file.readline()
        except UnicodeDecodeError as err:
            number = self.line + 1 + err.object.count(b"\n", 0, err.start)
            raise ProjectError(
                f"{self.path} is not {self.encoding or 'UTF-8'}: see line {number}.",
                "Say its encoding: --vars.encoding cp1252 (Windows, Excel), latin-1, utf-16, ...",
            ) from None
        except (gzip.BadGzipFile, EOFError, zlib.error) as err:
            raise ProjectError(
                f"{self.path} is damaged or cut off after line {self.line}.", f"gzip: {err}"
            ) from None
        if not line:
            raise StopIteration
        self.line += 1
        self.characters += len(line)
        return line

    def place(self) -> Place:
        return Place(self.file.tell(), self.line)

    def close(self) -> None:
        self.file.close()


def json_rows(lines: Lines) -> Iterator[Row]:
    """RAISES (ProjectError): A line is no JSON object."""
    for line in lines:
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as err:
            hint = str(err)
            if lines.line == 1 and line.lstrip().startswith("["):
                hint = "It looks like one list. JSONL has one object in each line."
            raise ProjectError(f"{lines.path}, line {lines.line} is no JSON.", hint) from None
        if not isinstance(row, dict):
            raise ProjectError(
                f"{lines.path}, line {lines.line} is no object.",
                'Each text is an object such as {"text": "...", "id": 1}.',
            )
        yield row


def csv_header(lines: Lines, column: str, first: Dialect) -> tuple[list[str], Dialect]:
    """Names of the columns, and the dialect that gives them the column of the texts.

    first: With the delimiter that the file's name promises.
    RAISES (ProjectError): There is none, its quotes do not match, or a name comes twice.
    """
    line = next((line for line in lines if line.strip()), "")
    if not line:
        raise ProjectError(
            f"{lines.path} is empty.", "It needs a line with the names of its columns."
        )
    dialect = replace(first, delimiter=find_delimiter(line, column, first.delimiter))
    reader = _reader(chain([line], lines), dialect)  # a name may hold a line end
    begin = lines.line
    try:
        cells = next(reader)
    except csv.Error as err:
        raise _no_csv(lines, begin, err) from None
    if not dialect.quoted:
        cells = [cell.strip().strip('"') for cell in cells]
    return column_names(lines.path, cells), dialect


def _reader(lines: Iterator[str], dialect: Dialect) -> Any:
    csv.field_size_limit(MOST_CHARACTERS)
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quoting=csv.QUOTE_MINIMAL if dialect.quoted else csv.QUOTE_NONE,
        strict=True,
    )


def _no_csv(lines: Lines, line: int, err: csv.Error) -> ProjectError:
    return ProjectError(
        f"{lines.path}, line {line} cannot be read as CSV: {err}",
        'Quotes inside of a quoted text are doubled (""). Or use JSONL or Parquet.',
    )


def csv_rows(lines: Lines, names: list[str], dialect: Dialect) -> Iterator[Row]:
    """All cells are strings; an empty one is None. Blank lines are no rows; blank cells are one.

    RAISES (ProjectError): A row has more cells than the header, or its quotes do not match.
    """
    reader = _reader(lines, dialect)
    missing = [""] * len(names)
    while True:
        begin = lines.line + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as err:
            raise _no_csv(lines, begin, err) from None
        if not cells:
            continue
        if any(cells[len(names) :]):
            raise ProjectError(
                f"{lines.path}, line {begin} has {len(cells)} cells; the header has {len(names)}.",
                f"A text that has a '{dialect.delimiter}' itself must be in quotes. The row begins:"
                f" {dialect.delimiter.join(cells)[:80]}",
            )
        yield {name: cell or None for name, cell in zip(names, chain(cells, missing), strict=False)}
