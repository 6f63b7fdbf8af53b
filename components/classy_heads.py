"""Heads: what turns sentence embeddings into probabilities.

A head is a function registered as `classy_head.NAME.v1`. It fits scikit-learn (or plain numpy) on
embeddings and returns a `FittedHead`: arrays, and the name of the function, registered as
`classy_scores.KIND.v1`, that computes probabilities from them with numpy alone. So nothing of
scikit-learn is saved with a pipeline or needed to run it.
"""

from typing import Callable, Dict, NamedTuple, Optional, Protocol

import numpy as np
from spacy.util import registry


class FittedHead(NamedTuple):
    kind: str
    arrays: Dict[str, np.ndarray]


class Head(Protocol):
    """Fit on n examples, k labels and d dimensions.

    X: float32 (n, d) embeddings. n may be 0, and a label may have no example.
    Y: float64 (n, k), 1.0 where the example has the label. One label a row unless `multi_label`.
    sample_weight: (n,) weights > 0.
    label_embeddings: (k, d) embeddings of the labels' names or descriptions.
    pool: (p, d) embeddings of unlabelled texts.
    """

    def __call__(
        self,
        X: np.ndarray,
        Y: np.ndarray,
        *,
        multi_label: bool = False,
        sample_weight: Optional[np.ndarray] = None,
        label_embeddings: Optional[np.ndarray] = None,
        pool: Optional[np.ndarray] = None,
        seed: int = 0,
    ) -> FittedHead: ...


Scores = Callable[[Dict[str, np.ndarray], np.ndarray], np.ndarray]


@registry.misc("classy_scores.softmax.v1")
def softmax_scores(arrays: Dict[str, np.ndarray], X: np.ndarray) -> np.ndarray:
    """Linear scores of labels that exclude each other. RETURNS float64 (n, k), rows sum to 1."""
    logits = X @ arrays["coef"].T + arrays["intercept"]
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    return logits / logits.sum(axis=1, keepdims=True)


@registry.misc("classy_scores.sigmoid.v1")
def sigmoid_scores(arrays: Dict[str, np.ndarray], X: np.ndarray) -> np.ndarray:
    """Linear scores of labels that are independent of each other. RETURNS float64 (n, k)."""
    logits = X @ arrays["coef"].T + arrays["intercept"]
    return 1 / (1 + np.exp(-np.clip(logits, -500, 500)))


@registry.misc("classy_head.logistic.v1")
def make_logistic(C: float = 1.0, temperature: float = 0.25) -> Head:
    """Logistic regression; scores are divided by `temperature`."""

    def fit(
        X: np.ndarray,
        Y: np.ndarray,
        *,
        multi_label: bool = False,
        sample_weight: Optional[np.ndarray] = None,
        label_embeddings: Optional[np.ndarray] = None,
        pool: Optional[np.ndarray] = None,
        seed: int = 0,
    ) -> FittedHead:
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        k, dim = Y.shape[1], X.shape[1]
        unseen = np.flatnonzero(Y.sum(axis=0) == 0)
        weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
        X = X.astype(np.float64)
        if len(unseen) and label_embeddings is not None:
            # A label without examples is represented by its name.
            X = np.vstack([X, label_embeddings[unseen]])
            Y = np.vstack([Y, np.eye(k)[unseen]])
            weight = np.append(weight, np.ones(len(unseen)))
        coef, intercept = np.zeros((k, dim)), np.zeros(k)
        with threadpool_limits(1):
            if multi_label or k == 1:
                for j in range(k):
                    if 0 < Y[:, j].sum() < len(Y):
                        model = LogisticRegression(C=C, max_iter=1000)
                        model.fit(X, Y[:, j], sample_weight=weight)
                        coef[j], intercept[j] = model.coef_[0], model.intercept_[0]
                    else:
                        intercept[j] = 3.0 if Y[:, j].any() else -3.0
                return FittedHead("sigmoid", {"coef": coef, "intercept": intercept})
            model = LogisticRegression(C=C, max_iter=1000)
            model.fit(X, Y.argmax(axis=1), sample_weight=weight)
        seen = model.classes_
        intercept[:] = -1e3
        if len(seen) == 2:
            coef[seen], intercept[seen] = [-model.coef_[0] / 2, model.coef_[0] / 2], 0
            intercept[seen[1]] = model.intercept_[0]
        else:
            coef[seen], intercept[seen] = model.coef_, model.intercept_
        return FittedHead(
            "softmax", {"coef": coef / temperature, "intercept": intercept / temperature}
        )

    return fit


@registry.misc("classy_head.zero_shot.v1")
def make_zero_shot(sharpness: float = 20.0) -> Head:
    """No examples: a text is compared with the names (or descriptions) of the labels."""

    def fit(
        X: np.ndarray,
        Y: np.ndarray,
        *,
        multi_label: bool = False,
        sample_weight: Optional[np.ndarray] = None,
        label_embeddings: Optional[np.ndarray] = None,
        pool: Optional[np.ndarray] = None,
        seed: int = 0,
    ) -> FittedHead:
        if label_embeddings is None:
            raise ValueError("The zero-shot head needs the labels' names or descriptions.")
        coef = sharpness * label_embeddings.astype(np.float64)
        if multi_label or len(coef) == 1:
            return FittedHead(
                "sigmoid", {"coef": coef, "intercept": np.full(len(coef), -0.2 * sharpness)}
            )
        return FittedHead("softmax", {"coef": coef, "intercept": np.zeros(len(coef))})

    return fit
