"""Out-of-sample probabilities: what a model says of a text whose label it has not seen."""

from collections.abc import Callable

import numpy as np

from scripts.active_learning.arrays import Floats, Rows

# Embeddings (n, d) -> probabilities (n, k).
Predict = Callable[[Floats], Floats]
FOLDS = 5


def cross_validate(fit: Callable[[Rows], Predict], X: Floats, k: int, seed: int = 0) -> Floats:
    """Probabilities (n, k) of X (n, d), n at least 2, each from a model that was not trained on it.

    fit: trains on these rows of X, and on whatever else is known.
    """
    from sklearn.model_selection import KFold

    probs = np.zeros((len(X), k))
    for train, test in KFold(min(FOLDS, len(X)), shuffle=True, random_state=seed).split(X):
        probs[test] = fit(train)(X[test])
    return probs
