"""Heads: what turns sentence embeddings into probabilities.

A head is made by a function registered as `classy_head.NAME.v1`. It fits scikit-learn (or plain
numpy) on embeddings and returns a `FittedHead`: arrays, and the name of the function, registered
as `classy_scores.KIND.v1`, that computes probabilities from them with numpy alone. So nothing of
scikit-learn is saved with a pipeline or needed to run it. Heads are module-level functions (or
partials of them), so that a pipeline can be pickled.
"""

import warnings
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
from spacy.util import registry

Arrays = dict[str, np.ndarray]

# Frozen sentence embeddings, whatever their number: logits are right when they are scaled so that
# a training text's own label leads the others by about this much (5 to 14 on AG News, BBC News,
# 20 Newsgroups with 1 to 200 examples a label). Examples move the scale away from it.
USUAL_MARGIN = 8.0
# How sure that is, and how unlikely a constant error of a label's scores is, as precisions
# (1/variance) of normal priors over the log of the scale and over the constants.
SCALE_PRECISION = 8.0
BIAS_PRECISION = 3.0
# Cosine between a text and a label's name -> logit. The best value was 18 to 32 in 20 settings.
ZERO_SHOT_SCALE = 24.0
# Odds (as a logarithm) that names of labels say what the labels mean, before any text is seen.
NAMES_MEAN_SOMETHING = 2.0
# Above this many examples they speak for themselves: nothing is gained by trying without names,
# and one held-out part (instead of every fold) is enough to calibrate on.
MANY_EXAMPLES = 500
FOLDS = 5
# A kernel machine takes time in the cube of its examples: 1 s at this many.
MOST_KERNELS = 3000


class FittedHead(NamedTuple):
    kind: str
    arrays: Arrays


