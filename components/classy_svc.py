"""Support vector machines: classy-classification's grid search, and libsvm's decisions in numpy.

What scikit-learn's SVC and OneClassSVM (libsvm) learn is kept as arrays, and scored without
scikit-learn. Shared helpers come through spaCy's registry, as files that ship stand alone.
"""

import warnings
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from spacy.util import registry

Arrays = dict[str, np.ndarray]


# A NamedTuple of the same shape as the other heads' result.
class FittedHead(NamedTuple):
    kind: str
    arrays: Arrays


def _shared(name: str) -> Any:
    """A function of another file: files that ship stand alone and meet in spaCy's registry."""
    return registry.misc.get(name)


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


def _svc_pairs(arrays: Arrays, X: np.ndarray) -> np.ndarray:
    """libsvm's decision values, (n, pairs of classes): positive for the first class of the pair."""
    gamma, coef0, degree = arrays["gamma"], arrays["coef0"], arrays["degree"]
    kernel = str(arrays["kernel"])
    if kernel == "rbf":
        K = _shared("classy_kernel.gaussian.v1")(X, arrays["vectors"], gamma)
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


@registry.misc("classy_head.svc.v1")
def make_svc(
    C: list[float] | None = None, kernel: list[str] | None = None, max_folds: int = 5
) -> Any:
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
        return _shared("classy_head.zero_shot.v1")()(
            X, Y, multi_label=multi_label, label_embeddings=label_embeddings
        )
    if Y.shape[1] == 1 and Y.all():
        return fit_one_class(X, Y)
    if multi_label or Y.shape[1] == 1:
        return _fit_svc_multi(X, Y, grid, seed)
    columns = np.flatnonzero(Y.any(axis=0))
    if len(columns) == 1:  # nothing to tell apart yet, but for the names of the other labels
        return _shared("classy_head.logistic.v1")()(
            X, Y, label_embeddings=label_embeddings, seed=seed
        )
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
    usual = _shared("classy_calibration.usual_scale.v1")(logits(arrays, np.arange(len(y))), y)
    held_out = [
        (logits(fit(train), test), test)
        for train, test in _shared("classy_calibration.stratified_folds.v1")(y, counts, seed)
    ]
    scale = _scale_of(held_out, y, len(columns), usual)
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

        held_out = [
            (decide(train, test), test)
            for train, test in _shared("classy_calibration.stratified_folds.v1")(own, counts, seed)
        ]
        everything = np.arange(len(own))
        usual = _shared("classy_calibration.usual_scale.v1")(decide(everything, everything), own)
        scale = _scale_of(held_out, own, 2, usual)
        fitted = {**_svc_arrays(model), "scale": np.array(scale)}
        arrays.update({f"{label:05}.{key}": value for key, value in fitted.items()})
    return FittedHead("svc_multi", arrays)


def _scale_of(
    held_out: list[tuple[np.ndarray, np.ndarray]], y: np.ndarray, k: int, usual: float
) -> float:
    """By calibration, without a bias, which would overrule the machine's decisions."""
    logits = np.vstack([np.zeros((0, k)), *[part for part, _ in held_out]])
    rows = np.concatenate([np.zeros(0, dtype=int), *[test for _, test in held_out]])
    calibrate = _shared("classy_calibration.calibrate.v1")
    return calibrate(logits, y[rows], usual, with_bias=False)[0]


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


@registry.misc("classy_head.one_class.v1")
def make_one_class(nu: float = 0.1) -> Any:
    """classy's one-class mode: examples of one label, and nothing that does not have it. A text is
    a member (0.5 or more) or not, as scikit-learn's OneClassSVM says."""
    return partial(fit_one_class, nu=nu)


def fit_one_class(
    X: np.ndarray,
    Y: np.ndarray,
    *,
    nu: float = 0.1,
    **options: Any,
) -> FittedHead:
    from sklearn.svm import OneClassSVM

    if not len(X):
        return _shared("classy_head.zero_shot.v1")()(X, Y, **options)

    model = OneClassSVM(nu=nu, kernel="rbf").fit(X)
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


def _softmax(logits: np.ndarray) -> np.ndarray:
    logits = np.exp(logits - logits.max(axis=1, keepdims=True))
    return logits / logits.sum(axis=1, keepdims=True)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
