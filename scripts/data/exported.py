"""Rows -> a folder with them as Parquet, JSONL and Arrow, which `datasets` and the hub read.

README.md             the dataset card, which says where the splits are
data/SPLIT.parquet    for load_dataset(folder), and for the hub
jsonl/SPLIT.jsonl     one object a line, with the names of the labels
arrow/                for load_from_disk(folder / "arrow")
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.cli.errors import ProjectError
from scripts.data.corpus import Row, check_labels

if TYPE_CHECKING:
    from datasets import Features

CARD, ARROW = "README.md", "arrow"
OURS = {CARD, "data", "jsonl", ARROW}


def make_features(labels: Sequence[str], multi_label: bool) -> "Features":
    """The columns. A text's own label is a class; what was said of it is kept in words, as it may
    name labels that are gone."""
    from datasets import ClassLabel, Features, List, Value

    text, number, count = Value("string"), Value("float64"), Value("int64")
    names, time = ClassLabel(names=list(labels)), Value("timestamp[us, tz=UTC]")
    response = {"annotator": text, "labels": List(text), "status": text, "at": time}
    return Features(
        {
            "id": text,
            "text": text,
            "label": List(names) if multi_label else names,
            "status": text,
            "by": text,
            "annotators": List(text),
            "answered_at": time,
            "agreed": count,
            "votes": count,
            "responses": List(response),
            "suggestion": List(text) if multi_label else text,
            "model": text,
            "score": List(number) if multi_label else number,
            "uncertainty": number,
            "machine": List(text) if multi_label else text,
            "certainty": number,
            "source": text,
            "round": count,
            "iteration": count,
            "chance": number,
            "open": count,
            "anywhere": number,
        }
    )


def check_folder(folder: Path) -> None:
    """RAISES (ProjectError): It has something else in it than an earlier export."""
    old = _beside(folder, "old")
    if old.exists() and not folder.exists():  # killed between the two renames of _replace
        os.replace(old, folder)
    there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if there and (there - OURS or not (folder / ARROW / "dataset_dict.json").exists()):
        raise ProjectError(
            f"{folder} holds other files than an export: {', '.join(sorted(there)[:5])}",
            "An export replaces the whole folder. Give one that is new or empty.",
        )


def write_export(
    splits: Mapping[str, Sequence[Row]],
    labels: Sequence[str],
    multi_label: bool,
    card: str,
    folder: Path,
) -> None:
    """Write all of it or, where that fails or is interrupted, leave the folder as it was.

    splits: Rows with the columns of make_features, labels by name; none is empty, which
        load_dataset could not read.
    RAISES (ProjectError): A row has a label that is not in labels; check_folder.
    """
    from datasets import Dataset, DatasetDict, disable_progress_bars

    disable_progress_bars()  # one a file, each for a moment, wider than a page
    check_folder(folder)
    check_labels(
        (label for rows in splits.values() for row in rows for label in as_list(row["label"])),
        labels,
    )
    features = make_features(labels, multi_label)
    stage = _beside(folder, "part")
    shutil.rmtree(stage, ignore_errors=True)
    try:
        for name in ("data", "jsonl"):
            (stage / name).mkdir(parents=True)
        found = DatasetDict()
        for split, rows in splits.items():
            columns = {name: [row[name] for row in rows] for name in features}
            found[split] = Dataset.from_dict(columns, features=features)
            found[split].to_parquet(stage / "data" / f"{split}.parquet")
            _write_jsonl(rows, stage / "jsonl" / f"{split}.jsonl")
        found.save_to_disk(stage / ARROW)
        (stage / CARD).write_text(card, encoding="utf8", newline="\n")
        _replace(folder, stage)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def as_list(label: str | list[str] | None) -> list[str]:
    """The labels of a row, however many a text can have."""
    return label if isinstance(label, list) else [] if label is None else [label]


def _write_jsonl(rows: Sequence[Row], path: Path) -> None:
    # Not srsly, which keeps nine digits of a number.
    with path.open("w", encoding="utf8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=_time) + "\n")


def _time(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value)} cannot be written as JSON")


def _beside(folder: Path, what: str) -> Path:
    folder = folder.resolve()
    return folder.with_name(f".{folder.name}.{what}")


def _replace(folder: Path, new: Path) -> None:
    old = _beside(folder, "old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(new, folder)
    shutil.rmtree(old, ignore_errors=True)
