"""A head that learns from the texts without labels, and from what the labels are called.

At a few labels a class the unlabelled pool knows more than the labels do: texts on the same topic
lie close together. The labels spread over a graph of nearest neighbours of the pool, with the
labels' names as a faint first guess, and a linear head learns what comes out. Only that linear head
is kept: it is as small and as fast as plain logistic regression.
"""

from collections import OrderedDict
from collections.abc import Iterator
from functools import partial
from hashlib import sha1
from typing import Any, NamedTuple

import numpy as np
from spacy.util import registry


# A NamedTuple of the same shape as the other heads' result: files that ship stand alone.
class FittedHead(NamedTuple):
    kind: str
    arrays: dict[str, np.ndarray]


# Nearest neighbours of the last pools seen: the loop fits many times on the same one.
_NEIGHBOURS: OrderedDict[tuple[str, int], tuple[np.ndarray, np.ndarray]] = OrderedDict()


@registry.misc("classy_head.pool.v1")
def make_pool_head(
    neighbours: int = 15,
    spread: float = 0.8,
    prior: float = 0.02,
    prior_sharpness: float = 2.0,
    sharpness: float = 6.0,
    pool_weight: float = 1000.0,
    max_pool: int = 5_000,
    C: float = 0.5,
    balance: float = 0.5,
    temperature: float = 0.6,
) -> Any:
    """Label spreading over the pool (Zhou et al. 2003, "Learning with Local and Global
    Consistency"), then logistic regression on the spread labels.

    neighbours: of each text in the graph, by cosine.
    spread: share of a text's label that comes from its neighbours, against its own.
    prior: weight of the guess from the labels' names for a text of the pool; 1 = as much as a
        label by a person.
    prior_sharpness: how sharp that guess is. The cosines with each label's name are standardised
        over the pool first, so that no label is favoured for a name that is close to all texts.
    sharpness: exponent on the spread probabilities.
    pool_weight: the pool weighs as much as this many labels; so its say falls as labels come.
    max_pool: a larger pool is sampled, as the graph takes time in its square.
    C: inverse of the regularisation.
    balance: 1 lets every class weigh the same in the regression, however rare it is, 0 as much as
        it has texts.
    temperature: the scores are divided by it.

    With a pool too small for a graph, or with labels that do not exclude each other, it is
    classy_head.kernel.v1. Without any example, the labels' names are all that is spread.
    """
    return partial(
        fit_pool,
        neighbours=neighbours,
        spread=spread,
        prior=prior,
        prior_sharpness=prior_sharpness,
        sharpness=sharpness,
        pool_weight=pool_weight,
        max_pool=max_pool,
        C=C,
        balance=balance,
        temperature=temperature,
    )


def fit_pool(
    X: np.ndarray,
    Y: np.ndarray,
    *,
    multi_label: bool = False,
    sample_weight: np.ndarray | None = None,
    label_embeddings: np.ndarray | None = None,
    pool: np.ndarray | None = None,
    seed: int = 0,
    neighbours: int,
    spread: float,
    prior: float,
    prior_sharpness: float,
    sharpness: float,
    pool_weight: float,
    max_pool: int,
    C: float,
    balance: float,
    temperature: float,
) -> Any:
    """X (n, d), Y (n, k), pool (p, d), label_embeddings (k, d): see make_pool_head."""
    from threadpoolctl import threadpool_limits

    k = Y.shape[1]
    if multi_label or k < 2 or pool is None or len(pool) <= neighbours:
        return registry.misc.get("classy_head.kernel.v1")()(
            X,
            Y,
            multi_label=multi_label,
            sample_weight=sample_weight,
            label_embeddings=label_embeddings,
            seed=seed,
        )
    if len(pool) > max_pool:
        rows = np.random.default_rng(seed).choice(len(pool), max_pool, replace=False)
        pool = pool[np.sort(rows)]
    weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
    own, others = _unit(X), _unit(pool)
    # Handing matrices of this size to several threads takes longer than the work itself.
    with threadpool_limits(1):
        graph = _graph(own, others, neighbours)
        # A class with many labels must not drown one with few.
        count = np.maximum((Y * weight[:, None]).sum(axis=0), 1e-9)
        known = Y * weight[:, None] / count * count.sum() / k
        guess = np.full((len(pool), k), 1 / k)
        if label_embeddings is not None:
            guess = _guess(others, _unit(label_embeddings), prior_sharpness)
        start = np.vstack([known, prior * guess])
        state = start
        for _ in range(20):
            state = spread * (graph @ state) + (1 - spread) * start
        found = state[len(X) :] + 1e-12
        found = (found / found.sum(axis=1, keepdims=True)) ** sharpness
        found /= found.sum(axis=1, keepdims=True)
        sure = found.max(axis=1)
        sure *= min(pool_weight, len(pool)) / sure.sum()
        coef, intercept = _soft_logistic(
            np.vstack([X, pool]),
            np.vstack([Y, found]) * np.concatenate([weight, sure])[:, None],
            C,
            balance,
        )
    return FittedHead("softmax", {"coef": coef / temperature, "intercept": intercept / temperature})


