"""Texts with a label, and who gave it: what `pull`, `finish` and `export` wrote."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from scripts.cli.errors import ProjectError
from scripts.data.rows import Table, as_labels

# Of an export, the splits that a model is trained on; its test set is none of the reasons.
SPLITS = ("train", "machine")
KNOWN = (".spacy", ".jsonl", ".json", ".csv", ".tsv")


class Labelled(NamedTuple):
    """labels: None of them, where a person has said that none fits. by: "" where it is unknown."""

    text: str
    labels: tuple[str, ...]
    by: str


def read_labelled(path: Path) -> list[Labelled]:
    """All labelled texts of a file, or of the folder of an export.

    RAISES (ProjectError): There is no such file, or it cannot be read.
    """
    export = [path / "jsonl" / f"{split}.jsonl" for split in SPLITS]
    files = [file for file in export if file.exists()] or [path]
    return [row for file in files for row in _read(file)]


def _read(path: Path) -> Iterable[Labelled]:
    if not path.is_file():
        raise ProjectError(
            f"There is no file {path}.",
            "Give a file of labelled texts, or '' for none: --vars.try_labelled FILE",
        )
    if path.suffix not in KNOWN:
        raise ProjectError(
            f"{path} has an ending that is not known.",
            f"Known are {', '.join(KNOWN)} and the folder of an export.",
        )
    if path.suffix == ".spacy":
        return _read_docs(path)
    from scripts.data.sources import load

    return _rows(load(str(path), "", "text", "label", setting="try_labelled"), path)


def _read_docs(path: Path) -> list[Labelled]:
    from scripts.data.docbins import given, read_docs

    return [
        Labelled(doc.text, tuple(given(doc)), doc.user_data.get("by", ""))
        for doc in read_docs(path)
        if doc.cats
    ]


def _rows(table: Table, path: Path) -> list[Labelled]:
    if missing := {"text", "label"} - set(table.columns):
        raise ProjectError(
            f"{path} has no column '{sorted(missing)[0]}'.",
            f"It needs the columns text and label; it has: {', '.join(table.columns)}",
        )
    nothing = [None] * len(table)
    found = []
    for text, label, by, people in zip(
        table.columns["text"],
        table.columns["label"],
        table.columns.get("by", nothing),
        table.columns.get("annotators", nothing),
        strict=True,
    ):
        labels = as_labels(label, None)
        if text and labels is not None:
            # An export names the people; the machine's user is no news.
            names = people if isinstance(people, list) and by != "machine" else []
            who = f"{by or ''} ({', '.join(names)})" if names else str(by or "")
            found.append(Labelled(str(text), tuple(labels), who.strip()))
    return found
