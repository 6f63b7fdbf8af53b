"""Time and memory of the query strategies and the heads on a large pool."""

import time
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from scripts.active_learning.query import STRATEGIES, QueryState
from scripts.benchmarks.heads import make_head


def blobs(n: int, dim: int, k: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (n, dim) float32 around 20 topics a class, and their classes (n,)."""
    centres = rng.normal(size=(20 * k, dim)).astype(np.float32)
    topic = rng.integers(len(centres), size=n)
    points = centres[topic] + 0.4 * rng.normal(size=(n, dim)).astype(np.float32)
    return points / np.linalg.norm(points, axis=1, keepdims=True), topic % k


def measure(
    strategies: Sequence[str], n: int, dim: int, k: int, labelled: int, batch_size: int
) -> list[dict[str, Any]]:
    """A row a strategy: seconds, and the most memory beyond the embeddings themselves."""
    rng = np.random.default_rng(0)
    points, classes = blobs(n + labelled, dim, k, rng)
    Y = np.eye(k)[classes[:labelled]]
    rows = []
    for head in ("logistic", "pool"):
        rows.append(
            _timed(f"head {head}", partial(make_head(head), points[:labelled], Y, pool=points))
        )
    probs = rng.dirichlet(np.full(k, 0.5), size=n + labelled)
    state = QueryState(probs[labelled:], points[labelled:], points[:labelled], probs[:labelled])
    for name in strategies:
        rows.append(_timed(name, partial(STRATEGIES[name], state, batch_size, rng)))
    return rows


def _timed(name: str, call: Callable[[], object]) -> dict[str, Any]:
    start = time.perf_counter()
    call()
    seconds = time.perf_counter() - start
    tracemalloc.start()  # in a run of its own, as it slows the other down
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"what": name, "seconds": f"{seconds:.2f}", "MB": f"{peak / 1e6:.0f}"}
