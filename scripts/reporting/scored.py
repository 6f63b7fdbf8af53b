"""How good a model is on texts of which the label is known, whole and label by label."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.metrics import precision_recall_fscore_support as per_label_scores

from scripts.active_learning.calibration import (
    Bin,
    calibration_by_chance,
    calibration_error,
    reliability,
)
from scripts.active_learning.decisions import accuracy_and_f, agree, decide

CONFUSIONS = 10  # that are listed


class LabelScore(NamedTuple):
    """n: Texts that have the label. found: Texts that the model gives it. precision is None where
    it gives it to none, recall where no text has it, f where neither."""

    label: str
    precision: float | None
    recall: float | None
    f: float | None
    n: int
    found: int


class Confusion(NamedTuple):
    """n texts of one label that the model gives another."""

    label: str
    model: str
    n: int


@dataclass(frozen=True)
class Scores:
    """accuracy: Exact match where a text can have several labels. confusion: (k, k), true labels in
    rows; None where a text can have several. reliability: Of the certainty of whole answers.
    error: Expected calibration error. by_chance: That of a model that is as often right as it
    says, on as many texts."""

    n: int
    accuracy: float
    micro_f: float
    macro_f: float
    labels: list[LabelScore]
    confusion: list[list[int]] | None
    confusions: list[Confusion]
    reliability: list[Bin]
    error: float
    by_chance: float


def score(
    probs: np.ndarray, gold: np.ndarray, labels: Sequence[str], label_threshold: float | None
) -> Scores:
    """probs: (n, k). gold: (n,) class numbers, or (n, k) zeros and ones. n is at least 1."""
    predicted, certainty = decide(probs, label_threshold)
    right = agree(predicted, gold)
    matrix = None
    if label_threshold is None:
        matrix = confusion_matrix(gold, predicted, labels=np.arange(len(labels)))
    accuracy, macro, micro = accuracy_and_f(gold, predicted, len(labels))
    return Scores(
        len(gold),
        accuracy,
        micro,
        macro,
        _by_label(gold, predicted, labels),
        None if matrix is None else matrix.tolist(),
        [] if matrix is None else _confusions(matrix, labels),
        reliability(certainty, right),
        calibration_error(certainty, right),
        calibration_by_chance(certainty),
    )


def _by_label(gold: np.ndarray, predicted: np.ndarray, labels: Sequence[str]) -> list[LabelScore]:
    columns = np.arange(len(labels))
    scores = per_label_scores(gold, predicted, labels=columns, average=None, zero_division=np.nan)
    found = (
        predicted.sum(axis=0) if predicted.ndim == 2 else np.bincount(predicted, None, len(labels))
    )
    return [
        LabelScore(
            label,
            _known(precision),
            _known(recall),
            _known(f),
            int(n),
            int(times),
        )
        for label, precision, recall, f, n, times in zip(labels, *scores, found, strict=True)
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _confusions(matrix: np.ndarray, labels: Sequence[str]) -> list[Confusion]:
    """The most frequent ones."""
    wrong = matrix * (1 - np.eye(len(matrix), dtype=matrix.dtype))
    order = np.argsort(-wrong, axis=None, kind="stable")[:CONFUSIONS]
    cells = zip(*np.unravel_index(order, wrong.shape), strict=True)
    return [
        Confusion(labels[true], labels[model], int(wrong[true, model]))
        for true, model in cells
        if wrong[true, model]
    ]
