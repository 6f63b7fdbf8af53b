"""Distances and clusters of embeddings, in bounded memory at 100,000 rows.

All functions work on the unit sphere (cosine): the encoder's embeddings have length one, others
are scaled here.
"""

import warnings
from collections.abc import Iterator

import numpy as np

from scripts.active_learning.arrays import Floats, Rows

# Values of a block of distances: 4 million float32 are 16 MB.
BLOCK = 4_000_000
# Centres of clusters are found on at most this many points.
SAMPLE = 10_000


def unit(embeddings: Floats) -> Floats:
    """The rows scaled to length one, as float32. (n, d) -> (n, d)."""
    if not embeddings.size:
        return np.zeros(embeddings.shape, dtype=np.float32)
    from sklearn.preprocessing import normalize

    return normalize(embeddings.astype(np.float32, copy=False))


def blocks(n: int, width: int) -> Iterator[slice]:
    """Slices of n rows, so that a block of (rows, width) stays small."""
    rows = max(1, BLOCK // max(width, 1))
    for start in range(0, n, rows):
        yield slice(start, min(start + rows, n))


def nearest(points: Floats, others: Floats, k: int = 1) -> tuple[Rows, Floats]:
    """The k nearest rows of others (m, d) for each of points (n, d), nearest first.

    Both of unit length. Returns their rows (n, k) and cosines (n, k); k is at most m.
    """
    k = min(k, len(others))
    rows = np.zeros((len(points), k), dtype=np.intp)
    cosines = np.zeros((len(points), k), dtype=np.float32)
    for block in blocks(len(points), len(others)):
        similar = points[block] @ others.T
        best = np.argpartition(-similar, k - 1, axis=1)[:, :k] if k else rows[block]
        value = np.take_along_axis(similar, best, axis=1)
        order = np.argsort(-value, axis=1, kind="stable")
        rows[block] = np.take_along_axis(best, order, axis=1)
        cosines[block] = np.take_along_axis(value, order, axis=1)
    return rows, cosines


def clusters(
    points: Floats, n: int, rng: np.random.Generator, weight: Floats | None = None
) -> Rows:
    """The cluster (0 to n - 1) of each of points (m, d), of unit length; some may stay empty.

    k-means by scikit-learn; of many points, in mini-batches on a sample of them.
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    n = min(n, len(points))
    if n < 2:
        return np.zeros(len(points), dtype=np.intp)
    seed = int(rng.integers(2**31))
    with warnings.catch_warnings():
        # Fewer distinct points than clusters: some clusters stay empty, as said above.
        warnings.simplefilter("ignore", ConvergenceWarning)
        if len(points) <= SAMPLE:
            means = KMeans(n, random_state=seed, n_init=1, max_iter=50)
            return means.fit(points, sample_weight=weight).labels_.astype(np.intp)
        rows = rng.choice(len(points), SAMPLE, replace=False)
        batches = MiniBatchKMeans(n, random_state=seed, n_init=1, batch_size=2048, max_iter=10)
        batches.fit(points[rows], sample_weight=None if weight is None else weight[rows])
    # The nearest centre by Euclid is that of the largest inner product less half its square.
    centres = batches.cluster_centers_
    found = np.zeros(len(points), dtype=np.intp)
    for block in blocks(len(points), n):
        found[block] = (points[block] @ centres.T - (centres**2).sum(axis=1) / 2).argmax(axis=1)
    return found


def without_near_duplicates(points: Floats, order: Rows, n: int, most: float) -> Rows:
    """The first n rows of order of which no two have a cosine above most.

    points: (m, d) of unit length. If there are too few of those, the list is filled up in order.
    """
    kept: list[int] = []
    skipped: list[int] = []
    for row in order:
        if len(kept) == n:
            break
        close = bool(kept) and float((points[kept] @ points[row]).max()) > most
        (skipped if close else kept).append(int(row))
    return np.array((kept + skipped)[:n], dtype=np.intp)


def typicality(points: Floats) -> Floats:
    """How dense each of points (m, d), of unit length, lies: the inverse of the mean Euclidean
    distance to its 20 nearest neighbours (Hacohen et al. 2022, "Active Learning on a Budget").

    Returns (m,). In time O(m^2): call it on one cluster or a sample of the pool.
    """
    if len(points) < 2:
        return np.ones(len(points))
    _, cosines = nearest(points, points, min(21, len(points)))
    # the first neighbour is the point itself
    distance = np.sqrt(np.maximum(2 - 2 * cosines[:, 1:], 0)).mean(axis=1)
    return 1 / np.maximum(distance, 1e-6)


def farthest_first(points: Floats, covered: Floats, n: int, rng: np.random.Generator) -> Rows:
    """Greedy k-center: again and again the point farthest from all that are covered or picked.

    points: (m, d), covered: (c, d), of unit length. Within twice the best possible radius
    (Gonzalez 1985).
    """
    closest = nearest(points, covered)[1][:, 0] if len(covered) else None
    jitter = rng.random(len(points)) * 1e-6  # ties, as among duplicates, in random order
    picked: list[int] = []
    for _ in range(min(n, len(points))):
        if closest is None:
            # Nothing is covered yet: begin in the middle, not with an outlier.
            row = int((points @ points.mean(axis=0)).argmax())
            closest = points @ points[row]
        else:
            row = int((closest + jitter).argmin())
            closest = np.maximum(closest, points @ points[row])
        picked.append(row)
        closest[picked] = np.inf
    return np.array(picked, dtype=np.intp)
