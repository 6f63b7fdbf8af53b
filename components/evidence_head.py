"""The default head: how much to believe the labels' names, the pool's neighbourhoods and the
examples is decided by the examples themselves.

Each of these sources is an expert that gives every text a score for each label, and says of every
example what it would have said without having seen that example's label (leave-one-out, in closed
form: nothing is fitted twice). The experts are blended by a logarithmic opinion pool whose weights
and constants make the examples' labels most likely, under priors that hold while examples are few.
An expert that is wrong gets the weight 0: names may say nothing, and so may neighbours. The
constants estimate how frequent each label is, which nothing assumes. And where the examples and the
graph disagree about the pool, both are expected to know less of it.

The blend is then told to all texts of the pool, and a linear model learns it from them (self-
training), so that what ships is a linear model and a kernel around the examples: arrays that numpy
scores, without the pool.

Sources: Genest & Zidek 1986, "Combining Probability Distributions" (the pool of opinions); Wolpert
1992, "Stacked Generalization" (its weights from held-out predictions); Rasmussen & Williams 2006,
"Gaussian Processes for Machine Learning", 5.4.2 (leave-one-out of kernel regression); Zhou et al.
2003, "Learning with Local and Global Consistency" (labels spread over a graph).
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from spacy.util import registry


# A NamedTuple of the same shape as the other heads' result: files that ship stand alone.
class FittedHead(NamedTuple):
    kind: str
    arrays: dict[str, np.ndarray]


class Settings(NamedTuple):
    """neighbours: of each text in the pool's graph, by cosine.
    spread: share of a text's label that comes from its neighbours, against its own.
    guess: weight of the guess from the names when labels spread; 1 = a label by a person.
    ridge: strength of regularisation of the kernel regressions, on classes that weigh the same.
    max_pool: a larger pool is sampled, as the graph takes time in its square.
    student_half: with this many examples, the linear student of the pool and the experts that
        need no pool have an equal say; with fewer the student has more, with more less.
    pool_weight: in the student, the pool weighs as much as this many examples.
    C: inverse of the student's regularisation."""

    neighbours: int = 15
    spread: float = 0.8
    guess: float = 0.02
    ridge: float = 0.5
    max_pool: int = 5_000
    student_half: float = 200.0
    pool_weight: float = 1000.0
    C: float = 1.0


DEFAULTS = Settings()
# How sure the prior is of an expert's scale: precision (1/variance), with its usual scale as unit.
NAMES_PRECISION = 2.0
KERNEL_PRECISION = 4.0
GRAPH_PRECISION = 4.0
# A kernel regression is right when its scores are scaled so that an example's own label leads the
# others by about this much, as in classy_calibration.py; here two regressions share it. This and
# the scales below hold for four labels or more; see _few.
USUAL_MARGIN = 4.0
# Usual scale of the logarithm of the spread labels, and the share of the mean below which such a
# label is noise.
GRAPH_SCALE = 1.5
GRAPH_FLOOR = 1e-3
# Usual temperature of the student, and how much (0 to 1) that which the blend asks for counts.
STUDENT_TEMPERATURE = 0.6
HONESTY = 0.75
# Exponent on the blend's probabilities before the student sees them, and weight of a rare class in
# it (1 = all classes weigh the same, 0 = as much as they have texts).
SHARPNESS = 2.0
BALANCE = 0.75
# Kernel regressions take time in the cube of their examples. With more, nothing is gained by names
# or pool.
MOST_EXAMPLES = 3000


class Expert(NamedTuple):
    """held_out: (n, k) scores of the examples, each without its own label.
    on_pool: (p, k) scores of the pool.
    usual, precision: the scale that is right for its scores as a rule, and how sure that is.
    coef, intercept: (k, d) and (k,), of a linear expert.
    dual: (m, k), of a kernel around points (m, d). An expert without either needs the pool."""

    held_out: np.ndarray
    on_pool: np.ndarray
    usual: float
    precision: float
    coef: np.ndarray | None = None
    intercept: np.ndarray | None = None
    dual: np.ndarray | None = None


class Problem(NamedTuple):
    """What is known. X (n, d), Y (n, k), pool (p, d), names (k, d) or None, gamma of
    the Gaussian kernel."""

    X: np.ndarray
    Y: np.ndarray
    pool: np.ndarray
    names: np.ndarray | None
    gamma: float


def _shared(name: str) -> Any:
    """A function of another file: files that ship stand alone and meet in spaCy's registry."""
    return registry.misc.get(name)


