"""Files and folders of texts -> a Table."""

import codecs
import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scripts.cli.errors import ProjectError
from scripts.data.rows import Table

DELIMITERS = ",;\t|"


def read_text(path: Path, encoding: str = "", errors: str = "strict") -> str:
    """A file's text. encoding: "" for UTF-8, or what the file's byte order mark says.
    errors: "replace" for files known to have a few wrong bytes.

    RAISES (ProjectError): It is in another encoding.
    """
    data = path.read_bytes()
    codec = codec_of(data, encoding)
    if not encoding and codec != "utf-16" and data[:4096].count(0) > len(data[:4096]) // 5:
        raise ProjectError(
            f"{path} is full of NUL bytes, as UTF-16 is.",
            "Say its encoding: --vars.encoding utf-16-le",
        )
    try:
        return data.decode(codec, errors)
    except UnicodeDecodeError as err:
        line = data.count(b"\n", 0, err.start) + 1
        near = data[max(0, err.start - 20) : err.start + 20].decode("cp1252", errors="replace")
        raise ProjectError(
            f"{path} is not {encoding or 'UTF-8'}: see line {line}.",
            "Say its encoding: --vars.encoding cp1252 (Windows, Excel), latin-1, utf-16, ...\n"
            f"In cp1252 the place reads: {' '.join(near.split())}",
        ) from None


def codec_of(start: bytes, encoding: str) -> str:
    """What Python calls the encoding of a file that starts so. encoding: As of read_text.

    RAISES (ProjectError): There is no such encoding.
    """
    marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    wanted = encoding or ("utf-16" if start.startswith(marks) else "utf-8")
    try:
        "".encode(wanted)  # there are codecs that are none of texts, such as hex
    except LookupError:
        raise ProjectError(
            f"There is no encoding '{encoding}'.", "Usual ones are utf-8, cp1252, latin-1, utf-16."
        ) from None
    name = codecs.lookup(wanted).name
    return "utf-8-sig" if name == "utf-8" else name  # without the mark that Excel writes


def read_csv(path: Path, text_column: str, encoding: str = "") -> Table:
    """Comma, semicolon, tab or bar: the delimiter is the one that gives the header the column of
    the texts. All cells are strings; an empty one is missing. Blank lines are no rows; rows whose
    cells are all blank are some, so that they are counted and the others keep their numbers.

    RAISES (ProjectError): A row does not fit the header, or a name in that comes twice.
    """
    text = read_text(path, encoding)
    delimiter = find_delimiter(text, text_column, "\t" if path.suffix.lower() == ".tsv" else ",")
    csv.field_size_limit(2**31 - 1)  # a text that is too long is named later, with its row
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = list(reader)
    except csv.Error as err:
        if delimiter != "\t":
            raise ProjectError(
                f"{path} cannot be read as {path.suffix}: its quotes do not match.",
                f"Up to line {reader.line_num}: {err}. Quotes inside of a quoted text are doubled "
                '(""). Or use JSONL.',
            ) from None
        # Tab-separated files often have no quoting: a quote is a character like any other.
        plain = io.StringIO(text, newline="")
        rows = list(csv.reader(plain, delimiter=delimiter, quoting=csv.QUOTE_NONE))
    rows = [row for row in rows if row]
    while rows and not any(cell.strip() for cell in rows[0]):  # above the header
        del rows[0]
    if not rows:
        raise ProjectError(f"{path} is empty.", "It needs a line with the names of its columns.")
    header = column_names(path, rows[0])
    for number, row in enumerate(rows[1:], start=1):
        if any(row[len(header) :]):
            raise ProjectError(
                f"Row {number} of {path} has {len(row)} cells; the header has {len(header)}.",
                f"A text that has a '{delimiter}' itself must be in quotes. The row begins: "
                f"{delimiter.join(row)[:80]}",
            )
    cells = [row + [""] * (len(header) - len(row)) for row in rows[1:]]
    return Table({name: [row[i] or None for row in cells] for i, name in enumerate(header)})


def column_names(path: Path, cells: Iterable[str]) -> list[str]:
    """RAISES (ProjectError): A name comes twice."""
    # pandas writes its index under no name, and calls it so when it reads it back.
    names = [name.strip() or f"Unnamed: {i}" for i, name in enumerate(cells)]
    check_once(path, names)
    return names


def check_once(path: Path, names: Sequence[str]) -> None:
    """RAISES (ProjectError): A name comes twice, and nobody knows which column is meant."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ProjectError(f"{path} has two columns '{twice[0]}'.", "Rename one of them.")


def find_delimiter(text: str, wanted: str, first: str) -> str:
    headers = {
        delimiter: next(csv.reader(io.StringIO(text[:65536], newline=""), delimiter=delimiter), [])
        for delimiter in dict.fromkeys(first + DELIMITERS)
    }
    for delimiter, header in headers.items():
        if wanted in [name.strip() for name in header]:
            return delimiter
    return max(headers, key=lambda delimiter: len(headers[delimiter]))


def read_json(path: Path, encoding: str = "") -> Table:
    """One object a line, or one list of objects.

    RAISES (ProjectError): It is not.
    """
    text = read_text(path, encoding)
    if text.lstrip().startswith("["):
        found = _loads(path, text)
        return _table(path, enumerate(found, start=1), "Entry")
    # Not splitlines, which also splits at separators that may stand inside of a JSON string.
    lines = [(i, line) for i, line in enumerate(text.split("\n"), start=1) if line.strip()]
    return _table(path, ((i, _loads(path, line, f"line {i}: ")) for i, line in lines), "Line")


def _loads(path: Path, text: str, where: str = "") -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as err:
        raise ProjectError(f"{path} cannot be read as {path.suffix}.", f"{where}{err}") from None


def _table(path: Path, numbered: Iterable[tuple[int, Any]], kind: str) -> Table:
    rows = []
    for number, row in numbered:
        if not isinstance(row, dict):
            raise ProjectError(
                f"{path} cannot be read as {path.suffix}: {kind.lower()} {number} is no object.",
                'Each text is an object such as {"text": "...", "label": "..."}.',
            )
        rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row)
    return Table({name: [row.get(name) for row in rows] for name in names})


def read_folder(
    path: Path, text_column: str, label_column: str, encoding: str = "", errors: str = "strict"
) -> Table:
    """One sub-folder a class, one file a text.

    RAISES (ProjectError): There is no sub-folder, or a file is in another encoding.
    """
    files = [
        file
        for folder in sorted(path.iterdir())
        if folder.is_dir()
        for file in sorted(folder.iterdir())
        if file.is_file() and not file.name.startswith(".")
    ]
    if not files:
        raise ProjectError(
            f"{path} has no sub-folders with texts.", "A folder needs one sub-folder a class."
        )
    return Table(
        {
            text_column: [read_text(file, encoding, errors) for file in files],
            label_column or "label": [file.parent.name for file in files],
        }
    )


def read_docbin(path: Path, text_column: str, label_column: str) -> Table:
    """spaCy's binary format; labels are the cats with a value of at least 0.5. A text without any
    cats is not labelled."""
    from scripts.data.docbins import given, read_docs  # imports spaCy, which takes two seconds

    docs = read_docs(path)
    labels = [given(doc) if doc.cats else None for doc in docs]
    return Table({text_column: [doc.text for doc in docs], label_column or "label": labels})
