"""The pool's graph of nearest neighbours, and what heads do on it. Used through spaCy's registry.

Pools have p texts, d dimensions and k labels. The loop fits many times on the same pool, so what
depends on the pool alone is remembered in this process, by content, for the last few pools.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha1
from typing import Any

import numpy as np
from spacy.util import registry

_REMEMBERED: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
MOST_REMEMBERED = 16
# Values of a block of cosines: 4 million float32 are 16 MB.
BLOCK = 4_000_000


@registry.misc("classy_pool.remember.v1")
def remember(name: str, arrays: Sequence[np.ndarray], make: Callable[[], Any]) -> Any:
    """make(), or what it gave the last time with this name and arrays of this content."""
    key = (name, *(sha1(np.ascontiguousarray(array).tobytes()).hexdigest() for array in arrays))
    if key not in _REMEMBERED:
        _REMEMBERED[key] = make()
    _REMEMBERED.move_to_end(key)
    while len(_REMEMBERED) > MOST_REMEMBERED:
        _REMEMBERED.popitem(last=False)
    return _REMEMBERED[key]


@registry.misc("classy_pool.unit.v1")
def unit(X: np.ndarray) -> np.ndarray:
    """Rows of length one, float32 (n, d)."""
    X = np.asarray(X, dtype=np.float32)
    return X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-12)


@registry.misc("classy_pool.sample.v1")
def sample(pool: np.ndarray, most: int, seed: int) -> np.ndarray:
    """At most so many texts of the pool, drawn at random: the graph takes time in their square."""
    if len(pool) <= most:
        return pool
    return pool[np.sort(np.random.default_rng(seed).choice(len(pool), most, replace=False))]


@registry.misc("classy_pool.guess.v1")
def guess(pool: np.ndarray, names: np.ndarray | None, k: int, sharpness: float = 2.0) -> np.ndarray:
    """What the names say of each text, (p, k), rows sum to 1; all alike without names. pool (p, d)
    and names (k, d) of unit length. The cosines with a name are standardised over the pool, so that
    no label is favoured for a name that is close to all texts."""
    if names is None:
        return np.full((len(pool), k), 1 / k)
    cosines = (pool @ names.T).astype(np.float64)
    deviation = np.maximum(cosines.std(axis=0), 1e-6)
    scores = sharpness * (cosines - cosines.mean(axis=0)) / deviation
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


@registry.misc("classy_pool.graph.v1")
def graph(X: np.ndarray, pool: np.ndarray, k: int) -> Any:
    """The symmetric, normalised graph of k nearest neighbours of X (n, d) and pool (p, d), both of
    unit length, rows in this order: sparse (n + p, n + p)."""
    if not len(X):
        return remember(f"graph {k}", [pool], lambda: _edges(X, pool, k))
    return _edges(X, pool, k)


def _edges(X: np.ndarray, pool: np.ndarray, k: int) -> Any:
    from scipy.sparse import csr_matrix, diags

    n, p = len(X), len(pool)
    rows, cosines = remember(f"nearest {k}", [pool], lambda: nearest(pool, pool, k))
    i = np.repeat(np.arange(n, n + p), k)
    j, value = rows.ravel() + n, cosines.ravel()
    if n:
        mine, close = nearest(X, np.vstack([X, pool]), k)
        i = np.concatenate([i, np.repeat(np.arange(n), k)])
        j, value = np.concatenate([j, mine.ravel()]), np.concatenate([value, close.ravel()])
    edges = csr_matrix((np.maximum(value, 0).astype(np.float64), (i, j)), shape=(n + p, n + p))
    edges = edges.maximum(edges.T)
    degree = np.maximum(np.asarray(edges.sum(axis=1)).ravel(), 1e-12)
    scale = diags(1 / np.sqrt(degree))
    return scale @ edges @ scale


def nearest(points: np.ndarray, others: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
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


def _blocks(n: int, width: int) -> Iterator[slice]:
    rows = max(1, BLOCK // width)
    return (slice(start, start + rows) for start in range(0, n, rows))


@registry.misc("classy_pool.spread.v1")
def spread(edges: Any, start: np.ndarray, share: float, steps: int = 20) -> np.ndarray:
    """Label spreading (Zhou et al. 2003, "Learning with Local and Global Consistency"): each text's
    labels are this share its neighbours' and otherwise its own. start (n, k) -> (n, k)."""
    state = start
    for _ in range(steps):
        state = share * (edges @ state) + (1 - share) * start
    return state


@registry.misc("classy_pool.own_share.v1")
def own_share(pool: np.ndarray, rows: np.ndarray, k: int, share: float) -> np.ndarray:
    """(n,): how much of a label of each of these rows of the pool comes back to the row itself when
    it spreads. Remembered by row, as a step adds a few labels to many."""
    known: dict[int, float] = remember(f"own share {k} {share}", [pool], dict)
    new = np.array(sorted(set(rows.tolist()) - known.keys()), dtype=np.intp)
    if len(new):
        edges = graph(pool[:0], pool, k).astype(np.float32)
        one = np.zeros((len(pool), len(new)), dtype=np.float32)
        one[new, np.arange(len(new))] = 1
        # Few steps do: long ways round hardly lead back.
        back = spread(edges, one, share, steps=8)[new, np.arange(len(new))]
        known.update(zip(new.tolist(), back.tolist(), strict=True))
    return np.array([known[row] for row in rows.tolist()])


@registry.misc("classy_pool.soft_logistic.v1")
def soft_logistic(
    X: np.ndarray, mass: np.ndarray, C: float, balance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Multinomial logistic regression on how much each row weighs for each class, mass (n, k),
    which scikit-learn's takes only with each row repeated k times.

    balance: 1 lets every class weigh the same, however rare it is, 0 as much as its mass.
    RETURNS: coef (k, d), intercept (k,)."""
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