@registry.misc("classy_head.evidence.v1")
def make_evidence(
    neighbours: int = DEFAULTS.neighbours,
    spread: float = DEFAULTS.spread,
    guess: float = DEFAULTS.guess,
    ridge: float = DEFAULTS.ridge,
    max_pool: int = DEFAULTS.max_pool,
    student_half: float = DEFAULTS.student_half,
) -> Any:
    """Names, neighbours and examples, blended as the examples say. See Settings.

    With a pool too small for a graph, very many examples, or labels that do not exclude each other,
    it is classy_head.kernel.v1.
    """
    settings = DEFAULTS._replace(
        neighbours=neighbours,
        spread=spread,
        guess=guess,
        ridge=ridge,
        max_pool=max_pool,
        student_half=student_half,
    )
    return partial(fit_evidence, settings=settings)


def fit_evidence(
    X: np.ndarray,
    Y: np.ndarray,
    *,
    settings: Settings = DEFAULTS,
    multi_label: bool = False,
    label_embeddings: np.ndarray | None = None,
    pool: np.ndarray | None = None,
    seed: int = 0,
) -> FittedHead:
    """X (n, d), Y (n, k), label_embeddings (k, d), pool (p, d)."""
    from threadpoolctl import threadpool_limits

    (n, k), few = Y.shape, settings.neighbours
    if multi_label or k < 2 or pool is None or len(pool) <= few or n > MOST_EXAMPLES:
        return _shared("classy_head.kernel.v1")()(
            X, Y, multi_label=multi_label, label_embeddings=label_embeddings, seed=seed
        )
    unit = _shared("classy_pool.unit.v1")
    pool = unit(_shared("classy_pool.sample.v1")(pool, settings.max_pool, seed))
    names = None if label_embeddings is None else unit(label_embeddings)
    # As scikit-learn's "scale", by the pool, which does not change from step to step.
    gamma = 1 / max(pool.shape[1] * float(pool.var(dtype=np.float64)), 1e-12)
    problem = Problem(unit(X), Y, pool, names, gamma)
    # Handing matrices of this size to several threads takes longer than the work itself.
    with threadpool_limits(1):
        if not n:
            coef, intercept = np.zeros((k, pool.shape[1])), np.zeros(k)
            if names is not None:
                coef, intercept = _shared("classy_pool.names.v1")(pool, names, few)
            return FittedHead("softmax", {"coef": coef, "intercept": intercept})
        return _blend(problem, _experts(problem, settings), settings)


def _experts(problem: Problem, settings: Settings) -> list[Expert]:
    """Examples and graph; and the names, and names among the examples, where there are names. Where
    examples and graph disagree about the pool, less is expected of both and of the last."""
    X, _, pool, names, gamma = problem
    gaussian = _shared("classy_kernel.gaussian.v1")
    points = X if names is None else np.vstack([X, names])
    kernels = gaussian(points, points, gamma), gaussian(pool, points, gamma)
    experts = [_kernel_expert(problem, settings.ridge, kernels, named=False)]
    experts.append(_graph_expert(problem, settings))
    if names is not None:
        coef, intercept = _shared("classy_pool.names.v1")(pool, names, settings.neighbours)
        of_examples, of_pool = (Z @ coef.T + intercept for Z in (X, pool))
        experts.append(Expert(of_examples, of_pool, 1.0, NAMES_PRECISION, coef, intercept))
        experts.append(_kernel_expert(problem, settings.ridge, kernels, named=True))
    trust = _shared("classy_calibration.trust.v1")(experts[0].on_pool, experts[1].on_pool)
    # What the names say has been scaled by the pool already.
    return [e if e.coef is not None else e._replace(usual=trust * e.usual) for e in experts]


def _kernel_expert(
    problem: Problem, ridge: float, kernels: tuple[np.ndarray, np.ndarray], named: bool
) -> Expert:
    """Least squares on Gaussian kernels around the examples, and with `named` around the names,
    each as one more example. What it says of an example that is held out comes from the same
    inverse.

    kernels: (m, m) and (p, m), of m points: the examples, then the names."""
    Y = problem.Y
    n, k = Y.shape
    if named:
        Y = np.vstack([Y, np.eye(k)])
    m, y = len(Y), Y.argmax(axis=1)
    kernel, on_pool = kernels[0][:m, :m], kernels[1][:, :m]
    balanced = _shared("classy_calibration.balance.v1")(np.ones(m), y)
    inverse = np.linalg.inv(kernel + np.diag(ridge / balanced))
    targets = Y - 1 / k
    dual = inverse @ targets
    held_out = (targets - dual / np.diag(inverse)[:, None])[:n]
    usual = _shared("classy_calibration.usual_scale.v1")(
        kernel[:n] @ dual, y[:n], USUAL_MARGIN * _few(k)
    )
    padded = np.vstack([dual, np.zeros((len(kernels[0]) - m, k))])
    return Expert(held_out, on_pool @ dual, usual, KERNEL_PRECISION, dual=padded)