class Head(Protocol):
    """Fit on n examples, k labels and d dimensions. Labels come in the order of the alphabet. A
    head takes what it has no use for as **_.

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
        sample_weight: np.ndarray | None = None,
        label_embeddings: np.ndarray | None = None,
        pool: np.ndarray | None = None,
        seed: int = 0,
    ) -> FittedHead: ...


# --- Scores: arrays and embeddings (n, d) -> probabilities, float64 (n, k) ---


@registry.misc("classy_scores.softmax.v1")
def softmax_scores(arrays: Arrays, X: np.ndarray) -> np.ndarray:
    """Linear, labels that exclude each other. coef (k, d), intercept (k,). Rows sum to 1."""
    return _softmax(X @ arrays["coef"].T + arrays["intercept"])


@registry.misc("classy_scores.sigmoid.v1")
def sigmoid_scores(arrays: Arrays, X: np.ndarray) -> np.ndarray:
    """Linear, labels that are independent of each other. coef (k, d), intercept (k,)."""
    return _sigmoid(X @ arrays["coef"].T + arrays["intercept"])


@registry.misc("classy_scores.kernel.v1")
def kernel_scores(arrays: Arrays, X: np.ndarray) -> np.ndarray:
    """A Gaussian kernel around each of m examples, labels that exclude each other. examples (m, d),
    dual (m, k), intercept (k,), gamma. Rows sum to 1."""
    logits = np.empty((len(X), len(arrays["intercept"])))
    for start in range(0, len(X), 1024):  # the kernel of a whole pool would not fit in memory
        rows = slice(start, start + 1024)
        kernel = _gaussian(X[rows], arrays["examples"], arrays["gamma"])
        logits[rows] = kernel @ arrays["dual"] + arrays["intercept"]
    return _softmax(logits)


@registry.misc("classy_scores.svc.v1")
def svc_scores(arrays: Arrays, X: np.ndarray) -> np.ndarray:
    """A support vector machine for labels that exclude each other: one vote for each pair of
    labels. The label with the most votes (the first of them) is the machine's decision and gets
    the highest probability."""
    columns, votes, confidence = _svc_votes(arrays, X)
    logits = _svc_logits(votes, confidence) * arrays["scale"]
    decision, highest = votes.argmax(axis=1), logits.argmax(axis=1)
    rows = np.arange(len(X))
    # A tie of votes goes to the first label, which may have less confidence than another.
    swapped = logits[rows, highest].copy(), logits[rows, decision].copy()
    logits[rows, decision], logits[rows, highest] = swapped
    scores = np.zeros((len(X), int(arrays["n_labels"])))
    scores[:, columns] = _softmax(logits)
    return scores


@registry.misc("classy_scores.svc_multi.v1")
def svc_multi_scores(arrays: Arrays, X: np.ndarray) -> np.ndarray:
    """One support vector machine a label: above 0.5 where the machine says that it is given."""
    scores = np.empty((len(X), int(arrays["n_labels"])))
    for label in range(scores.shape[1]):
        own = {key[6:]: value for key, value in arrays.items() if key.startswith(f"{label:05}.")}
        decision = own["constant"] if "constant" in own else own["scale"] * _svc_pairs(own, X)[:, 0]
        scores[:, label] = _sigmoid(decision)
    return scores


def _softmax(logits: np.ndarray) -> np.ndarray:
    logits = logits - logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    return logits / logits.sum(axis=1, keepdims=True)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    # Past 500 the exponential overflows, and the result has long been 0.0 or 1.0.
    return 1 / (1 + np.exp(-np.clip(logits, -500, 500)))


def _gaussian(X: np.ndarray, vectors: np.ndarray, gamma: np.ndarray | float) -> np.ndarray:
    """exp(-gamma * squared distance) of each of X (n, d) and of vectors (m, d): (n, m)."""
    X, vectors = X.astype(np.float64), vectors.astype(np.float64)
    squares = (X**2).sum(axis=1)[:, None] + (vectors**2).sum(axis=1)[None]
    return np.exp(-gamma * np.maximum(squares - 2 * X @ vectors.T, 0))


def _svc_pairs(arrays: Arrays, X: np.ndarray) -> np.ndarray:
    """libsvm's decision values, (n, pairs of classes): positive for the first class of the pair."""
    gamma, coef0, degree = arrays["gamma"], arrays["coef0"], arrays["degree"]
    kernel = str(arrays["kernel"])
    if kernel == "rbf":
        K = _gaussian(X, arrays["vectors"], gamma)
    else:
        K = X.astype(np.float64) @ arrays["vectors"].astype(np.float64).T
    if kernel == "poly":
        K = (gamma * K + coef0) ** degree
    elif kernel == "sigmoid":
        K = np.tanh(gamma * K + coef0)
    ends = np.cumsum(arrays["n_vectors"])
    parts = [slice(end - count, end) for count, end in zip(arrays["n_vectors"], ends, strict=True)]
    pairs: list[np.ndarray] = []
    for i in range(len(parts)):
        for j in range(i + 1, len(parts)):
            ours = K[:, parts[i]] @ arrays["dual_coef"][j - 1, parts[i]]
            theirs = K[:, parts[j]] @ arrays["dual_coef"][i, parts[j]]
            pairs.append(ours + theirs + arrays["intercept"][len(pairs)])
    return np.stack(pairs, axis=1)


