"""The files of corpus/ where labels change, and the note of a change that is under way."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import srsly

from scripts.data.corpus import UNDER_WAY
from scripts.data.label_changes import Change
from scripts.data.whole import written_whole


def begin(corpus: Path, change: Change, stamp: str) -> None:
    """Note the change: until it is done, no other command reads the labels.

    stamp: When it was begun; it names what is kept of the state before.
    """
    with written_whole(corpus / UNDER_WAY) as part:
        srsly.write_json(part, {**asdict(change), "at": stamp})


def under_way(corpus: Path) -> tuple[Change, str] | None:
    """The change that was begun and not finished, and when it was begun."""
    if not (corpus / UNDER_WAY).exists():
        return None
    found: dict[str, Any] = dict(srsly.read_json(corpus / UNDER_WAY))
    stamp = str(found.pop("at"))
    return Change(**found), stamp


def done(corpus: Path) -> None:
    (corpus / UNDER_WAY).unlink(missing_ok=True)


def change_files(corpus: Path, change: Change) -> dict[str, int]:
    """Change gold labels, test set, training set and, last, the labels themselves. Done twice, it
    does no harm.

    RETURNS: File name -> texts that have no label any more; in .spacy files they are left out.
    """
    lost: dict[str, int] = {}
    if (path := corpus / "oracle.jsonl").exists():
        rows = list(srsly.read_jsonl(path))
        now = [row["labels"] if row["labels"] is None else change(row["labels"]) for row in rows]
        kept = [
            {**row, "labels": labels}
            for row, labels in zip(rows, now, strict=True)
            if labels is not None
        ]
        lost[path.name] = sum(row["labels"] is not None for row in rows) - len(kept)
        with written_whole(path) as part:
            srsly.write_jsonl(part, kept)
    for path in (corpus / "test.spacy", corpus / "train.spacy"):
        if path.exists():
            lost[path.name] = _change_docs(path, change)
    with written_whole(corpus / "labels.json") as part:
        srsly.write_json(part, change.new)
    return lost


def _change_docs(path: Path, change: Change) -> int:
    from scripts.data.docbins import given, read_docs, write_docs  # imports spaCy: two seconds

    docs, kept = read_docs(path), []
    for doc in docs:
        labels = change(given(doc))
        if labels is not None:
            doc.cats = {label: float(label in labels) for label in change.new}
            kept.append(doc)
    if kept:
        write_docs(kept, path)
    else:
        path.unlink()
    return len(docs) - len(kept)
