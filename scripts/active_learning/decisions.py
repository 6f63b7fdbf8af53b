"""What a model says about a text, and whether it was right: one label of several, or several.

Labels are class numbers (n,) when the classes exclude each other, and 0/1 matrices (n, k) when a
text can have several. Everything else in this room calls these functions instead of asking which.

label_threshold, here and in this room: the probability from which a text has a label, where it can
have any number of them, none included; None where it has exactly one, the most probable.
"""

from functools import partial

import numpy as np

from scripts.active_learning.arrays import Floats, Labels, Mask


def decide(probs: Floats, label_threshold: float | None = None) -> tuple[Labels, Floats]:
    """The labels that the model would give, and how sure it is of them.

    probs: (n, k). Returns the labels, (n,) or (n, k), and the certainty (n,): the probability of
    the best class; in multi-label data that of the least certain decision, as one wrong label
    makes the answer wrong.
    """
    if label_threshold is not None:
        given = probs >= label_threshold
        right = np.where(given, probs, 1 - probs)
        return given.astype(np.int64), right.min(axis=1) if probs.size else probs.sum(axis=1)
    if not probs.size:
        return np.zeros(len(probs), dtype=np.int64), np.zeros(len(probs))
    return probs.argmax(axis=1), probs.max(axis=1)


def agree(first: Labels, second: Labels) -> Mask:
    """Whether two answers to the same texts are the same, all labels counted. Returns (n,)."""
    same = np.asarray(first) == np.asarray(second)
    return same if same.ndim == 1 else same.all(axis=1)


def accuracy_and_f(gold: Labels, predicted: Labels, k: int) -> tuple[float, float, float]:
    """The share of texts that are right, and macro F and micro F of k labels. As in spaCy's
    cats_macro_f, a label that is nowhere counts 0. gold, predicted: As of `agree`."""
    from sklearn.metrics import f1_score

    f1 = partial(f1_score, gold, predicted, labels=np.arange(k), zero_division=0)
    right = float(agree(predicted, gold).mean())
    return right, float(f1(average="macro")), float(f1(average="micro"))
