"""Scores: a head's arrays and embeddings (n, d) to probabilities, float64 (n, k), by numpy.

All that a trained pipeline needs of a head. A fitted head names its function by its `kind`,
registered as `classy_scores.KIND.v1`. Support vector machines have theirs in `classy_svc.py`.
"""

import numpy as np
from spacy.util import registry

Arrays = dict[str, np.ndarray]
# Texts that are scored at once: the float64 copy of a whole large pool would not fit in memory.
BLOCK = 16_384


@registry.misc("classy_scores.softmax.v1")
def softmax_scores(arrays: Arrays, X: np.ndarray) -> np.ndarray:
    """Linear, labels that exclude each other. coef (k, d), intercept (k,). Rows sum to 1."""
    return _softmax(_linear(arrays, X) + arrays["intercept"])


@registry.misc("classy_scores.sigmoid.v1")
def sigmoid_scores(arrays: Arrays, X: np.ndarray) -> np.ndarray:
    """Linear, labels that are independent of each other. coef (k, d), intercept (k,)."""
    return _sigmoid(_linear(arrays, X) + arrays["intercept"])


@registry.misc("classy_scores.kernel.v1")
def kernel_scores(arrays: Arrays, X: np.ndarray) -> np.ndarray:
    """A Gaussian kernel around each of m examples, labels that exclude each other. examples (m, d),
    dual (m, k), intercept (k,), gamma. Rows sum to 1."""
    return _softmax(_kernel_logits(arrays, X))


@registry.misc("classy_scores.linear_kernel.v1")
def linear_kernel_scores(arrays: Arrays, X: np.ndarray) -> np.ndarray:
    """A linear model and a Gaussian kernel around each of m points, their scores added; labels that
    exclude each other. coef (k, d), examples (m, d), dual (m, k), intercept (k,), gamma. Rows sum
    to 1."""
    return _softmax(_kernel_logits(arrays, X) + _linear(arrays, X))


def _linear(arrays: Arrays, X: np.ndarray) -> np.ndarray:
    if len(X) <= BLOCK:
        return X @ arrays["coef"].T
    starts = range(0, len(X), BLOCK)
    return np.concatenate([X[start : start + BLOCK] @ arrays["coef"].T for start in starts])


def _kernel_logits(arrays: Arrays, X: np.ndarray) -> np.ndarray:
    logits = np.empty((len(X), len(arrays["intercept"])))
    for start in range(0, len(X), 1024):  # the kernel of a whole pool would not fit in memory
        rows = slice(start, start + 1024)
        kernel = gaussian(X[rows], arrays["examples"], arrays["gamma"])
        logits[rows] = kernel @ arrays["dual"] + arrays["intercept"]
    return logits


def _softmax(logits: np.ndarray) -> np.ndarray:
    logits = logits - logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    return logits / logits.sum(axis=1, keepdims=True)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    # Past 500 the exponential overflows, and the result has long been 0.0 or 1.0.
    return 1 / (1 + np.exp(-np.clip(logits, -500, 500)))


@registry.misc("classy_kernel.gaussian.v1")
def gaussian(X: np.ndarray, vectors: np.ndarray, gamma: np.ndarray | float) -> np.ndarray:
    """exp(-gamma * squared distance) of each of X (n, d) and of vectors (m, d): (n, m)."""
    X, vectors = X.astype(np.float64), vectors.astype(np.float64)
    squares = (X**2).sum(axis=1)[:, None] + (vectors**2).sum(axis=1)[None]
    return np.exp(-gamma * np.maximum(squares - 2 * X @ vectors.T, 0))