def _graph_expert(problem: Problem, settings: Settings) -> Expert:
    """Labels spread over the pool's graph, with the guess from the names as a faint start. The
    result is a sum over the examples, so an example is held out by leaving its own part away."""
    X, Y, pool, names, _ = problem
    k = Y.shape[1]
    nothing = np.zeros((0, pool.shape[1]), dtype=np.float32)
    edges = _shared("classy_pool.graph.v1")(nothing, pool, settings.neighbours)
    rows = (X @ pool.T).argmax(axis=1)  # where an example stands in the pool, or next to it
    total = np.maximum(Y.sum(axis=0), 1e-9)
    mass = Y * (total.sum() / k / total)  # a class with many labels must not drown one with few
    start = settings.guess * _shared("classy_pool.guess.v1")(pool, names, k)
    np.add.at(start, rows, mass)
    found = _shared("classy_pool.spread.v1")(edges, start, settings.spread)
    own_share = _shared("classy_pool.own_share.v1")(
        pool, rows, settings.neighbours, settings.spread
    )
    own = own_share[:, None] * mass
    floor = GRAPH_FLOOR * max(float(found.mean()), 1e-12)

    def logarithm(share: np.ndarray) -> np.ndarray:
        log = np.log(np.maximum(share, 0) + floor)
        return log - log.mean(axis=1, keepdims=True)

    usual = GRAPH_SCALE * _few(k)
    return Expert(logarithm(found[rows] - own), logarithm(found), usual, GRAPH_PRECISION)


def _few(k: int) -> float:
    """Share of the usual scales that is right for k labels. A label that leads k - 1 others by a
    margin has the probability 1 / (1 + (k - 1) exp(-margin)): among few, less makes it as sure."""
    return min(1.0, 1 + float(np.log((k - 1) / 3)) / USUAL_MARGIN)


def _blend(problem: Problem, experts: list[Expert], settings: Settings) -> FittedHead:
    """The pool is taught with what all experts say; the student that learns from it is mixed with
    those experts that can speak of a text outside the pool."""
    from scipy.special import softmax

    X, Y, pool, names, gamma = problem
    scale, bias = _opinions(experts, Y)
    said = sum(s * e.on_pool for s, e in zip(scale, experts, strict=True)) + bias
    taught = softmax(said, axis=1)
    sharp = taught**SHARPNESS
    sharp /= sharp.sum(axis=1, keepdims=True)
    sure = sharp.max(axis=1)
    sure *= min(settings.pool_weight, len(pool)) / sure.sum()
    student, constant = _shared("classy_pool.soft_logistic.v1")(
        np.vstack([X, pool]),
        np.vstack([Y, sharp]) * np.concatenate([np.ones(len(X)), sure])[:, None],
        settings.C,
        BALANCE,
    )
    # As sure of the pool as the blend was, or nearly: its scale comes from examples that were asked
    # because they are hard.
    honest = _shared("classy_pool.scale_to_certainty.v1")(
        pool @ student.T + constant, float(taught.max(axis=1).mean())
    )
    temperature = STUDENT_TEMPERATURE / _few(Y.shape[1]) ** 2
    sharpened = honest**HONESTY / temperature ** (1 - HONESTY)
    alone = [e for e in experts if e.coef is not None or e.dual is not None]
    scale, bias = _opinions(alone, Y)
    share = settings.student_half / (settings.student_half + len(X))
    coef = share * sharpened * student
    intercept = share * sharpened * constant + (1 - share) * bias
    points = X if names is None else np.vstack([X, names])
    dual = np.zeros((len(points), Y.shape[1]))
    for s, expert in zip((1 - share) * scale, alone, strict=True):
        if expert.dual is not None:
            dual += s * expert.dual
        elif expert.coef is not None and expert.intercept is not None:
            coef, intercept = coef + s * expert.coef, intercept + s * expert.intercept
    arrays = {"coef": coef, "intercept": intercept, "dual": dual, "gamma": np.array(gamma)}
    return FittedHead("linear_kernel", {**arrays, "examples": points.astype(np.float32)})


def _opinions(experts: list[Expert], Y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The scale of each expert and the constant of each label (k,)."""
    return _shared("classy_calibration.pool_opinions.v1")(
        np.stack([expert.held_out for expert in experts]),
        np.array([expert.usual for expert in experts]),
        np.array([expert.precision for expert in experts]),
        Y.argmax(axis=1),
    )
