"""What the small model learns from: texts with a target a label, from one of three sources."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import srsly

from scripts.cli.errors import ProjectError
from scripts.data.corpus import check_labels, check_one_label

Source = Literal["people", "finished", "pool"]
SOURCES: tuple[str, ...] = get_args(Source)


@dataclass(frozen=True)
class Targets:
    """texts: n of them. values: (n, n_labels) in [0, 1], of one label a text each row sums to 1.
    by: Who says so of each: "people", "machine" (an answer that the promise lets stand) or "model"
    (what the big model thinks)."""

    texts: list[str]
    values: np.ndarray
    by: list[str]

    def __len__(self) -> int:
        return len(self.texts)

    def count(self) -> dict[str, int]:
        return {who: self.by.count(who) for who in ("people", "machine", "model")}

    def without(self, texts: Sequence[str]) -> "Targets":
        away = set(texts)
        keep = [row for row, text in enumerate(self.texts) if text not in away]
        return Targets(
            [self.texts[row] for row in keep], self.values[keep], [self.by[row] for row in keep]
        )


def from_people(path: Path, labels: Sequence[str], multi_label: bool) -> Targets:
    """Labels in the file that `pull` writes (with the machine's, if the loop trains on these).

    RAISES (ProjectError): There is none, or its labels are not those of the settings.
    """
    if not path.exists():
        raise ProjectError(f"There is no {path}.", "Make it: weasel run pull")
    from scripts.data.docbins import read_docs, read_gold_texts

    texts, given = read_gold_texts(path, labels, multi_label)
    by = [doc.user_data.get("by", "people") for doc in read_docs(path)]
    return Targets(texts, as_rows(given, labels), by)


def from_finished(path: Path, labels: Sequence[str], multi_label: bool) -> Targets:
    """Labels in the file that `finish` writes, by people and by the machine.

    RAISES (ProjectError): There is none, it is damaged, or has labels that the settings have not.
    """
    if not path.exists():
        raise ProjectError(
            f"There is no {path}.",
            "Make it: weasel run finish\nOr use people's labels alone: --vars.distil_labels people",
        )
    try:
        rows = [row for row in srsly.read_jsonl(path) if row["by"] in ("people", "machine")]
        by = [row["by"] for row in rows]
        texts = [row["text"] for row in rows]
        given = [[row["label"]] if isinstance(row["label"], str) else row["label"] for row in rows]
    except (ValueError, KeyError, TypeError) as err:
        raise ProjectError(
            f"{path} is damaged: {err}", "Make it again: weasel run finish"
        ) from None
    check_labels((label for row in given for label in row), labels)
    if not multi_label:
        check_one_label(texts, given, str(path))
    return Targets(texts, as_rows(given, labels), by)


def with_answers(
    known: Targets, pool: Sequence[str], predict: Callable[[list[str]], np.ndarray]
) -> Targets:
    """The same with what the big model thinks of all other texts of the pool.

    predict: Texts -> probabilities, (n, n_labels).
    """
    there = set(known.texts)
    rest = [text for text in dict.fromkeys(pool) if text not in there]
    if not rest:
        return known
    values = np.concatenate([known.values, predict(rest)])
    return Targets([*known.texts, *rest], values, [*known.by, *["model"] * len(rest)])


def as_rows(given: Sequence[Sequence[str]], labels: Sequence[str]) -> np.ndarray:
    """Labels of each text as zeros and ones, (n, n_labels)."""
    rows = [[float(label in row) for label in labels] for row in given]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(labels))
