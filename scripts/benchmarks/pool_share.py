"""What the default head loses where it looks at a part of the pool only, or at neighbours that are
found by approximation: the same labels, split and seed, by turns."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest.mock import patch

import numpy as np
from spacy.util import registry

import components.code  # noqa: F401
from components import pool_graph
from scripts.benchmarks.corpora import Embedded, split
from scripts.benchmarks.heads import balanced_rows, fit_on
from scripts.cli.errors import ProjectError

Nearest = Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]


def compare(
    datasets: Sequence[Embedded],
    parts: Sequence[int],
    budgets: Sequence[int],
    seeds: int,
    approximately: bool = False,
) -> Iterator[dict[str, Any]]:
    """A row a data set and way: accuracy on the test texts at each number of labels and, after the
    first row (the whole pool, exact neighbours), the mean difference from it in points.

    parts: Most texts of the pool that the head looks at. approximately: And the whole pool,
        with neighbours found by approximation.
    """
    ways: dict[str, tuple[int, Nearest | None]] = {"all": (10**9, None)}
    ways |= {f"{part} texts": (part, None) for part in parts}
    if approximately:
        ways["all, approximate"] = (10**9, approximate())
    for data in datasets:
        found = {name: _accuracies(data, *way, budgets, seeds) for name, way in ways.items()}
        for name, (accuracy, seconds) in found.items():
            row: dict[str, Any] = {"data": data.name, "pool": name}
            for budget, own, all_ in zip(budgets, accuracy, found["all"][0], strict=True):
                change = "" if name == "all" else f" ({100 * (own - all_).mean():+.1f})"
                row[str(budget)] = f"{own.mean():.3f}{change}"
            yield {**row, "seconds": f"{seconds:.2f}"}


def _accuracies(
    data: Embedded, most: int, near: Nearest | None, budgets: Sequence[int], seeds: int
) -> tuple[np.ndarray, float]:
    """(budgets, seeds), and the median seconds of a fit after the first on a pool."""
    k = len(data.label_names)
    head = registry.misc.get("classy_head.evidence.v1")(max_pool=most)
    right, seconds = np.zeros((len(budgets), seeds)), []
    pool_graph._REMEMBERED.clear()  # of another way to find neighbours
    for seed in range(seeds):
        corpus = split(data.embeddings, data.labels, k, np.random.default_rng(seed))
        fit = fit_on(head, corpus, data.label_names, seed)
        for i, budget in enumerate(budgets):
            rows = balanced_rows(corpus.truth, budget, k, np.random.default_rng(seed))
            begin = time.perf_counter()
            with patch.object(pool_graph, "nearest", near or pool_graph.nearest):
                model = fit(corpus.embeddings[rows], corpus.truth[rows])
            seconds += [time.perf_counter() - begin] * (i > 0)
            predicted = model(corpus.test_embeddings).argmax(axis=1)
            right[i, seed] = (predicted == corpus.test_labels).mean()
    return right, float(np.median(seconds)) if seconds else float("nan")


def approximate() -> Nearest:
    """Neighbours as pool_graph.nearest gives them, by a graph of hierarchical small worlds.

    RAISES (ProjectError): The library is not installed.
    """
    try:
        import faiss
    except ImportError:
        raise ProjectError("faiss is not installed.", "pip install faiss-cpu") from None

    def near(points: np.ndarray, others: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        index = faiss.IndexHNSWFlat(others.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction, index.hnsw.efSearch = 60, 48
        index.add(others)
        cosines, rows = index.search(others[: len(points)], k + 1)
        # Itself is among them, or duplicates in its place: it is left out, or else the last.
        itself = rows == np.arange(len(rows))[:, None]
        itself[~itself.any(axis=1), -1] = True
        return rows[~itself].reshape(len(rows), k), cosines[~itself].reshape(len(rows), k)

    return near
