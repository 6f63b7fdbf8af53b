"""Columns of a data set -> rows with an id, and the split into a pool and a held-out test set."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import srsly
from datasets import Dataset
from sklearn.model_selection import train_test_split

from scripts.cli.errors import ProjectError
from scripts.data.corpus import Row, text_id


def column(data: Dataset, name: str, setting: str) -> list[Any]:
    if name not in data.column_names:
        raise ProjectError(
            f"The data has no column '{name}'.",
            f"Its columns are: {', '.join(data.column_names)}. Set one: --vars.{setting} NAME",
        )
    return list(data[name])


def as_labels(value: Any, names: list[str] | None) -> list[str] | None:
    """One cell of the label column as a list of labels; None where there is no label."""
    values = value if isinstance(value, list | tuple) else [value]
    if value is None or value == "" or value != value or value == -1:  # NaN; hub's "no label"
        return None
    # Argilla 1.x exported labels as {"label": ..., "score": ...}.
    values = [v["label"] if isinstance(v, dict) else v for v in values]
    return [names[v] if names and isinstance(v, int) else str(v) for v in values]


def to_rows(data: Dataset, text_column: str, label_column: str) -> tuple[list[Row], dict[str, int]]:
    """Rows without empty texts and exact duplicates, and how many of each were dropped."""
    texts = column(data, text_column, "text_column")
    labels: Iterable[Any] = [None] * len(texts)
    names = None
    if label_column:
        labels = column(data, label_column, "label_column")
        feature = data.features[label_column]
        names = getattr(getattr(feature, "feature", feature), "names", None)  # ClassLabel
    rows: dict[str, Row] = {}
    dropped = {"empty": 0, "duplicate": 0}
    for text, value in zip(texts, labels, strict=True):
        text = str(text if text is not None else "").strip()
        if not text:
            dropped["empty"] += 1
            continue
        id_ = text_id(text)
        if id_ in rows:
            dropped["duplicate"] += 1
        else:
            rows[id_] = {"id": id_, "text": text, "labels": as_labels(value, names)}
    return list(rows.values()), dropped


def read_label_spec(spec: str, dataset: str) -> dict[str, str]:
    """The labels that the settings name, each with a description (its name if there is none).

    spec: A comma-separated list, or the path of a JSON file: a list, or {label: description}.
        Empty: assets/labels/<dataset>.json where the project ships one, else no labels.
    """
    path = Path(spec or f"assets/labels/{slug(dataset)}.json")
    if path.suffix == ".json":
        if not path.exists():
            if spec:
                raise ProjectError(f"There is no labels file {path}.", "Set --vars.labels.")
            return {}
        try:
            found = srsly.read_json(path)
        except ValueError as err:
            raise ProjectError(f"{path} is not JSON.", str(err)) from None
        return dict(found) if isinstance(found, dict) else {label: label for label in found}
    return {label.strip(): label.strip() for label in spec.split(",") if label.strip()}


def split_rows(rows: list[Row], test_size: float, seed: int) -> tuple[list[Row], list[Row]]:
    """A pool and a held-out test set, stratified by label where every label is frequent enough."""
    keys = [",".join(row["labels"] or []) for row in rows]
    size: float | int = test_size if test_size < 1 else int(test_size)
    stratify = keys if min(Counter(keys).values()) > 1 else None
    try:
        pool, test = train_test_split(rows, test_size=size, random_state=seed, stratify=stratify)
    except ValueError as err:
        raise ProjectError(
            f"{len(rows)} texts cannot be split into a pool and a test set.",
            f"{err}\nSet another --vars.test_size (a share, or a number of texts).",
        ) from None
    return pool, test


def slug(dataset: str) -> str:
    """A name that Argilla takes: of a file its stem, else the data set's own name."""
    name = Path(dataset).stem if Path(dataset).exists() else dataset
    return re.sub(r"[^a-zA-Z0-9]+", "_", name).strip("_") or "texts"
