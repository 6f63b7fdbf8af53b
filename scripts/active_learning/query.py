"""Query strategies: which texts of the pool a person should label next.

A strategy is a pure function of the pool's probabilities and embeddings. It returns the row
numbers it picks, best first. Scores are "higher is asked first" and ties are broken at random,
so that a model that knows nothing yet (all probabilities equal) picks at random and not by the
order of the file.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Rows = NDArray[np.intp]


def _no_rows() -> Floats:
    return np.zeros((0, 0))


@dataclass(frozen=True)
class QueryState:
    """What a strategy may look at.

    probs: (n, k) the model's probabilities for the n texts of the pool that can be asked.
    embeddings: (n, d) their embeddings; may be empty (0, 0) for strategies that don't use them.
    labelled_embeddings: (m, d) embeddings of the texts that already have a label; (0, 0) if none.
    labelled_probs: (m, k) the model's probabilities for those; (0, 0) if none.
    multi_label: the k classes are independent, each row is k probabilities of "yes".
    """

    probs: Floats
    embeddings: Floats = field(default_factory=_no_rows)
    labelled_embeddings: Floats = field(default_factory=_no_rows)
    labelled_probs: Floats = field(default_factory=_no_rows)
    multi_label: bool = False

    def __post_init__(self) -> None:
        if self.probs.ndim != 2:
            raise ValueError(f"probs must have shape (n, k), not {self.probs.shape}")
        if not np.isfinite(self.probs).all():
            raise ValueError("probs hold values that are not finite; check the model's training")
        if self.embeddings.size and len(self.embeddings) != len(self.probs):
            raise ValueError(
                f"{len(self.probs)} rows of probabilities but {len(self.embeddings)} embeddings"
            )
        if self.labelled_probs.size and len(self.labelled_probs) != len(self.labelled_embeddings):
            raise ValueError(
                f"{len(self.labelled_embeddings)} labelled embeddings but "
                f"{len(self.labelled_probs)} rows of their probabilities"
            )

    def __len__(self) -> int:
        return len(self.probs)

    def take(self, rows: Rows) -> "QueryState":
        """The same state with these rows of the pool only."""
        embeddings = self.embeddings[rows] if self.embeddings.size else self.embeddings
        return replace(self, probs=self.probs[rows], embeddings=embeddings)


Strategy = Callable[[QueryState, int, np.random.Generator], Rows]


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


def top_rows(scores: Floats, n: int, rng: np.random.Generator) -> Rows:
    """The rows of the n highest of scores (m,), highest first, ties in random order."""
    order = np.lexsort((rng.random(len(scores)), -scores))
    return order[: max(n, 0)]


def fifo(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """In the order of the pool: the tutorial's way."""
    return np.arange(min(max(n, 0), len(state)))


def random(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """Uniformly at random: the measure that every other strategy has to beat."""
    return rng.permutation(len(state))[: max(n, 0)]


def least_confidence(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """The texts whose best class is least probable (see least_confidence_score)."""
    return top_rows(least_confidence_score(state.probs, state.multi_label), n, rng)


def margin(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """The texts whose two best classes are closest (see margin_score)."""
    return top_rows(margin_score(state.probs, state.multi_label), n, rng)


def entropy(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """The texts with the most even spread over all classes (see entropy_score)."""
    return top_rows(entropy_score(state.probs, state.multi_label), n, rng)


# Luo et al. 2005, "Active Learning to Recognize Multiple Types of Plankton", gave margin sampling
# its second name: "breaking ties" asks for the smallest difference of the two best classes.
breaking_ties = margin


STRATEGIES: dict[str, Strategy] = {
    "fifo": fifo,
    "random": random,
    "least_confidence": least_confidence,
    "margin": margin,
    "breaking_ties": breaking_ties,
    "entropy": entropy,
}
