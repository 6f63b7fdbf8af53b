"""Which of people's answers to look at again, and how far people agree."""

import warnings

import numpy as np

from scripts.active_learning.arrays import Floats, Labels, Rows
from scripts.active_learning.decisions import agree, decide
from scripts.active_learning.geometry import nearest, unit

MISSING = -1
# The cosine from which two texts say the same, and how many are compared with each text.
SAME, NEIGHBOURS = 0.98, 5


def label_errors(
    probs: Floats, labels: Labels, label_threshold: float | None = None, most: float = 0.1
) -> Rows:
    """Row numbers of answers that are probably wrong, at most this share of them, worst first.

    probs: (n, k) out-of-sample probabilities of the same answers, as from cross-validation: a
        model that was trained on a wrong label believes it.
    labels: (n,) class numbers, or (n, k) zeros and ones.
    Confident learning (Northcutt et al. 2021) by cleanlab, ranked by its normalised margin.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    labels = np.asarray(labels)
    if not len(labels) or (label_threshold is None and len(np.unique(labels)) < 2):
        return np.zeros(0, dtype=np.intp)
    if label_threshold is not None:
        # Each label is a question of its own; an answer is as good as its worst one.
        chosen = np.where(labels == 1, probs, 1 - probs)
        scores = chosen.min(axis=1)
        flagged = scores < 0.5
    else:
        seen = np.unique(labels)  # cleanlab wants every class to be in use
        own = probs[:, seen] / np.maximum(probs[:, seen].sum(axis=1, keepdims=True), 1e-12)
        given = np.searchsorted(seen, labels)
        scores = get_label_quality_scores(given, own, method="normalized_margin")
        with warnings.catch_warnings():  # of a class with few answers it may not find all
            warnings.simplefilter("ignore", UserWarning)
            flagged = find_label_issues(given, own, filter_by="both", n_jobs=1)
            flagged |= find_label_issues(given, own, filter_by="predicted_neq_given", n_jobs=1)
    flagged &= ~agree(decide(probs, label_threshold)[0], labels)
    rows = np.flatnonzero(flagged)
    return rows[np.argsort(scores[rows], kind="stable")][: int(np.ceil(most * len(labels)))]


def contradicting_duplicates(embeddings: Floats, labels: Labels) -> list[tuple[int, int]]:
    """Pairs of texts that say nearly the same but got different answers, closest first.

    embeddings: (n, d); labels: (n,) or (n, k). Each text is compared with its few nearest ones.
    """
    if len(embeddings) < 2:
        return []
    points, labels = unit(embeddings), np.asarray(labels)
    rows, cosines = nearest(points, points, NEIGHBOURS + 1)
    pairs: dict[tuple[int, int], float] = {}
    for i, j in np.argwhere(cosines >= SAME):
        a, b = sorted((int(i), int(rows[i, j])))
        if a != b and not agree(labels[a : a + 1], labels[b : b + 1])[0]:
            pairs[a, b] = float(cosines[i, j])
    return sorted(pairs, key=lambda pair: (-pairs[pair], pair))


def krippendorff_alpha(answers: Labels) -> float:
    """How far people agree, chance taken out: 1 = always, 0 = as by chance. NaN if no text has two
    answers.

    answers: (people, texts) class numbers, -1 where a person gave none; in multi-label data
        (people, texts, k) with -1 in all of a missing answer: the mean over the labels that some
        of the texts have and others not.
    Krippendorff 2004, nominal scale, by the package krippendorff.
    """
    import krippendorff

    answers = np.asarray(answers)
    if answers.ndim == 3:
        labels = list(np.moveaxis(answers, 2, 0))
        # Of a label that all of these texts have, or none has, agreement says nothing.
        varied = [label for label in labels if len(np.unique(_compared(label))) > 1]
        return float(np.mean([krippendorff_alpha(label) for label in varied or labels[:1]]))
    given = answers != MISSING
    values = _compared(answers)
    if not len(values):
        return float("nan")
    if len(np.unique(values)) < 2:
        return 1.0  # the library cannot tell agreement from chance when one answer is all there is
    data = np.where(given, answers, np.nan).astype(np.float64)
    return float(krippendorff.alpha(reliability_data=data, level_of_measurement="nominal"))


def _compared(answers: Labels) -> Labels:
    """Those of texts that have two answers or more."""
    given = answers != MISSING
    twice = given.sum(axis=0) >= 2
    return answers[:, twice][given[:, twice]]
