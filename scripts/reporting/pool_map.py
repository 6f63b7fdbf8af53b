"""The pool in two dimensions: texts that say similar things lie close together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

MOST = 1500  # texts on the map: more make the page heavy, and hide each other
LABELLED = 500  # of these at most
FEWEST = 10
COLOURS = 9  # that can be told apart; all further labels share one
OTHERS = "other labels"


class Point(NamedTuple):
    """x, y: from 0 to 1. group: Number of its colour."""

    x: float
    y: float
    group: int
    labelled: bool
    text: str


class Group(NamedTuple):
    """A colour, and how many texts of the whole pool have it."""

    name: str
    texts: int


@dataclass(frozen=True)
class PoolMap:
    """points: Those that people have labelled last, as they lie on top. total: Texts of which they
    are a sample."""

    points: list[Point]
    groups: list[Group]
    total: int


def draw_map(
    embeddings: np.ndarray,
    names: Sequence[str],
    labelled: np.ndarray,
    texts: Sequence[str],
    seed: int,
) -> PoolMap | None:
    """embeddings: (n, d). names: What the model calls each text. labelled: (n,) whether people have
    labelled it. texts: Short. None where there are too few to draw."""
    if len(texts) < FEWEST:
        return None
    counts = Counter(names).most_common()
    groups = [Group(*one) for one in counts]
    if len(groups) > COLOURS:
        rest = sum(texts for _, texts in groups[COLOURS - 1 :])
        groups = [*groups[: COLOURS - 1], Group(OTHERS, rest)]
    colour = {name: min(place, COLOURS - 1) for place, (name, _) in enumerate(counts)}
    rows = _sample(labelled, np.random.default_rng(seed))
    points = [
        Point(float(x), float(y), colour[names[row]], bool(labelled[row]), texts[row])
        for (x, y), row in zip(_flatten(embeddings[rows], seed), rows, strict=True)
    ]
    return PoolMap(points, groups, len(texts))


def _sample(labelled: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows, those that people have labelled last."""
    ours, others = (rng.permutation(np.flatnonzero(x)) for x in (labelled, ~labelled))
    if len(labelled) > MOST:
        ours = ours[:LABELLED]
        others = others[: MOST - len(ours)]
    return np.concatenate([np.sort(others), np.sort(ours)])


def _flatten(embeddings: np.ndarray, seed: int) -> np.ndarray:
    """(n, d) -> (n, 2), each from 0 to 1: t-SNE (van der Maaten & Hinton 2008) of the first 50
    principal components, as scikit-learn advises."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    n, d = embeddings.shape
    main = PCA(min(50, n - 1, d), random_state=seed).fit_transform(embeddings)
    made = TSNE(
        perplexity=min(30, (n - 1) / 3), init="pca", learning_rate="auto", random_state=seed
    ).fit_transform(main)
    low, high = made.min(axis=0), made.max(axis=0)
    return (made - low) / np.maximum(high - low, 1e-9)
