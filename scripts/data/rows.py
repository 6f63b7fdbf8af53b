"""Columns of a data set -> rows with an id, and their labels."""

import re
from dataclasses import dataclass, field
from typing import Any

from scripts.cli.errors import ProjectError
from scripts.data.corpus import Row, text_id

MOST_CHARACTERS = 1_000_000  # spaCy's nlp.max_length
NUMBER = re.compile(r"[-+]?\d+([.,]\d+)*(e[-+]?\d+)?", re.IGNORECASE)
UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL refuses the first, UTF-8 the others


@dataclass(frozen=True)
class Table:
    """A data set as it was read. class_names: Of a column that holds their numbers (a hub's
    ClassLabel)."""

    columns: dict[str, list[Any]]
    class_names: dict[str, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def column(self, name: str, setting: str) -> list[Any]:
        """RAISES (ProjectError): There is no such column. setting: The var that names it."""
        if name not in self.columns:
            there = ", ".join(_short(other) for other in self.columns)
            none = ', or --vars.label_column "" for none' if setting == "label_column" else ""
            raise ProjectError(
                f"The data has no column '{name}'.",
                f"Its columns are: {there}. Set one: --vars.{setting} NAME{none}\nA CSV file needs "
                "the names of its columns in its first line.",
            )
        return self.columns[name]


@dataclass
class Dropped:
    """Texts that are no rows. contradicting: Duplicates with other labels than the text that was
    kept. unusable: One line for each text, with its row and the reason."""

    empty: int = 0
    duplicate: int = 0
    contradicting: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)


def as_labels(value: Any, names: list[str] | None) -> list[str] | None:
    """One cell of the label column as a list of labels.

    RETURNS: None where the text is not labelled (a missing or blank cell); [] where it has none of
        the labels (an empty list), which is an answer like any other.
    RAISES (ProjectError): It is an object without any label.
    """
    if isinstance(value, dict) and "label" not in value:  # label -> score, as spaCy's `cats`
        scores = {name: score for name, score in value.items() if score is not None}
        if not all(isinstance(score, int | float) for score in scores.values()):
            raise _no_label(value)
        value = [name for name, score in scores.items() if score >= 0.5] if scores else None
    if isinstance(value, list | tuple):
        found = [label for one in value if (label := _label(one, names)) is not None]
        # A list of blanks says nothing; an empty list does.
        return list(dict.fromkeys(found)) if found or not value else None
    label = _label(value, names)
    return None if label is None else [label]


def _label(value: Any, names: list[str] | None) -> str | None:
    if isinstance(value, dict):  # Argilla 1.x exported labels as {"label": ..., "score": ...}
        if "label" not in value:
            raise _no_label(value)
        value = value["label"]
    if value is None or value != value:  # NaN
        return None
    if names and isinstance(value, int):
        return names[value] if value >= 0 else None  # the hub's "no label" is -1
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # whole numbers become floats where one of the column is missing
    return str(value).strip() or None


def _no_label(value: dict[str, Any]) -> ProjectError:
    return ProjectError(
        f"The label column holds objects that name no label, such as {_short(str(value))}",
        'Known are {"label": "Sports"} and scores, {"Sports": 1.0, "Tech": 0.0}; or set another: '
        "--vars.label_column NAME",
    )


def to_rows(data: Table, text_column: str, label_column: str) -> tuple[list[Row], Dropped]:
    """Rows without empty texts, exact duplicates and texts that cannot be used, and what was
    dropped. Of duplicates the first is kept, with the first label that any of them has.

    RAISES (ProjectError): A column is missing, or the texts are no texts.
    """
    texts = data.column(text_column, "text_column")
    check_texts(texts, text_column)
    labels = data.column(label_column, "label_column") if label_column else [None] * len(texts)
    names = data.class_names.get(label_column)
    rows: dict[str, Row] = {}
    dropped = Dropped()
    for number, (cell, value) in enumerate(zip(texts, labels, strict=True), start=1):
        text = "" if cell is None or cell != cell else str(cell).strip()  # NaN is missing too
        given = as_labels(value, names)
        if not text:
            dropped.empty += 1
        elif reason := unusable(text, MOST_CHARACTERS):
            dropped.unusable.append(f"row {number} {reason}: {_short(text)}")
        elif (row := rows.setdefault(text_id(text), {"text": text})) == {"text": text}:
            row.update({"id": text_id(text), "labels": given})
        else:
            dropped.duplicate += 1
            if row["labels"] is None:
                row["labels"] = given
            elif given is not None and set(given) != set(row["labels"]):
                kept, other = (", ".join(some) or "none" for some in (row["labels"], given))
                dropped.contradicting.append(
                    f"row {number} ({other}, kept: {kept}): {_short(text)}"
                )
    return list(rows.values()), dropped


def check_texts(texts: list[Any], name: str) -> None:
    """RAISES (ProjectError): The column holds numbers, or lists and objects."""
    given = [text for text in texts if text is not None and str(text).strip()]
    if any(isinstance(text, list | dict) for text in given):
        kind = "lists or objects"
    elif given and all(NUMBER.fullmatch(str(text).strip()) for text in given):
        kind = "numbers"
    else:
        return
    raise ProjectError(
        f"The column '{name}' holds {kind}, not texts.", "Set another: --vars.text_column NAME"
    )


def unusable(text: str, most: int) -> str:
    """Why a text (or a label) cannot go through spaCy, Argilla and a database; "" if it can."""
    if len(text) > most:
        return f"has {len(text):,} characters, at most {most:,} can be read"
    if bad := UNSTORABLE.search(text):
        what = "a NUL character" if bad[0] == "\0" else "half a character (a lone surrogate)"
        return f"has {what}"
    return ""


def _short(text: str) -> str:
    """The beginning of a text, in one line that any terminal can print."""
    line = " ".join(text[:200].split())
    line = line if len(line) <= 40 and len(text) <= 200 else line[:40] + " ..."
    return line.encode("utf8", errors="replace").decode("utf8").replace("\0", "?")
