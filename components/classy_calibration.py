"""Calibration: the scale and the constants that make scores into probabilities, from held-out
examples and from priors where those are few. Used by all heads, through spaCy's registry.
"""

import numpy as np
from spacy.util import registry

# Frozen sentence embeddings, whatever their number: logits are right when they are scaled so that
# a training text's own label leads the others by about this much (5 to 14 on AG News, BBC News,
# 20 Newsgroups with 1 to 200 examples a label). Examples move the scale away from it.
USUAL_MARGIN = 8.0
# How sure that is, and how unlikely a constant error of a label's scores is, as precisions
# (1/variance) of normal priors over the log of the scale and over the constants.
SCALE_PRECISION = 8.0
BIAS_PRECISION = 3.0
# Cohen's kappa between two experts at which their usual scales hold, and the least share of these
# that is left, from which examples can still raise them.
USUAL_AGREEMENT = 0.64
LEAST_TRUST = 0.4
# Above this many examples, one held-out part (instead of every fold) is enough to calibrate on.
MANY_EXAMPLES = 2000
FOLDS = 5


@registry.misc("classy_calibration.calibrate.v1")
def calibrate(
    logits: np.ndarray,
    y: np.ndarray,
    usual_scale: float,
    *,
    with_bias: bool = True,
) -> tuple[float, np.ndarray, float]:
    """The scale and the constant a class that make held-out logits (n, k) most likely, under the
    priors above: temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks")
    that also works with no held-out text at all. RETURNS scale, bias (k,), negative log
    posterior."""
    from scipy.optimize import minimize

    rows, k = np.arange(len(y)), logits.shape[1]

    def loss(params: np.ndarray) -> tuple[float, np.ndarray]:
        scale, bias = np.exp(params[0]), params[1:]
        P = _softmax(logits * scale + bias)
        error = P.copy()
        error[rows, y] -= 1
        off = params[0] - np.log(usual_scale)
        value = -np.log(np.maximum(P[rows, y], 1e-300)).sum()
        value += (SCALE_PRECISION * off**2 + BIAS_PRECISION * (bias**2).sum()) / 2
        towards_scale = (error * logits).sum() * scale + SCALE_PRECISION * off
        return value, np.append(towards_scale, error.sum(axis=0) + BIAS_PRECISION * bias)

    start = np.append(np.log(usual_scale), np.zeros(k))
    near = (start[0] - 5, start[0] + 5)
    bounds = [near, *[(None, None) if with_bias else (0, 0)] * k]
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(np.exp(best.x[0])), best.x[1:], float(best.fun)


@registry.misc("classy_calibration.pool_opinions.v1")
def pool_opinions(
    held_out: np.ndarray,
    usual: np.ndarray,
    precision: np.ndarray,
    y: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """A logarithmic opinion pool (Genest & Zidek 1986, "Combining Probability Distributions"): the
    scale of each of m experts, 0 or more, and the constant of each label that together make the
    labels y (n,) of held-out examples most likely, under normal priors.

    held_out: (m, n, k) scores. usual: (m,) scales that are right as a rule. precision: (m,) how
    sure that is, as 1/variance with the usual scale as unit.
    RETURNS: scales (m,), constants (k,), which say how frequent the labels are."""
    from scipy.optimize import minimize

    scores = held_out * usual[:, None, None]
    m, n, k = scores.shape
    rows = np.arange(n)

    def loss(params: np.ndarray) -> tuple[float, np.ndarray]:
        scale, bias = params[:m], params[m:]
        P = _softmax(np.tensordot(scale, scores, 1) + bias)
        error = P.copy()
        error[rows, y] -= 1
        value = -np.log(np.maximum(P[rows, y], 1e-300)).sum()
        value += ((precision * (scale - 1) ** 2).sum() + BIAS_PRECISION * (bias**2).sum()) / 2
        slope = (scores * error).sum(axis=(1, 2)) + precision * (scale - 1)
        return value, np.append(slope, error.sum(axis=0) + BIAS_PRECISION * bias)

    bounds = [(0, None)] * m + [(None, None)] * k
    start = np.append(np.ones(m), np.zeros(k))
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return best[:m] * usual, best[m:]


@registry.misc("classy_calibration.usual_scale.v1")
def usual_scale(logits: np.ndarray, y: np.ndarray, margin: float = USUAL_MARGIN) -> float:
    """The scale at which training logits (n, k) have this margin."""
    own = logits[np.arange(len(y)), y]
    others = (logits.sum(axis=1) - own) / (logits.shape[1] - 1)
    return margin / max(float((own - others).mean()), 1e-3)


@registry.misc("classy_calibration.trust.v1")
def trust(one: np.ndarray, other: np.ndarray) -> float:
    """Share of their usual scales that is right for two experts with these scores (p, k) of texts
    without labels. If each knew a share v of the texts and guessed the rest on its own, Cohen's
    kappa of their answers would be v squared; where they agree less than usual, both know less.
    Examples do not show it while they are few and typical texts. That agreement tells accuracy
    without labels: Platanios, Blum & Mitchell 2014, "Estimating Accuracy from Unlabeled Data"."""
    from sklearn.metrics import cohen_kappa_score

    first, second = one.argmax(axis=1), other.argmax(axis=1)
    if len(np.union1d(first, second)) < 2:  # the same label for all texts, which shows nothing
        return 1.0
    known = np.sqrt(max(cohen_kappa_score(first, second), 0.0) / USUAL_AGREEMENT)
    return float(np.clip(known, LEAST_TRUST, 1.0))


@registry.misc("classy_calibration.balance.v1")
def balance(weight: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weights (n,) with which every class that y (n,) has weighs the same."""
    sums = np.bincount(y, weight)
    return weight * (weight.sum() / np.count_nonzero(sums) / sums[y])


@registry.misc("classy_calibration.stratified_folds.v1")
def stratified_folds(
    y: np.ndarray, counts: np.ndarray, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Stratified (train, test) rows. The only example of a class is always trained on: held out,
    it could only show that a class without examples is not found."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(y), dtype=int)
    for label in range(len(counts)):
        fold[rng.permutation(np.flatnonzero(y == label))] = np.arange(counts[label]) % FOLDS
    held = counts[y] >= 2
    parts = [(fold != part) | ~held for part in range(1 if len(y) > MANY_EXAMPLES else FOLDS)]
    return [(np.flatnonzero(part), np.flatnonzero(~part)) for part in parts if not part.all()]


def _softmax(logits: np.ndarray) -> np.ndarray:
    logits = np.exp(logits - logits.max(axis=1, keepdims=True))
    return logits / logits.sum(axis=1, keepdims=True)
