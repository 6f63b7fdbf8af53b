"""The full-text index: a table of SQLite's FTS5 beside the records, kept by triggers.

So it is written in the transaction that writes a record, and rolled back with it. Every record has
a row there, with the same rowid: which data set it belongs to, and a column for each of its fields
in the order of their names. Standard library only.
"""

import json
import sqlite3
import unicodedata
from collections.abc import Iterable
from typing import Any

VERSION = 1  # of everything below: an index of another version is made anew
TABLE = "records_text"
DATASET = "dataset"
COLUMNS = [f"field{number}" for number in range(16)]  # the last one takes all further fields

# Text is made of these by `search_text`, so all that FTS5 has to do is to split at spaces.
_WORDS = "'L* N* M* S* Co Cn'"
_TABLE = f"""
CREATE VIRTUAL TABLE {TABLE} USING fts5(
    {DATASET}, {", ".join(COLUMNS)},
    tokenize = "unicode61 remove_diacritics 0 categories {_WORDS}"
)
"""
_DELETE = f"DELETE FROM {TABLE} WHERE rowid = old.rowid;"
_INSERT = f"""
INSERT INTO {TABLE} (rowid, {DATASET}, {", ".join(COLUMNS)})
SELECT new.rowid, new.dataset_id, {
    ", ".join(
        f"group_concat(search_text(new.fields, name), ' ') FILTER (WHERE place = {number})"
        for number in range(len(COLUMNS))
    )
}
FROM (
    SELECT name, min(row_number() OVER (ORDER BY name), {len(COLUMNS)}) - 1 AS place
    FROM fields
    WHERE dataset_id = new.dataset_id AND json_extract(settings, '$.type') <> 'image'
);
"""
_TRIGGERS = {
    "AFTER INSERT": _INSERT,
    "AFTER UPDATE OF fields": _DELETE + _INSERT,
    "AFTER DELETE": _DELETE,
}

# Scripts that are written without spaces, by the names that Unicode gives their characters: every
# character is a word, and what is searched for is a phrase of them.
_WITHOUT_SPACES = ("CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")


class _Spacing(dict[int, str]):
    """What a character (its code) becomes; see `str.translate`."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        kind, name = unicodedata.category(char), unicodedata.name(char, "")
        if name.startswith("VARIATION SELECTOR"):
            self[code] = ""  # says how the character before it is drawn
        elif name.startswith(_WITHOUT_SPACES) or (kind[0] == "S" and code > 127):
            self[code] = f" {char} "
        else:
            self[code] = char if kind[0] in "LNM" or kind in ("Co", "Cn") else " "
        return self[code]


_spacing = _Spacing()


def words(text: str) -> list[str]:
    """The words of a text as they are searched for, whatever their case and form.

    A symbol or emoji is a word too; punctuation is none: "wi-fi" and "don't" are two words each.
    """
    return unicodedata.normalize("NFKC", text.casefold()).translate(_spacing).split()


def search_text(fields: str, name: str) -> str | None:
    """All that can be found in one field of a record, given the JSON of its fields.

    SQLite calls it. In a chat, that is what was said and by whom.
    """
    found, waiting = [], [json.loads(fields).get(name)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict | list):
            waiting += reversed(list(value.values() if isinstance(value, dict) else value))
        elif value is not None:
            found += words(str(value))
    return " ".join(found) or None


def column(name: str, fields: Iterable[str]) -> str:
    """The column that a field is found in, given the names of all that hold text."""
    return COLUMNS[min(sorted(fields).index(name), len(COLUMNS) - 1)]


def connect(connection: Any, record: object = None) -> None:
    """Let a connection write records: without the function, the triggers refuse to."""
    connection.create_function("search_text", 2, search_text, deterministic=True)


def ensure(database: sqlite3.Connection) -> None:
    """Index all records in the current or a new transaction, unless they are."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    if not database.in_transaction:
        database.execute("BEGIN")
    drop(database)
    connect(database)
    database.execute(_TABLE)
    for number, (when, action) in enumerate(_TRIGGERS.items()):
        database.execute(f"CREATE TRIGGER {TABLE}_{number} {when} ON records BEGIN {action} END")
    database.execute("UPDATE records SET fields = fields")  # which has them indexed
    database.execute(f"PRAGMA user_version = {VERSION}")


def drop(database: sqlite3.Connection) -> None:
    """Take the index away; a migration may make the table of records anew."""
    for number in range(len(_TRIGGERS)):
        database.execute(f"DROP TRIGGER IF EXISTS {TABLE}_{number}")
    database.execute(f"DROP TABLE IF EXISTS {TABLE}")
    database.execute("PRAGMA user_version = 0")
