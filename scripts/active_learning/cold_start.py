"""The first batch, when no label exists and no model can be unsure of anything."""

import numpy as np

from scripts.active_learning.query import QueryState, Rows


def typical_and_diverse(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """placeholder: random until the clustering strategies land"""
    return rng.permutation(len(state))[: max(n, 0)]
