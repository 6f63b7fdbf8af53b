"""Measures of the loop that scikit-learn and spaCy do not have."""

import numpy as np

from scripts.active_learning.arrays import Floats, Labels
from scripts.active_learning.decisions import agree, decide


def expected_calibration_error(
    probs: Floats, labels: Labels, label_threshold: float | None = None, bins: int = 10
) -> float:
    """How far certainty and being right are apart: the mean distance over bins of certainty that
    hold equally many texts. 0 = a certainty of 0.9 is right nine times in ten.

    probs: (n, k); labels: (n,) or (n, k). Guo et al. 2017, "On Calibration of Modern Neural
    Networks", with bins of equal size (Nguyen & O'Connor 2015). NaN without texts.
    """
    if not len(probs):
        return float("nan")
    predicted, certainty = decide(probs, label_threshold)
    right = agree(predicted, np.asarray(labels))
    parts = np.array_split(np.argsort(certainty, kind="stable"), min(bins, len(probs)))
    gaps = [abs(certainty[p].mean() - right[p].mean()) * len(p) for p in parts]
    return float(np.sum(gaps) / len(probs))


def labels_to_reach(labels: Floats, scores: Floats, target: float) -> float:
    """Fewest labels at which a learning curve reaches target for good: from there on it does not
    fall below it. Between two measured points the curve is a line; infinity if it never gets there.

    labels: (p,) rising; scores: (p,).
    """
    labels, scores = np.asarray(labels, dtype=float), np.asarray(scores, dtype=float)
    below = np.flatnonzero(scores < target)
    if not len(below):
        return float(labels[0])
    last = below[-1]
    if last == len(scores) - 1:
        return float("inf")
    share = (target - scores[last]) / (scores[last + 1] - scores[last])
    return float(labels[last] + share * (labels[last + 1] - labels[last]))
