"""Auto-validation: which answers of the machine stand without a person looking at each.

Two rules. "fixed" is the tutorial's: a certainty above 0.9 validates itself, whatever that
certainty is worth. "precision" keeps a promise: the user says which share of the machine's answers
must be right, and the threshold is the lowest certainty for which people's answers show that they
are. While there are too few of those, nothing is validated.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scripts.active_learning.arrays import Floats, Labels, Mask, Rows
from scripts.active_learning.decisions import agree, decide
from scripts.cli.words import count

# Mistakes that the evidence may hold where the search for a threshold starts.
STARTS = (0, 2)
# With fewer answers than this, nothing can be said about where the machine is good.
LEAST_TO_PROBE = 5
NOT_YET = "the machine answers no texts by itself yet"


@dataclass(frozen=True)
class ValidationSettings:
    """rule: "off", "fixed" (a certainty above `certainty`) or "precision" (at least `target` of
        the machine's answers are right, shown with `confidence`).
    audit_share: share of the machine's answers that people check, drawn at random.
    probe_share: share of a batch that tests where the machine could be let to answer next.
    per_class: a class with enough evidence gets a threshold of its own.
    at_most: most answers by machine a step; None = no limit.
    """

    rule: Literal["off", "fixed", "precision"] = "precision"
    certainty: float = 0.9
    target: float = 0.98
    confidence: float = 0.9
    audit_share: float = 0.05
    probe_share: float = 0.0
    per_class: bool = True
    at_most: int | None = 100

    def __post_init__(self) -> None:
        if self.rule not in ("off", "fixed", "precision"):
            raise ValueError(f'rule must be "off", "fixed" or "precision", not "{self.rule}"')
        for name in ("target", "confidence"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must lie between 0 and 1, both excluded")
        for name in ("certainty", "audit_share", "probe_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie between 0 and 1")


@dataclass(frozen=True)
class Evidence:
    """People's answers beside what the model says of the same texts without having seen them.

    probs: (e, k) out-of-sample probabilities, as from cross-validation.
    labels: people's answers, (e,) class numbers or (e, k) zeros and ones.
    audited: (e,) whether the text was drawn from the machine's answers to check them; () if none.
    """

    probs: Floats
    labels: Labels
    audited: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def __len__(self) -> int:
        return len(self.probs)


@dataclass(frozen=True)
class Measured:
    """right of total, with a 95 % interval. NaN and [0, 1] when total is 0."""

    right: int
    total: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.right / self.total if self.total else float("nan")

    def __str__(self) -> str:
        if not self.total:
            return "not measured yet"
        return (
            f"{self.share:.3f} ({self.right} of {self.total}, 95 % {self.low:.3f}-{self.high:.3f})"
        )


@dataclass(frozen=True)
class MachineLabels:
    """The machine's standing answers: those that no person has confirmed or overruled.

    probs: (a, k) what the model says of these texts today.
    labels: the standing answers, (a,) or (a, k).
    precision: what the audit has measured so far (see measured_precision).
    """

    probs: Floats
    labels: Labels
    precision: Measured | None = None

    def __len__(self) -> int:
        return len(self.probs)


def measure(right: int, total: int, confidence: float = 0.95) -> Measured:
    """A share with its two-sided exact interval (Clopper & Pearson 1934)."""
    tail = (1 - confidence) / 2
    return Measured(
        right, total, float(lower_bound(right, total, 1 - tail)), float(_upper(right, total, tail))
    )


def measured_precision(machine: Labels, human: Labels) -> Measured:
    """The precision of the machine's answers from the random audit: its answers and people's
    answers to the same texts, (u,) or (u, k)."""
    same = agree(machine, human)
    return measure(int(same.sum()), len(same))


def lower_bound(
    right: NDArray[np.integer] | int, total: NDArray[np.integer] | int, confidence: float
) -> Floats:
    """One-sided exact lower bound of a share (Clopper & Pearson 1934); 0 if nothing was right."""
    from scipy.stats import beta

    right, total = np.asarray(right), np.asarray(total)
    bound = beta.ppf(1 - confidence, np.maximum(right, 1), total - right + 1)
    return np.where(right > 0, bound, 0.0)


def _upper(right: int, total: int, tail: float) -> float:
    from scipy.stats import beta

    return 1.0 if right == total else float(beta.ppf(1 - tail, right + 1, total - right))


def evidence_needed(target: float, confidence: float) -> int:
    """How many answers, all of them right, show a precision of target with this confidence."""
    return int(np.ceil(np.log(1 - confidence) / np.log(target)))


def evidence_helps(settings: ValidationSettings, answers: int) -> bool:
    """Whether so many answers can change anything in a step: they can show that the machine may
    answer, or where to probe. If not, the cross-validation behind them is not worth its time."""
    if settings.rule != "precision":
        return False
    needed = _rows_needed(settings.target, _each_start(settings.confidence), 0)
    return bool(settings.probe_share) or answers >= needed


def choose_threshold(certainty: Floats, right: Mask, target: float, confidence: float) -> float:
    """The lowest certainty above which at least `target` of the answers are right, or infinity.

    certainty, right: (e,) out-of-sample certainties, and whether the answer was right.

    Thresholds are tried from the highest down, each on all the evidence above it, and the search
    stops at the first that fails: testing in a fixed order needs no correction for the number of
    tests (Angelopoulos et al. 2021, "Learn then Test"). The first that can pass at all leaves
    `evidence_needed` rows above it; since one early mistake would end the search, the allowed
    error is split over two places to start from: enough evidence to allow no mistake, or two.
    """
    order = np.argsort(-certainty, kind="stable")
    sure, hits = certainty[order], np.cumsum(right[order], dtype=np.int64)
    total = np.arange(1, len(sure) + 1)
    last = _last_of_equals(sure)
    share = _each_start(confidence)
    passed = lower_bound(hits, total, share) >= target
    best = float("inf")
    for mistakes in STARTS:
        start = _rows_needed(target, share, mistakes)
        places = np.flatnonzero(last & (total >= start))
        fails = np.flatnonzero(~passed[places])
        good = places[: fails[0]] if len(fails) else places
        if len(good):
            best = min(best, float(sure[good[-1]]))
    return best


def _last_of_equals(falling: Floats) -> Mask:
    """A threshold lets in all answers of the same certainty: only the last of them is a place."""
    if not len(falling):
        return np.zeros(0, dtype=bool)
    return np.append(falling[1:] < falling[:-1], True)


def _each_start(confidence: float) -> float:
    return 1 - (1 - confidence) / len(STARTS)


@cache
def _rows_needed(target: float, confidence: float, mistakes: int) -> int:
    """Fewest answers that show the target in spite of this many mistakes."""
    n = evidence_needed(target, confidence)
    while lower_bound(n - mistakes, n, confidence) < target:
        n += 1
    return n


def choose_thresholds(
    settings: ValidationSettings,
    k: int,
    evidence: Evidence | None,
    label_threshold: float | None = None,
) -> tuple[Floats, tuple[str, ...]]:
    """The certainty that each of k classes needs, (k,), and why. Infinity means never."""
    never = np.full(k, np.inf)
    if settings.rule == "off":
        return never, ("auto-validation is off",)
    if settings.rule == "fixed":
        # "above", not "from" the certainty, as in the tutorial
        return np.full(k, np.nextafter(settings.certainty, 1)), (
            f"the machine answers above a certainty of {settings.certainty}, whatever it is worth",
        )
    share = f"{100 * settings.target:g} %"
    needed = _rows_needed(settings.target, _each_start(settings.confidence), 0)
    if evidence is None or len(evidence) < needed:
        have = 0 if evidence is None else len(evidence)
        return never, (
            f"{NOT_YET}: that it is right in {share} of them takes at least {needed} answers by "
            f"people to show, all as the model would have answered; there are {have}",
        )
    predicted, certainty = decide(evidence.probs, label_threshold)
    right = agree(predicted, evidence.labels)
    shared = _threshold(certainty, right, evidence.audited, settings)
    thresholds = np.full(k, shared)
    if settings.per_class and label_threshold is None:
        for c in range(k):
            rows = predicted == c
            audited = evidence.audited[rows] if len(evidence.audited) else evidence.audited
            own = _threshold(certainty[rows], right[rows], audited, settings)
            above = right[rows & (certainty >= shared)]
            # What all classes together show goes for this one unless its own texts say otherwise.
            good = not len(above) or above.mean() >= settings.target
            thresholds[c] = min(own, shared) if good else own
    if np.isinf(thresholds).all():
        return thresholds, (
            f"{NOT_YET}: the {len(right)} answers by people show at no certainty that it "
            f"is right in {share} of them",
        )
    finite = thresholds[np.isfinite(thresholds)]
    return thresholds, (
        f"the machine answers from a certainty of {finite.min():.3f}"
        + (f" to {finite.max():.3f} by class" if finite.max() > finite.min() else "")
        + f": {len(right)} answers by people show that it is right in {share} of the texts there",
    )


def _threshold(
    certainty: Floats,
    right: Mask,
    audited: Mask,
    settings: ValidationSettings,
) -> float:
    """choose_threshold, raised until the audit agrees: among the audited texts above it too, the
    share that is right reaches the target."""
    threshold = choose_threshold(certainty, right, settings.target, settings.confidence)
    if not len(audited) or not np.isfinite(threshold):
        return threshold
    seen = certainty[audited & (certainty >= threshold)]
    hits = right[audited & (certainty >= threshold)]
    order = np.argsort(seen, kind="stable")
    seen, hits = seen[order], hits[order]
    for i in range(len(seen)):
        if hits[i:].mean() >= settings.target:
            return max(threshold, float(seen[i])) if i else threshold
    return float("inf") if len(seen) else threshold


def worth_probing(
    settings: ValidationSettings,
    probs: Floats,
    evidence: Evidence | None,
    label_threshold: float | None = None,
    names: Sequence[str] = (),
) -> tuple[Rows, tuple[str, ...]]:
    """Where answers by people would soonest let the machine answer many texts by itself.

    probs: (n, k) of the texts that neither people nor the machine have answered. names: of the
    classes. Returns the row numbers of the region from which to ask at random, none if there is
    no such region; and why.

    A region is one class, or all, above some certainty. The answers so far must suggest that its
    precision lies well above the target, or it could never be shown; of those regions the one is
    taken that promises most texts for an answer.
    """
    nothing = np.zeros(0, dtype=np.intp)
    if settings.rule != "precision" or evidence is None or not len(probs):
        return nothing, ()
    predicted, certainty = decide(evidence.probs, label_threshold)
    right = agree(predicted, evidence.labels)
    theirs, sure = decide(probs, label_threshold)
    groups = [(np.ones(len(right), dtype=bool), np.ones(len(sure), dtype=bool), "all classes")]
    if settings.per_class and label_threshold is None:
        called = list(names) or [f"class {c}" for c in range(probs.shape[1])]
        groups += [(predicted == c, theirs == c, name) for c, name in enumerate(called)]
    best, gain, reason = nothing, 0.0, ""
    for known, pool, name in groups:
        threshold = _promising(certainty[known], right[known], settings.target)
        region = np.flatnonzero(pool & (sure >= threshold))
        hits = right[known & (certainty >= threshold)]
        mistakes = int((~hits).sum())
        share = _each_start(settings.confidence)
        missing = max(_rows_needed(settings.target, share, mistakes) - len(hits), 1)
        if len(region) > 2 * missing and len(region) / missing > gain:
            best, gain = region, len(region) / missing
            reason = (
                f"about {count(missing, 'more answer')} in {name} above a certainty of "
                f"{threshold:.2f} could let the machine answer {count(len(region), 'text')}"
            )
    return best, ((reason,) if len(best) else ())


def _promising(certainty: Floats, right: Mask, target: float) -> float:
    """The lowest certainty above which the share that is right lies halfway between target and 1
    or higher; infinity if there is too little evidence to say."""
    order = np.argsort(-certainty, kind="stable")
    total = np.arange(1, len(order) + 1)
    shares = np.cumsum(right[order]) / total
    last = _last_of_equals(certainty[order])
    good = np.flatnonzero((shares >= (1 + target) / 2) & (total >= LEAST_TO_PROBE) & last)
    return float(certainty[order[good[-1]]]) if len(good) else float("inf")


def passes(probs: Floats, thresholds: Floats, label_threshold: float | None = None) -> Mask:
    """Which rows (n, k) the machine may answer. Returns (n,)."""
    predicted, certainty = decide(probs, label_threshold)
    needed = thresholds.max() if label_threshold is not None else thresholds[predicted]
    return certainty >= needed


def doubtful(
    machine: MachineLabels,
    thresholds: Floats,
    settings: ValidationSettings,
    label_threshold: float | None = None,
) -> tuple[Rows, tuple[str, ...]]:
    """Standing machine answers to take back: row numbers of `machine`, and why.

    Always those that today's model contradicts; and once the audit measures less than the promised
    precision, all that today's thresholds would no longer let through.
    """
    precision = machine.precision
    predicted, _ = decide(machine.probs, label_threshold)
    out = ~agree(predicted, machine.labels)
    reasons: tuple[str, ...] = ()
    if out.any():
        reasons += (f"today's model contradicts {count(int(out.sum()), 'machine answer')}",)
    if (
        settings.rule == "precision"
        and precision is not None
        and precision.total
        and precision.share < settings.target
    ):
        unsure = ~out & ~passes(machine.probs, thresholds, label_threshold)
        reasons += (
            f"the audit measures a precision of {precision}, below the target of "
            f"{settings.target}: {count(int(unsure.sum()), 'machine answer')} below today's "
            "threshold taken back",
        )
        out |= unsure
    return np.flatnonzero(out), reasons