def _unit(X: np.ndarray) -> np.ndarray:
    X = np.asarray(X, dtype=np.float32)
    return X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-12)


def _guess(pool: np.ndarray, names: np.ndarray, sharpness: float) -> np.ndarray:
    cosines = (pool @ names.T).astype(np.float64)
    spread = np.maximum(cosines.std(axis=0), 1e-6)
    return _softmax(sharpness * (cosines - cosines.mean(axis=0)) / spread)


def _softmax(scores: np.ndarray) -> np.ndarray:
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def _graph(X: np.ndarray, pool: np.ndarray, k: int) -> Any:
    """The symmetric, normalised graph of nearest neighbours of X (n, d) and pool (p, d), rows in
    this order: sparse (n + p, n + p)."""
    from scipy.sparse import csr_matrix, diags

    n, p = len(X), len(pool)
    key = (sha1(pool.tobytes()).hexdigest(), k)
    if key not in _NEIGHBOURS:
        _NEIGHBOURS[key] = _nearest(pool, pool, k)
        while len(_NEIGHBOURS) > 2:
            _NEIGHBOURS.popitem(last=False)
    rows, cosines = _NEIGHBOURS[key]
    i = np.repeat(np.arange(n, n + p), k)
    j, value = rows.ravel() + n, cosines.ravel()
    if n:
        mine, close = _nearest(X, np.vstack([X, pool]), k)
        i = np.concatenate([i, np.repeat(np.arange(n), k)])
        j, value = np.concatenate([j, mine.ravel()]), np.concatenate([value, close.ravel()])
    edges = csr_matrix((np.maximum(value, 0).astype(np.float64), (i, j)), shape=(n + p, n + p))
    edges = edges.maximum(edges.T)
    degree = np.maximum(np.asarray(edges.sum(axis=1)).ravel(), 1e-12)
    scale = diags(1 / np.sqrt(degree))
    return scale @ edges @ scale


def _blocks(n: int, width: int) -> Iterator[slice]:
    rows = max(1, 4_000_000 // width)
    return (slice(start, start + rows) for start in range(0, n, rows))


def _nearest(points: np.ndarray, others: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest rows of others for each of points, which are its first rows, without itself.
    RETURNS: rows (n, k) and cosines (n, k)."""
    rows = np.zeros((len(points), k), dtype=np.int32)
    cosines = np.zeros((len(points), k), dtype=np.float32)
    for block in _blocks(len(points), len(others)):
        similar = points[block] @ others.T
        here = np.arange(len(similar))
        similar[here, here + block.start] = -1
        best = np.argpartition(-similar, k - 1, axis=1)[:, :k]
        rows[block], cosines[block] = best, np.take_along_axis(similar, best, axis=1)
    return rows, cosines


def _soft_logistic(
    X: np.ndarray, mass: np.ndarray, C: float, balance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Multinomial logistic regression on how much each row weighs for each class, mass (n, k),
    which scikit-learn's takes only with each row repeated k times. RETURNS: coef (k, d),
    intercept (k,)."""
    from scipy.optimize import minimize

    X = np.asarray(X, dtype=np.float32)
    k, d = mass.shape[1], X.shape[1]
    total = np.maximum(mass.sum(axis=0), 1e-9)
    mass = mass * (total.mean() / total) ** balance
    mass *= C * total.sum() / mass.sum()
    rows = mass.sum(axis=1, keepdims=True)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        coef, intercept = flat[: k * d].reshape(k, d), flat[k * d :]
        scores = (X @ coef.T.astype(np.float32)).astype(np.float64) + intercept
        scores -= scores.max(axis=1, keepdims=True)
        log = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        value = -(mass * log).sum() + 0.5 * (coef**2).sum()
        slope = np.exp(log) * rows - mass
        down = (slope.T.astype(np.float32) @ X).astype(np.float64) + coef
        return float(value), np.concatenate([down.ravel(), slope.sum(axis=0)])

    options = {"maxiter": 300, "gtol": 1e-3}
    best = minimize(loss, np.zeros(k * d + k), jac=True, method="L-BFGS-B", options=options).x
    return best[: k * d].reshape(k, d), best[k * d :]
