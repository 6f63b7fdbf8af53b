"""The first batch, when no label exists and no model can be unsure of anything."""

import numpy as np

from scripts.active_learning.arrays import Rows
from scripts.active_learning.query import QueryState, typiclust


def typical_and_diverse(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """The most typical text of each of n clusters of the pool, the largest cluster first.

    That is TypiClust (Hacohen et al. 2022) with nothing labelled yet: typical, so that the first
    answers stand for many texts; one a cluster, so that no class is likely to be missed.
    """
    return typiclust(state, n, rng)