def _svc_logits(votes: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """Votes, and between as many votes confidence, which moves a score by less than 1/3."""
    return votes + confidence / (3 * (np.abs(confidence) + 1))


def _svc_votes(arrays: Arrays, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of the seen labels (s,), and their votes and summed decision values, (n, s)."""
    columns = arrays["columns"]
    votes, confidence = np.zeros((len(X), len(columns))), np.zeros((len(X), len(columns)))
    pairs = _svc_pairs(arrays, X)
    pair = 0
    for i in range(len(columns)):
        for j in range(i + 1, len(columns)):
            first = pairs[:, pair] > 0
            votes[:, i] += first
            votes[:, j] += ~first
            confidence[:, i] += pairs[:, pair]
            confidence[:, j] -= pairs[:, pair]
            pair += 1
    return columns, votes, confidence


# --- Calibration ---


def calibrate(
    logits: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
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
        error = P * weight[:, None]
        error[rows, y] -= weight
        off = params[0] - np.log(usual_scale)
        value = -(weight * np.log(np.maximum(P[rows, y], 1e-300))).sum()
        value += (SCALE_PRECISION * off**2 + BIAS_PRECISION * (bias**2).sum()) / 2
        towards_scale = (error * logits).sum() * scale + SCALE_PRECISION * off
        return value, np.append(towards_scale, error.sum(axis=0) + BIAS_PRECISION * bias)

    start = np.append(np.log(usual_scale), np.zeros(k))
    near = (start[0] - 5, start[0] + 5)
    bounds = [near, *[(None, None) if with_bias else (0, 0)] * k]
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(np.exp(best.x[0])), best.x[1:], float(best.fun)


def usual_scale(logits: np.ndarray, y: np.ndarray) -> float:
    """The scale at which training logits (n, k) have the usual margin."""
    own = logits[np.arange(len(y)), y]
    others = (logits.sum(axis=1) - own) / (logits.shape[1] - 1)
    return USUAL_MARGIN / max(float((own - others).mean()), 1e-3)


# --- The default heads: kernel where every label has many examples, else logistic ---


@registry.misc("classy_head.kernel.v1")
def make_kernel(ridge: float = 1.0, min_examples: int = 30) -> Head:
    """Least squares on Gaussian kernels (Rifkin et al. 2003, "Regularized Least-Squares
    Classification"), as right as a grid-searched support vector machine in one linear solve.

    The same solve gives what each example would get if it were held out (Rasmussen & Williams 2006,
    "Gaussian Processes for Machine Learning", 5.4.2), and the logits are calibrated on that.

    ridge: strength of regularisation, on classes that weigh the same.
    min_examples: of each label. With fewer (where a bent border follows the accidents of the
        sample), more than 3,000 in all, or labels that don't exclude each other, this is
        classy_head.logistic.v1.
    """
    return partial(fit_kernel, ridge=ridge, min_examples=min_examples)


def fit_kernel(
    X: np.ndarray,
    Y: np.ndarray,
    *,
    ridge: float = 1.0,
    min_examples: int = 30,
    multi_label: bool = False,
    sample_weight: np.ndarray | None = None,
    **options: Any,
) -> FittedHead:
    n, k = Y.shape
    if multi_label or k < 2 or n > MOST_KERNELS or Y.sum(axis=0).min() < max(min_examples, 2):
        return fit_logistic(X, Y, multi_label=multi_label, sample_weight=sample_weight, **options)
    weight = np.ones(n) if sample_weight is None else np.asarray(sample_weight, float)
    y = Y.argmax(axis=1)
    balanced = _balance(weight, y)
    gamma = 1 / max(X.shape[1] * float(X.var(dtype=np.float64)), 1e-12)  # scikit-learn's "scale"
    inverse = np.linalg.inv(_gaussian(X, X, gamma) + np.diag(ridge / balanced))
    targets = Y - 1 / k
    dual = inverse @ targets
    held_out = targets - dual / np.diag(inverse)[:, None]
    scale, bias, _loss = calibrate(held_out, y, weight, usual_scale(held_out, y))
    arrays = {"examples": X.astype(np.float32), "dual": dual * scale, "intercept": bias}
    return FittedHead("kernel", {**arrays, "gamma": np.array(gamma)})


@registry.misc("classy_head.logistic.v1")
def make_logistic(C: float = 1.0, name_weight: float = 2.0) -> Head:
    """Calibrated logistic regression: right, quick and honest from one example a label on.

    Strong regularisation (C = 1 on normalised embeddings) and balanced classes decide; the names
    or descriptions of the labels count as examples; scale and bias of the logits come from
    held-out examples and from a prior where those are few.

    C: inverse strength of regularisation.
    name_weight: how many examples the name of a label is worth; 0 only uses the names of labels
        that have no example. Names that turn out to say nothing about the examples are dropped.
    """
    return partial(fit_logistic, C=C, name_weight=name_weight)


def fit_logistic(
    X: np.ndarray,
    Y: np.ndarray,
    *,
    C: float = 1.0,
    name_weight: float = 2.0,
    multi_label: bool = False,
    sample_weight: np.ndarray | None = None,
    label_embeddings: np.ndarray | None = None,
    seed: int = 0,
    **_: Any,
) -> FittedHead:
    from threadpoolctl import threadpool_limits

    if not len(X):
        return fit_zero_shot(X, Y, multi_label=multi_label, label_embeddings=label_embeddings)
    if Y.shape[1] == 1 and Y.all():
        return _fit_members(X.astype(np.float64))
    weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
    X = X.astype(np.float64)
    names = None if label_embeddings is None else label_embeddings.astype(np.float64)
    # Handing these small matrices to several threads takes longer than the work itself.
    with threadpool_limits(1):
        if not multi_label and Y.shape[1] > 1:
            coef, intercept = _fit_logistic(
                X, Y.argmax(axis=1), Y.shape[1], weight, names, C, name_weight, seed
            )
            return FittedHead("softmax", {"coef": coef, "intercept": intercept})
        coef, intercept = np.zeros((Y.shape[1], X.shape[1])), np.zeros(Y.shape[1])
        for label in range(Y.shape[1]):
            # Not given, given: two classes, of which only "given" has a name.
            named = None if names is None else np.stack([np.zeros_like(X[0]), names[label]])
            W, b = _fit_logistic(X, Y[:, label].astype(int), 2, weight, named, C, name_weight, seed)
            coef[label], intercept[label] = W[1] - W[0], b[1] - b[0]
    return FittedHead("sigmoid", {"coef": coef, "intercept": intercept})


def _fit_logistic(
    X: np.ndarray,
    y: np.ndarray,
    k: int,
    weight: np.ndarray,
    names: np.ndarray | None,
    C: float,
    name_weight: float,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """RETURNS calibrated coefficients (k, d) and intercepts (k,)."""
    counts = np.bincount(y, minlength=k)
    without = np.flatnonzero(counts == 0)
    named = np.arange(0) if names is None else np.flatnonzero(names.any(axis=1))
    choices = [name_weight] if name_weight and len(named) else [0.0]
    if choices[0] and len(y) <= MANY_EXAMPLES and counts.min() >= 2:
        choices.append(0.0)
    best: tuple[float, np.ndarray, np.ndarray] | None = None
    for choice in choices:
        # A label without any example is only known by its name.
        used = named if choice else np.intersect1d(named, without)
        extra = np.zeros((0, X.shape[1])) if names is None else names[used]
        worth = np.full(len(used), choice or 1.0)

        def fit(rows: np.ndarray, extra=extra, used=used, worth=worth) -> Any:  # type: ignore[no-untyped-def]
            return _balanced_logistic(
                np.vstack([X[rows], extra]),
                np.append(y[rows], used),
                np.append(weight[rows], worth),
                k,
                C,
            )

        coef, intercept = fit(np.arange(len(y)))
        usual = usual_scale(X @ coef.T + intercept, y)
        held_out = [(np.zeros((0, k)), np.zeros(0, dtype=int))]
        for train, test in _folds(y, counts, seed):
            W, b = fit(train)
            held_out.append((X[test] @ W.T + b, test))
        logits = np.vstack([part for part, _ in held_out])
        rows = np.concatenate([test for _, test in held_out])
        scale, bias, loss = calibrate(logits, y[rows], weight[rows], usual)
        if not choice:
            loss += NAMES_MEAN_SOMETHING
        if best is None or loss < best[0]:
            best = (loss, coef * scale, intercept * scale + bias)
    assert best is not None
    _, coef, intercept = best
    missing = np.setdiff1d(without, named)
    coef[missing], intercept[missing] = 0, intercept.min() - 20  # never seen, nameless: never given
    return coef, intercept


def _balanced_logistic(
    X: np.ndarray, y: np.ndarray, weight: np.ndarray, k: int, C: float
) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regression in which every class weighs the same. With few examples the intercept
    would otherwise follow the accident of which class was drawn more often, and C = 1 leaves
    coefficients too small to overrule it. RETURNS coefficients (k, d), intercepts (k,)."""
    from sklearn.linear_model import LogisticRegression

    coef, intercept = np.zeros((k, X.shape[1])), np.zeros(k)
    if len(np.unique(y)) < 2:
        return coef, intercept
    model = LogisticRegression(C=C, tol=1e-3, max_iter=500)
    model.fit(X, y, sample_weight=_balance(weight, y))
    if len(model.classes_) == 2:
        half = model.coef_[0] / 2, model.intercept_[0] / 2
        coef[model.classes_], intercept[model.classes_] = [-half[0], half[0]], [-half[1], half[1]]
    else:
        coef[model.classes_], intercept[model.classes_] = model.coef_, model.intercept_
    return coef, intercept


def _balance(weight: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weights (n,) with which every class that y (n,) has weighs the same."""
    sums = np.bincount(y, weight)
    return weight * (weight.sum() / np.count_nonzero(sums) / sums[y])


def _folds(y: np.ndarray, counts: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Stratified (train, test) rows. The only example of a class is always trained on: held out,
    it could only show that a class without examples is not found."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(y), dtype=int)
    for label in range(len(counts)):
        fold[rng.permutation(np.flatnonzero(y == label))] = np.arange(counts[label]) % FOLDS
    held = counts[y] >= 2
    parts = [(fold != part) | ~held for part in range(1 if len(y) > 4 * MANY_EXAMPLES else FOLDS)]
    return [(np.flatnonzero(part), np.flatnonzero(~part)) for part in parts if not part.all()]


def _fit_members(X: np.ndarray) -> FittedHead:
    """One label, and nothing that does not have it: a text is a member (0.5 or more) if it is as
    close to the members' mean as nine of ten members are to the mean of the others."""
    n, total = len(X), X.sum(axis=0)
    closeness = (X * (total - X)).sum(axis=1) / max(n - 1, 1)
    # One example is no measure of closeness; this is what texts on one subject usually have.
    limit = float(np.quantile(closeness, 0.1)) if n > 1 else 0.3
    scale = np.log(9) / max(float(np.median(closeness)) - limit, 0.02) if n > 1 else ZERO_SHOT_SCALE
    coef = scale * total[None] / n
    return FittedHead("sigmoid", {"coef": coef, "intercept": np.array([-scale * limit])})


# --- Without examples, and with examples of one label only ---


@registry.misc("classy_head.zero_shot.v1")
def make_zero_shot(scale: float = ZERO_SHOT_SCALE) -> Head:
    """Compare a text with the names or descriptions of the labels; examples are not looked at."""
    return partial(fit_zero_shot, scale=scale)


def fit_zero_shot(
    X: np.ndarray,
    Y: np.ndarray,
    *,
    scale: float = ZERO_SHOT_SCALE,
    multi_label: bool = False,
    label_embeddings: np.ndarray | None = None,
    **_: Any,
) -> FittedHead:
    if label_embeddings is None:
        raise ValueError("The zero-shot head needs the labels' names or descriptions.")
    coef = scale * label_embeddings.astype(np.float64)
    if multi_label or len(coef) == 1:
        # A text about something else has a cosine of about 0.1 with a name, one about it 0.3.
        intercept = np.full(len(coef), -0.2 * scale)
        return FittedHead("sigmoid", {"coef": coef, "intercept": intercept})
    return FittedHead("softmax", {"coef": coef, "intercept": np.zeros(len(coef))})


@registry.misc("classy_head.one_class.v1")
def make_one_class(nu: float = 0.1) -> Head:
    """classy's one-class mode: examples of one label, and nothing that does not have it. A text is
    a member (0.5 or more) or not, as scikit-learn's OneClassSVM says."""
    return partial(fit_one_class, nu=nu)


def fit_one_class(
    X: np.ndarray,
    Y: np.ndarray,
    *,
    nu: float = 0.1,
    sample_weight: np.ndarray | None = None,
    **_: Any,
) -> FittedHead:
    from sklearn.svm import OneClassSVM

    model = OneClassSVM(nu=nu, kernel="rbf").fit(X, sample_weight=sample_weight)
    inside = np.median(np.abs(model.decision_function(X)))
    arrays = {
        **_svc_arrays(model),
        # One "pair": all vectors belong to the first class.
        "n_vectors": np.array([len(model.support_), 0]),
        # A usual member gets 0.9.
        "scale": np.array(np.log(9) / max(inside, 1e-6)),
    }
    arrays = {f"00000.{key}": value for key, value in arrays.items()}
    return FittedHead("svc_multi", {**arrays, "n_labels": np.array(1)})


# --- classy-classification's own ---


@registry.misc("classy_head.svc.v1")
def make_svc(
    C: list[float] | None = None, kernel: list[str] | None = None, max_folds: int = 5
) -> Head:
    """classy-classification's grid-searched support vector machine: same grid, same folds, same
    decisions. Its probabilities (Platt scaling, which inverts at few examples, and which
    scikit-learn removes in 1.11) are replaced by scaled votes that agree with the decisions."""
    grid: dict[str, list[Any]] = {
        "C": C or [1, 2, 5, 10, 20, 50, 100],
        "kernel": kernel or ["linear", "rbf", "poly", "sigmoid"],
    }
    return partial(fit_svc, grid=grid, max_folds=max_folds)


def fit_svc(
    X: np.ndarray,
    Y: np.ndarray,
    *,
    grid: dict[str, list[Any]],
    max_folds: int = 5,
    multi_label: bool = False,
    label_embeddings: np.ndarray | None = None,
    seed: int = 0,
    **_: Any,
) -> FittedHead:
    if not len(X):
        return fit_zero_shot(X, Y, multi_label=multi_label, label_embeddings=label_embeddings)
    if Y.shape[1] == 1 and Y.all():
        return fit_one_class(X, Y)
    if multi_label or Y.shape[1] == 1:
        return _fit_svc_multi(X, Y, grid, seed)
    columns = np.flatnonzero(Y.any(axis=0))
    if len(columns) == 1:  # nothing to tell apart yet, but for the names of the other labels
        return fit_logistic(X, Y, label_embeddings=label_embeddings, seed=seed)
    return _fit_svc(
        X,
        np.searchsorted(columns, Y.argmax(axis=1)),
        Y.shape[1],
        columns,
        grid,
        max_folds,
        seed,
    )


def _search(
    X: np.ndarray, Y: np.ndarray, model: Any, grid: dict[str, Any], folds: int | None
) -> dict[str, Any]:
    """The best settings of classy's grid; too few examples to search get a linear kernel."""
    from sklearn.model_selection import GridSearchCV

    smallest = len(Y) if folds is None else int(np.bincount(Y).max())
    if smallest < (folds or 5):
        return {key: {"C": 1, "kernel": "linear"}[key.split("__")[-1]] for key in grid}
    with warnings.catch_warnings():
        # Few examples: classes smaller than the folds, labels that a fold has not got.
        warnings.simplefilter("ignore")
        return GridSearchCV(model, grid, cv=folds, scoring="f1_weighted").fit(X, Y).best_params_


def _fit_svc(
    X: np.ndarray,
    y: np.ndarray,
    n_labels: int,
    columns: np.ndarray,
    grid: dict[str, Any],
    max_folds: int,
    seed: int,
) -> FittedHead:
    from sklearn.svm import SVC

    counts = np.bincount(y)
    model = SVC(class_weight="balanced")
    model.set_params(**_search(X, y, model, grid, max(2, min(max_folds, counts.min() // 5))))

    def fit(rows: np.ndarray) -> Arrays:
        model.fit(X[rows], y[rows])
        arrays = {**_svc_arrays(model), "columns": columns}
        if len(columns) == 2:
            # scikit-learn turns the sign of two classes; the votes want the first class positive.
            arrays.update(dual_coef=-arrays["dual_coef"], intercept=-arrays["intercept"])
        return arrays

    def logits(arrays: Arrays, rows: np.ndarray) -> np.ndarray:
        _, votes, confidence = _svc_votes(arrays, X[rows])
        return _svc_logits(votes, confidence)

    arrays = fit(np.arange(len(y)))
    usual = usual_scale(logits(arrays, np.arange(len(y))), y)
    held_out = [(logits(fit(train), test), test) for train, test in _folds(y, counts, seed)]
    scale, _, _ = _calibrate_held_out(held_out, y, len(columns), usual)
    return FittedHead("svc", {**arrays, "scale": np.array(scale), "n_labels": np.array(n_labels)})


def _fit_svc_multi(X: np.ndarray, Y: np.ndarray, grid: dict[str, Any], seed: int) -> FittedHead:
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.svm import SVC

    y = Y.astype(int)
    model = SVC(class_weight="balanced")
    grid = {f"estimator__{key}": values for key, values in grid.items()}
    best = _search(X, y if y.shape[1] > 1 else y[:, 0], OneVsRestClassifier(model), grid, None)
    model.set_params(**{key.removeprefix("estimator__"): value for key, value in best.items()})
    arrays: Arrays = {"n_labels": np.array(y.shape[1])}
    for label in range(y.shape[1]):
        own, counts = y[:, label], np.bincount(y[:, label], minlength=2)
        if counts.min() == 0:  # always or never given
            sign = 1 if counts[1] else -1
            arrays[f"{label:05}.constant"] = np.full(1, sign * np.log(len(own) + 1))
            continue

        def decide(train: np.ndarray, test: np.ndarray, own: np.ndarray = own) -> np.ndarray:
            decision = model.fit(X[train], own[train]).decision_function(X[test])
            return np.stack([-decision / 2, decision / 2], axis=1)

        held_out = [(decide(train, test), test) for train, test in _folds(own, counts, seed)]
        everything = np.arange(len(own))
        usual = usual_scale(decide(everything, everything), own)
        scale, _, _ = _calibrate_held_out(held_out, own, 2, usual)
        fitted = {**_svc_arrays(model), "scale": np.array(scale)}
        arrays.update({f"{label:05}.{key}": value for key, value in fitted.items()})
    return FittedHead("svc_multi", arrays)


def _calibrate_held_out(
    held_out: list[tuple[np.ndarray, np.ndarray]], y: np.ndarray, k: int, usual: float
) -> tuple[float, np.ndarray, float]:
    """Scale only: a bias would overrule the machine's decisions."""
    logits = np.vstack([np.zeros((0, k)), *[part for part, _ in held_out]])
    rows = np.concatenate([np.zeros(0, dtype=int), *[test for _, test in held_out]])
    return calibrate(logits, y[rows], np.ones(len(rows)), usual, with_bias=False)


def _svc_arrays(model: Any) -> Arrays:
    """Of a fitted scikit-learn SVC or OneClassSVM, what its decisions are computed from."""
    return {
        "vectors": model.support_vectors_.astype(np.float32),
        "dual_coef": model.dual_coef_,
        "intercept": model.intercept_,
        "n_vectors": model.n_support_.astype(np.int64),
        "gamma": np.array(model._gamma),
        "coef0": np.array(float(model.coef0)),
        "degree": np.array(int(model.degree)),
        "kernel": np.array(model.kernel),
    }
