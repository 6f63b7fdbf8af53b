"""Labelled texts for the benchmarks, and tables of their results."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from wasabi import MarkdownRenderer

from scripts.benchmarks.packages import PACKAGED
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.data.rows import to_rows
from scripts.data.sources import load


def read_labelled(source: str) -> tuple[list[str], list[str]]:
    """Texts and one label each, without duplicates: `bbc_news`, the name of another data set that a
    package carries (packages.py), or a file with columns text, label.

    RAISES (ProjectError): The data cannot be read or has no labels.
    """
    if source in PACKAGED:
        return PACKAGED[source]()
    rows, _ = to_rows(load(source, "train", "text", "label"), "text", "label")
    rows = [row for row in rows if row["labels"]]
    if not rows:
        raise ProjectError(f"{source} has no labels.", "A benchmark needs a column 'label'.")
    return [row["text"] for row in rows], [row["labels"][0] for row in rows]


def sample_balanced(
    labels: Sequence[str], per_label: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on, `per_label` of every label, and all other rows, in random order."""
    values = np.array(labels)
    train = np.concatenate(
        [
            rng.choice(np.flatnonzero(values == label), per_label, replace=False)
            for label in sorted(set(labels))
        ]
    )
    return train, rng.permutation(np.setdiff1d(np.arange(len(values)), train))


def report(rows: Iterable[dict[str, Any]], path: Path) -> None:
    """Print a table in markdown and write it as CSV. rows: As they are measured; those before an
    interruption or an error are kept."""
    found = []
    try:
        for row in rows:
            found.append(row)
    finally:
        if found:
            _write(found, path)
    if not found:
        msg.warn("Nothing was measured.")


def _write(rows: list[dict[str, Any]], path: Path) -> None:
    table = pd.DataFrame(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False)
    cells = table.fillna("").astype(str).to_numpy().tolist()
    print(MarkdownRenderer().table(cells, table.columns.tolist()))
    msg.good(f"Written to {path}")
