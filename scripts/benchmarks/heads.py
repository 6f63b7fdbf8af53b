"""Heads as the simulation wants them, and how they do on labels drawn at random."""

from collections.abc import Callable

import numpy as np
from spacy.util import registry

import components.classy_heads
import components.pool_heads
from scripts.active_learning.arrays import Floats, Labels
from scripts.active_learning.simulate import Corpus, Fit, Predict

Head = Callable[..., components.classy_heads.FittedHead]


def make_head(name: str) -> Head:
    """The head registered as classy_head.NAME.v1, with its default settings."""
    return registry.misc.get(f"classy_head.{name}.v1")()


def fit_on(head: Head, corpus: Corpus, label_embeddings: Floats, seed: int = 0) -> Fit:
    """The head as a function of embeddings, class numbers and weights. It sees the pool's texts,
    never their labels."""

    def fit(embeddings: Floats, labels: Labels, weight: Floats | None) -> Predict:
        fitted = head(
            embeddings,
            np.eye(corpus.k)[labels],
            sample_weight=weight,
            label_embeddings=label_embeddings,
            pool=corpus.embeddings,
            seed=seed,
        )
        scores = registry.misc.get(f"classy_scores.{fitted.kind}.v1")
        return lambda texts: scores(fitted.arrays, texts)

    return fit


def balanced_rows(labels: Labels, n: int, k: int, rng: np.random.Generator) -> np.ndarray:
    """n rows at random, as many of each of k classes."""
    each = [rng.permutation(np.flatnonzero(labels == c))[: n // k] for c in range(k)]
    return np.concatenate(each)
