"""A head that learns from the texts without labels, and from what the labels are called.

At a few labels a class the unlabelled pool knows more than the labels do: texts on the same topic
lie close together. The labels spread over a graph of nearest neighbours of the pool, with the
labels' names as a faint first guess, and a linear head learns what comes out. Only that linear head
is kept: it is as small and as fast as plain logistic regression.

It takes for granted that classes are of about one size and that their names mean something; where
that is not known, `evidence_head.py` is the better choice.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from spacy.util import registry


# A NamedTuple of the same shape as the other heads' result: files that ship stand alone.
class FittedHead(NamedTuple):
    kind: str
    arrays: dict[str, np.ndarray]


# The scores are divided by it: the regression is taught with what is sure, and is less sure itself.
TEMPERATURE = 0.6


class PoolSettings(NamedTuple):
    """neighbours: of each text in the graph, by cosine.
    spread: share of a text's label that comes from its neighbours, against its own.
    prior: weight of the guess from the labels' names for a text of the pool; 1 = as much as a
        label by a person.
    sharpness: exponent on the spread probabilities.
    pool_weight: the pool weighs as much as this many labels; so its say falls as labels come.
    max_pool: a larger pool is sampled, as the graph takes time in its square.
    C: inverse of the regularisation.
    balance: 1 lets every class weigh the same in the regression, however rare it is, 0 as much as
        it has texts."""

    neighbours: int = 15
    spread: float = 0.8
    prior: float = 0.02
    sharpness: float = 6.0
    pool_weight: float = 1000.0
    max_pool: int = 5_000
    C: float = 0.5
    balance: float = 0.5


DEFAULTS = PoolSettings()


@registry.misc("classy_head.pool.v1")
def make_pool_head(
    neighbours: int = DEFAULTS.neighbours,
    spread: float = DEFAULTS.spread,
    prior: float = DEFAULTS.prior,
    pool_weight: float = DEFAULTS.pool_weight,
    max_pool: int = DEFAULTS.max_pool,
    C: float = DEFAULTS.C,
    balance: float = DEFAULTS.balance,
) -> Any:
    """Label spreading over the pool (Zhou et al. 2003, "Learning with Local and Global
    Consistency"), then logistic regression on the spread labels. See PoolSettings.

    With a pool too small for a graph, or with labels that do not exclude each other, it is
    classy_head.kernel.v1. Without any example, the labels' names are all that is spread.
    """
    settings = DEFAULTS._replace(
        neighbours=neighbours,
        spread=spread,
        prior=prior,
        pool_weight=pool_weight,
        max_pool=max_pool,
        C=C,
        balance=balance,
    )
    return partial(fit_pool, settings=settings)


def _shared(name: str) -> Any:
    """A function of another file: files that ship stand alone and meet in spaCy's registry."""
    return registry.misc.get(name)


def fit_pool(
    X: np.ndarray,
    Y: np.ndarray,
    *,
    settings: PoolSettings = DEFAULTS,
    multi_label: bool = False,
    label_embeddings: np.ndarray | None = None,
    pool: np.ndarray | None = None,
    seed: int = 0,
) -> Any:
    """X (n, d), Y (n, k), label_embeddings (k, d), pool (p, d)."""
    from threadpoolctl import threadpool_limits

    k = Y.shape[1]
    if multi_label or k < 2 or pool is None or len(pool) <= settings.neighbours:
        return _shared("classy_head.kernel.v1")()(
            X,
            Y,
            multi_label=multi_label,
            label_embeddings=label_embeddings,
            seed=seed,
        )
    pool = _shared("classy_pool.sample.v1")(pool, settings.max_pool, seed)
    unit = _shared("classy_pool.unit.v1")
    own, others = unit(X), unit(pool)
    names = None if label_embeddings is None else unit(label_embeddings)
    # Handing matrices of this size to several threads takes longer than the work itself.
    with threadpool_limits(1):
        graph = _shared("classy_pool.graph.v1")(own, others, settings.neighbours)
        # A class with many labels must not drown one with few.
        count = np.maximum(Y.sum(axis=0), 1e-9)
        known = Y / count * count.sum() / k
        guess = _shared("classy_pool.guess.v1")(others, names, k)
        start = np.vstack([known, settings.prior * guess])
        found = _shared("classy_pool.spread.v1")(graph, start, settings.spread)[len(X) :] + 1e-12
        found = (found / found.sum(axis=1, keepdims=True)) ** settings.sharpness
        found /= found.sum(axis=1, keepdims=True)
        sure = found.max(axis=1)
        sure *= min(settings.pool_weight, len(pool)) / sure.sum()
        coef, intercept = _shared("classy_pool.soft_logistic.v1")(
            np.vstack([X, pool]),
            np.vstack([Y, found]) * np.concatenate([np.ones(len(X)), sure])[:, None],
            settings.C,
            settings.balance,
        )
    return FittedHead("softmax", {"coef": coef / TEMPERATURE, "intercept": intercept / TEMPERATURE})
