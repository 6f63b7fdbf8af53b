"""How unsure a model is of each text: what query strategies ask by, and what people see."""

import numpy as np

from scripts.active_learning.arrays import Floats


def least_confidence_score(probs: Floats, multi_label: bool = False) -> Floats:
    """One minus the largest probability, rescaled to [0, 1]: 1 when all classes are as likely.

    Lewis & Gale 1994, "A Sequential Algorithm for Training Text Classifiers". In multi-label data
    a text is as uncertain as its most uncertain label. Returns (n,).
    """
    if multi_label:
        return 1 - np.abs(2 * probs - 1).min(axis=1) if probs.shape[1] else np.zeros(len(probs))
    k = probs.shape[1]
    if k < 2:
        return np.zeros(len(probs))
    return np.clip((1 - probs.max(axis=1)) * k / (k - 1), 0, 1)


def margin_score(probs: Floats, multi_label: bool = False) -> Floats:
    """One minus the gap between the two most probable classes, in [0, 1]. Returns (n,).

    Scheffer et al. 2001, "Active Hidden Markov Models for Information Extraction".
    """
    if multi_label or probs.shape[1] < 2:
        return least_confidence_score(probs, multi_label)
    top = np.partition(probs, -2, axis=1)[:, -2:]
    return np.clip(1 - (top[:, 1] - top[:, 0]), 0, 1)


def entropy_score(probs: Floats, multi_label: bool = False) -> Floats:
    """Shannon's entropy of the classes over its maximum, in [0, 1]; its mean over the labels
    in multi-label data. Returns (n,).

    Dagan & Engelson 1995, "Committee-Based Sampling for Training Probabilistic Classifiers".
    """
    if multi_label:
        both = np.stack([probs, 1 - probs], axis=2)
        return _entropy(both).mean(axis=1) / np.log(2) if probs.shape[1] else np.zeros(len(probs))
    if probs.shape[1] < 2:
        return np.zeros(len(probs))
    return np.clip(_entropy(probs) / np.log(probs.shape[1]), 0, 1)


def _entropy(probs: Floats) -> Floats:
    tiny = np.finfo(np.float64).tiny
    return -(probs * np.log(np.maximum(probs, tiny))).sum(axis=-1)


def uncertainty(probs: Floats, multi_label: bool = False) -> Floats:
    """How unsure the model is of each row, in [0, 1], 1 = most unsure: what people see on a
    record and sort by. probs: (n, k). Returns (n,)."""
    return least_confidence_score(probs, multi_label)
