"""What the labels' names say about a pool, and how far they can be believed before any label.

Used through spaCy's registry. Pools have p texts, d dimensions and k labels.
"""

from typing import Any

import numpy as np
from spacy.util import registry


def _shared(name: str) -> Any:
    """A function of another file: files that ship stand alone and meet in spaCy's registry."""
    return registry.misc.get(name)


@registry.misc("classy_pool.names.v1")
def names_model(
    pool: np.ndarray, names: np.ndarray, neighbours: int
) -> tuple[np.ndarray, np.ndarray]:
    """A linear model of what the names say: the guesses from them, spread over the pool and
    learned, with honest probabilities. pool (p, d), names (k, d). RETURNS: coef (k, d), intercept
    (k,). Remembered by content, as the loop asks at every step."""

    def make() -> tuple[np.ndarray, np.ndarray]:
        k = len(names)
        nothing = np.zeros((0, pool.shape[1]), dtype=np.float32), np.zeros((0, k))
        head = _shared("classy_head.pool.v1")(neighbours=neighbours, max_pool=len(pool))
        arrays = head(*nothing, label_embeddings=names, pool=pool).arrays
        logits = pool @ arrays["coef"].T + arrays["intercept"]
        certainty = expected_accuracy(pool, names, logits.argmax(axis=1))
        scale = scale_to_certainty(logits, certainty)
        return arrays["coef"] * scale, arrays["intercept"] * scale

    return _shared("classy_pool.remember.v1")(f"names {neighbours}", [pool, names], make)


def expected_accuracy(pool: np.ndarray, names: np.ndarray, labels: np.ndarray) -> float:
    """How often labels (p,), made from the names, will be right, told without any gold label.

    Two things hold where names mean what separates the texts. The label of a text by its name alone
    is that which its neighbourhood has come to (agreement). And the labels split the pool about as
    well as k-means, which looks for nothing but a good split (share of the variance explained,
    compared). The product of the two is taken for the share of texts that are known, the rest for
    guesses.
    """
    from sklearn.cluster import KMeans

    k = len(names)
    alone = (pool @ names.T).argmax(axis=1)
    means = KMeans(min(k, len(pool)), n_init=1, random_state=0).fit(pool)
    best = _explained(pool, means.labels_)
    known = (alone == labels).mean() * min(_explained(pool, labels) / max(best, 1e-9), 1.0)
    return float(known + (1 - known) / k)


def _explained(X: np.ndarray, groups: np.ndarray) -> float:
    """Sum of squares between groups (n,) of X (n, d)."""
    centre = X.mean(axis=0)
    parts = [X[groups == group] for group in np.unique(groups)]
    return float(sum(len(part) * ((part.mean(axis=0) - centre) ** 2).sum() for part in parts))


@registry.misc("classy_pool.scale_to_certainty.v1")
def scale_to_certainty(logits: np.ndarray, certainty: float) -> float:
    """The factor on logits (n, k) with which the mean of the largest probabilities is this."""
    low, high = -5.0, 5.0  # logarithms
    for _ in range(40):
        middle = (low + high) / 2
        scores = np.exp(np.exp(middle) * (logits - logits.max(axis=1, keepdims=True)))
        sure = float((1 / scores.sum(axis=1)).mean())
        low, high = (middle, high) if sure < certainty else (low, middle)
    return float(np.exp(middle))
