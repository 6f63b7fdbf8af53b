"""What the draws prove: how often the model is right, and which of its answers may stand.

Both rest on texts that were drawn by a known chance, whatever earlier answers had to do with it,
and on what the model says of such a text without having seen its label. Labels that were chosen,
given or found teach the model and prove nothing.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from scripts.active_learning.arrays import Floats, Mask, Rows
from scripts.cli.words import count


@dataclass(frozen=True)
class PromiseSettings:
    """rule: "promise" (at most `error` is wrong, with `confidence`), "fixed" (the machine answers
        above a `certainty`, whatever that is worth: the tutorial's rule) or "off".
    kind: what may be wrong: that share of all labels of the finished data set ("dataset"), people's
        and the machine's, where people label what the machine does not; or that share of the
        machine's own labels ("precision"), which also holds if the rest is dropped.
    """

    rule: Literal["promise", "fixed", "off"] = "promise"
    error: float = 0.05
    confidence: float = 0.9
    kind: Literal["dataset", "precision"] = "dataset"
    certainty: float = 0.9

    def __post_init__(self) -> None:
        known = {"rule": ("promise", "fixed", "off"), "kind": ("dataset", "precision")}
        for name, values in known.items():
            if (value := getattr(self, name)) not in values:
                raise ValueError(f"{name} must be one of {', '.join(values)}, not '{value}'")
        for name in ("error", "confidence"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must lie between 0 and 1, both excluded")
        if not 0 <= self.certainty <= 1:
            raise ValueError("certainty must lie between 0 and 1")


@dataclass(frozen=True)
class Draws:
    """People's labels for m texts of the pool in the order of asking, those that nobody drew too.

    certainty, right: (m,) what the model says without having seen the label, and whether that is
        the label.
    chance, open, anywhere: (m,) as in draw.Drawn: chance NaN and anywhere 0 for those not drawn.
    pool: Texts of the pool, without those that people discarded. waiting: Of these, texts that were
        drawn and wait for an answer. outgrown: Labels that count as drawn by nobody, as texts came
        into the pool after their draw.
    """

    certainty: Floats
    right: Mask
    chance: Floats
    open: Rows
    anywhere: Floats
    pool: int
    waiting: int = 0
    outgrown: int = 0

    def __len__(self) -> int:
        """How many were drawn by chance, and so prove something."""
        return int((self.anywhere > 0).sum())

    @property
    def count(self) -> Floats:
        """(m,) how many uniform draws each is worth: anywhere / (chance * open), at most 1. As if
        those that fell anywhere alone had been drawn, without the chance of which they were."""
        drawn = self.anywhere > 0
        worth = np.zeros(len(self.anywhere))
        worth[drawn] = self.anywhere[drawn] / (self.chance[drawn] * self.open[drawn])
        return worth

    @property
    def uniform(self) -> float:
        """How many uniform draws all of them are worth: as many as fell anywhere, on average."""
        return float(self.anywhere.sum())


class Estimate(NamedTuple):
    """A share with its two-sided interval, from total draws. NaN in [0, 1] when total is 0."""

    value: float
    low: float
    high: float
    total: int
    confidence: float = 0.9

    def __str__(self) -> str:
        if not self.total:
            return "not known yet"
        sure = f"{100 * self.confidence:g} %"
        seen = count(self.total, "draw")
        return f"{self.value:.3f} ({sure} {self.low:.3f}-{self.high:.3f}, from {seen})"


# What the model expects of itself counts as much as so many draws: in the variance of the estimate,
# and in how far its certainty is believed.
EXPECTED_DRAWS = 40
NOTHING = Estimate(float("nan"), 0.0, 1.0, 0)


def estimate_accuracy(draws: Draws | None, certainty: Floats, confidence: float = 0.9) -> Estimate:
    """How often the model is right on the n texts that no person has labelled.

    certainty: (n,) the model's certainty of those, without the ones that wait. What it expects of
    itself there is corrected by what the draws say, an active, prediction-powered estimate (Zrnic &
    Candes 2024, "Active Statistical Inference"; Kossen et al. 2021, "Active Testing"). Of a draw j,
    with off = wrong - belief * (1 - certainty),
        off_j / chance_j - sum(off of all labelled since, j too)
    has the mean sum(off) over the n texts and those that wait, whatever the earlier answers were;
    these are averaged (see _shares). The belief is the one of least variance (Angelopoulos, Duchi &
    Zrnic 2023, "PPI++"), drawn to 1. Whether the model's certainty means anything does not matter,
    only how wide the interval gets. Few draws seldom hold the mistakes that were unlikely to be
    drawn and count most, so their variance is taken as if EXPECTED_DRAWS more had shown what the
    model expects.
    """
    if draws is None or not draws.uniform or not len(certainty):
        return NOTHING
    share, left = _shares(draws, certainty), len(certainty) + draws.waiting
    drawn = share > 0
    share, chance, total = share[drawn], draws.chance[drawn], len(draws)

    def shown(said: Floats) -> Floats:
        """What each draw says of its mean over the texts that are left."""
        return (said[drawn] / chance - _since(said)[drawn]) / left

    doubt = 1 - draws.certainty
    wrong, surprise = shown((~draws.right).astype(float)), shown(doubt) - (1 - certainty).mean()
    off, weight = wrong - surprise, share**2 * surprise  # with a belief of 1
    # The slope of off on surprise, as if EXPECTED_DRAWS more had shown none.
    spread = (1 + EXPECTED_DRAWS / total) * (weight @ surprise)
    off -= weight @ (off - share @ off) / max(spread, 1e-12) * surprise
    # With no mistake at all, half a mistake: an accuracy of 1 would have no variance.
    error = float(np.clip(share @ off, 0.5 / total, 1 - 0.5 / total))
    seen = float((share**2) @ (off - share @ off) ** 2)
    expected = float((share / (chance * left)) ** 2 @ (doubt * draws.certainty)[drawn])
    variance = (total * seen + EXPECTED_DRAWS * expected) / (total + EXPECTED_DRAWS)
    low, high = _interval(error, variance, share, confidence)
    return Estimate(1 - error, 1 - high, 1 - low, total, confidence)


def _since(said: Floats) -> Floats:
    """(m,) the sum over each text and all that were asked after it."""
    return np.cumsum(said[::-1])[::-1]


def _shares(draws: Draws, certainty: Floats) -> Floats:
    """(m,) shares of the draws in an estimate, by the inverse of their variance as far as it is
    known. Were draws worth nothing where the model is unsure, it would be
    open_j * sum(c (1 - c) of the texts that j could take) / anywhere_j; were they worth as much as
    uniform ones there, without anywhere_j. The square root lies between."""
    unsure = draws.certainty * (1 - draws.certainty)
    # And one mistake that nobody expects, for a model that is too sure.
    could = _since(unsure) + (certainty * (1 - certainty)).sum() + 1
    drawn, share = draws.anywhere > 0, np.zeros(len(could))
    share[drawn] = np.sqrt(draws.anywhere[drawn]) / (draws.open * could)[drawn]
    return share / share.sum()


def _interval(
    error: float, variance: float, share: Floats, confidence: float
) -> tuple[float, float]:
    """Jeffreys' for as many uniform draws as have the same variance (a normal one fails where
    nearly all is right), widened as Student's is when few. Where the error is smaller than its
    standard error, luck had a part in it, and the variance is that of a larger one."""
    from scipy.stats import beta, norm, t

    tail, total = (1 + confidence) / 2, len(share)
    variance *= (t.ppf(tail, max(1 / (share @ share) - 1, 1)) / norm.ppf(tail)) ** 2
    deviation = min(np.sqrt(variance), 0.5)
    spread = max(error * (1 - error), deviation * (1 - deviation))
    worth = min(spread / max(variance, 1e-12), 4.0 * total)
    low, high = beta.ppf([1 - tail, tail], worth * error + 0.5, worth * (1 - error) + 0.5)
    return float(low), float(high)


def upper_bound(wrong: Floats | float, total: Floats | float, confidence: float) -> Floats:
    """One-sided exact upper bound of a share of which `wrong` of `total` were seen (Clopper &
    Pearson 1934), extended to weighted counts; 1 if nothing was seen."""
    from scipy.stats import beta

    left = np.asarray(total, dtype=np.float64) - wrong
    bound = beta.ppf(confidence, np.asarray(wrong) + 1.0, np.maximum(left, 1e-9))
    return np.where(left > 0, bound, 1.0)


def draws_needed(settings: PromiseSettings, wrong: float = 0.0) -> int:
    """Fewest uniform draws that keep the promise for the whole pool in spite of so many mistakes:
    45 without any, at an error of 0.05 and a confidence of 0.9; then 77, 105."""
    low, high = int(wrong), int(wrong) + 1
    while upper_bound(wrong, high, settings.confidence) > settings.error:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        fits = upper_bound(wrong, middle, settings.confidence) <= settings.error
        low, high = (low, middle) if fits else (middle, high)
    return high


class Promise(NamedTuple):
    """threshold, most: The machine may answer where its certainty is above this (infinity =
        nowhere), and at most so many texts, the surest.
    bound: The share, of all labels or of the machine's, that is wrong at most if it does.
    checked, wrong: Draws that this rests on, in uniform ones, and mistakes among them in the whole
        pool. more: Right answers to further uniform draws that would let it answer all."""

    threshold: float
    most: int
    bound: float
    checked: float
    wrong: float
    more: float


def keep_promise(draws: Draws | None, settings: PromiseSettings) -> Promise:
    """The lowest threshold that the draws allow.

    Bounded is the share of the pool that is wrong and at least this certain. It falls as the
    threshold rises, so all thresholds may be tried without a correction (Candes, Ilyas & Zrnic
    2025, "Probably Approximately Correct Labels"). Of the precision that is not so: there,
    thresholds are tried from the highest with enough draws above it down to the first that fails
    (Angelopoulos et al. 2021, "Learn then Test"). The model may be surer of texts that it never saw
    labelled than of those that were held out, so it answers no larger part of the pool than lies
    above the threshold by the draws.

    The bound is the exact binomial one, for one look: at 100 draws one that holds at all looks at
    once takes a quarter more labels to say the same. What looking after every batch does to it is
    measured (scripts/benchmarks/promise.py).
    """
    if draws is None or not draws.uniform:
        return Promise(np.inf, 0, 0.0, 0.0, 0.0, float(draws_needed(settings)))
    order = np.argsort(-draws.certainty, kind="stable")
    certainty, total, counts = draws.certainty[order], draws.uniform, draws.count[order]
    wrong: Floats = np.cumsum(counts * ~draws.right[order])
    above = np.cumsum(counts)
    # Of the pool, as many as were open when it was drawn from can be wrong.
    open_ = float(np.average(draws.open, weights=draws.anywhere))
    part = open_ / draws.pool if settings.kind == "dataset" else 1.0
    shown = np.full_like(above, total) if settings.kind == "dataset" else above
    bound = upper_bound(wrong, shown, settings.confidence) * part
    fits = bound <= settings.error
    # A threshold lets in all texts of the same certainty, or none.
    places = np.flatnonzero(np.append(certainty[1:] < certainty[:-1], True))
    hardest = {len(shown) - 1}  # the lowest threshold
    if settings.kind == "precision":
        # Fewer could show nothing: the search begins where there are enough.
        fits |= above < draws_needed(settings)
        # And where each mistake is, as one among the surest can outweigh all.
        mistakes, first = np.unique(wrong[places], return_index=True)
        hardest |= {*places[first[mistakes > 0]]}
    fitting = len(places) if fits[places].all() else int(np.argmin(fits[places]))
    # Draws go on to fall above a threshold as often as they have.
    needed = [draws_needed(settings, float(wrong[i])) * part * (total / shown[i]) for i in hardest]
    more = float(max(*needed, total)) - total
    if not fitting or bound[last := places[fitting - 1]] > settings.error:
        return Promise(np.inf, 0, 0.0, total, float(wrong[-1]), more)
    threshold, most = float("-inf"), draws.pool
    if fitting < len(places):
        # All that is more certain than the next draws, which are one mistake too many.
        threshold = float(certainty[last + 1])
        most = int(open_ * counts[: last + 1].sum() / counts.sum())
    return Promise(threshold, most, float(bound[last]), total, float(wrong[-1]), more)


def surest(certainty: Floats, promise: Promise) -> Rows:
    """Which of n open texts the machine may answer by the promise, the surest first."""
    rows = np.flatnonzero(certainty > promise.threshold)
    return rows[np.argsort(-certainty[rows], kind="stable")][: promise.most]
