"""Heads: what turns sentence embeddings into probabilities. What they agree on, and the heads that
need no pool: kernel, logistic and zero-shot.

A head is made by a function registered as `classy_head.NAME.v1`. It fits scikit-learn (or plain
numpy) on embeddings and returns a `FittedHead`: arrays, and the name of the function, registered
as `classy_scores.KIND.v1`, that computes probabilities from them with numpy alone. So nothing of
scikit-learn is saved with a pipeline or needed to run it. Heads are module-level functions (or
partials of them), so that a pipeline can be pickled.
"""

from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
from spacy.util import registry

Arrays = dict[str, np.ndarray]

# Cosine between a text and a label's name -> logit. The best value was 18 to 32 in 20 settings.
ZERO_SHOT_SCALE = 24.0
# Odds (as a logarithm) that names of labels say what the labels mean, before any text is seen.
NAMES_MEAN_SOMETHING = 2.0
# Above this many examples they speak for themselves: nothing is gained by trying without names.
MANY_EXAMPLES = 500
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
    label_embeddings: (k, d) embeddings of the labels' names or descriptions.
    pool: (p, d) embeddings of unlabelled texts.
    """

    def __call__(
        self,
        X: np.ndarray,
        Y: np.ndarray,
        *,
        multi_label: bool = False,
        label_embeddings: np.ndarray | None = None,
        pool: np.ndarray | None = None,
        seed: int = 0,
    ) -> FittedHead: ...


def _shared(name: str) -> Any:
    """A function of another file: files that ship stand alone and meet in spaCy's registry."""
    return registry.misc.get(name)


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
    **options: Any,
) -> FittedHead:
    n, k = Y.shape
    if multi_label or k < 2 or n > MOST_KERNELS or Y.sum(axis=0).min() < max(min_examples, 2):
        return fit_logistic(X, Y, multi_label=multi_label, **options)
    y = Y.argmax(axis=1)
    balanced = _shared("classy_calibration.balance.v1")(np.ones(n), y)
    gamma = 1 / max(X.shape[1] * float(X.var(dtype=np.float64)), 1e-12)  # scikit-learn's "scale"
    inverse = np.linalg.inv(
        _shared("classy_kernel.gaussian.v1")(X, X, gamma) + np.diag(ridge / balanced)
    )
    targets = Y - 1 / k
    dual = inverse @ targets
    held_out = targets - dual / np.diag(inverse)[:, None]
    scale, bias, _loss = _shared("classy_calibration.calibrate.v1")(
        held_out, y, _shared("classy_calibration.usual_scale.v1")(held_out, y)
    )
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
    label_embeddings: np.ndarray | None = None,
    seed: int = 0,
    **_: Any,
) -> FittedHead:
    from threadpoolctl import threadpool_limits

    if not len(X):
        return fit_zero_shot(X, Y, multi_label=multi_label, label_embeddings=label_embeddings)
    if Y.shape[1] == 1 and Y.all():
        return _fit_members(X.astype(np.float64))
    X = X.astype(np.float64)
    names = None if label_embeddings is None else label_embeddings.astype(np.float64)
    # Handing these small matrices to several threads takes longer than the work itself.
    with threadpool_limits(1):
        if not multi_label and Y.shape[1] > 1:
            coef, intercept = _fit_logistic(
                X, Y.argmax(axis=1), Y.shape[1], names, C, name_weight, seed
            )
            return FittedHead("softmax", {"coef": coef, "intercept": intercept})
        coef, intercept = np.zeros((Y.shape[1], X.shape[1])), np.zeros(Y.shape[1])
        for label in range(Y.shape[1]):
            # Not given, given: two classes, of which only "given" has a name.
            named = None if names is None else np.stack([np.zeros_like(X[0]), names[label]])
            W, b = _fit_logistic(X, Y[:, label].astype(int), 2, named, C, name_weight, seed)
            coef[label], intercept[label] = W[1] - W[0], b[1] - b[0]
    return FittedHead("sigmoid", {"coef": coef, "intercept": intercept})


def _fit_logistic(
    X: np.ndarray,
    y: np.ndarray,
    k: int,
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
                np.append(np.ones(len(rows)), worth),
                k,
                C,
            )

        coef, intercept = fit(np.arange(len(y)))
        usual = _shared("classy_calibration.usual_scale.v1")(X @ coef.T + intercept, y)
        held_out = [(np.zeros((0, k)), np.zeros(0, dtype=int))]
        for train, test in _shared("classy_calibration.stratified_folds.v1")(y, counts, seed):
            W, b = fit(train)
            held_out.append((X[test] @ W.T + b, test))
        logits = np.vstack([part for part, _ in held_out])
        rows = np.concatenate([test for _, test in held_out])
        scale, bias, loss = _shared("classy_calibration.calibrate.v1")(logits, y[rows], usual)
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
    model.fit(X, y, sample_weight=_shared("classy_calibration.balance.v1")(weight, y))
    if len(model.classes_) == 2:
        half = model.coef_[0] / 2, model.intercept_[0] / 2
        coef[model.classes_], intercept[model.classes_] = [-half[0], half[0]], [-half[1], half[1]]
    else:
        coef[model.classes_], intercept[model.classes_] = model.coef_, model.intercept_
    return coef, intercept


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
