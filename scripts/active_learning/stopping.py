"""When to stop labelling, and what one more batch is likely to bring.

Each rule says whether it holds and why; a person decides. None of them needs a labelled test set.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scripts.active_learning.arrays import Floats, Labels, Rows
from scripts.active_learning.plan import Machine
from scripts.active_learning.proof import Estimate
from scripts.cli.words import count

# What accuracy is called where a text can have any number of labels.
EXACT = "exact match"
# Models are stable if so many comparisons of the last ones have at least this kappa on average.
COMPARED, STABLE = 3, 0.99


@dataclass(frozen=True)
class Rule:
    """One rule's verdict: whether it says stop, and a sentence for the person who reads it."""

    name: str
    holds: bool
    reason: str


def budget_rule(labels: int, budget: int | None) -> Rule:
    """Holds when people have given as many labels as they were willing to."""
    if budget is None:
        return Rule("budget", False, f"{count(labels, 'label')}, no budget set")
    left = max(budget - labels, 0)
    return Rule("budget", left == 0, f"{labels} of {count(budget, 'label')} given, {left} left")


def stop_set(n: int, size: int, seed: int) -> Rows:
    """The rows of the n texts of the corpus whose predictions are watched: the same ones at every
    step, whatever has been labelled since. 2,000 are enough for a kappa of 0.99."""
    return np.sort(np.random.default_rng(seed).permutation(n)[: max(size, 0)])


def prediction_agreement(before: Labels, after: Labels) -> float:
    """Cohen's kappa of two models' labels for the same texts, (s,); in multi-label data (s, k) the
    mean over the labels. 1 = they never differ, 0 = as chance would have it."""
    from sklearn.metrics import cohen_kappa_score

    before, after = np.asarray(before), np.asarray(after)
    if before.ndim == 2:
        columns = zip(before.T, after.T, strict=True)
        return float(np.mean([prediction_agreement(b, a) for b, a in columns]))
    if (before == after).all():
        return 1.0  # kappa itself is not defined when there is one class only
    return float(cohen_kappa_score(before, after))


def stabilised_rule(agreements: Sequence[float]) -> Rule:
    """Holds when the last models hardly differ in what they predict.

    agreements: prediction_agreement of each model with the one before it, oldest first.
    Bloodgood & Vijay-Shanker 2009, "A Method for Stopping Active Learning Based on Stabilizing
    Predictions and the Need for User-Adjustable Stopping": the mean of the last 3 is at least 0.99.
    """
    name = "stable predictions"
    if len(agreements) < COMPARED:
        done = f"{len(agreements)} of the {COMPARED} comparisons made that it takes"
        return Rule(name, False, f"whether the model still changes is not known yet: {done}")
    mean = float(np.mean(agreements[-COMPARED:]))
    verb = "reaches" if mean >= STABLE else "is below"
    said = f"the last {COMPARED} models agree with a kappa of {mean:.3f}, which {verb} {STABLE}"
    return Rule(name, mean >= STABLE, said)


def promise_rule(machine: Machine) -> Rule:
    """Holds when the promise lets the machine answer all that people have not. plan.in_words says
    more of it than a reason could."""
    return Rule("promise", machine.covers, "")


def accuracy_rule(estimate: Estimate, target: float | None, several: bool = False) -> Rule:
    """Holds when even the lower end of the interval reaches the accuracy that is needed.

    several: A text can have any number of labels, and the sentence says what accuracy means then.
    """
    name = "accuracy"
    said = f"estimated {name} {estimate}"
    if several:
        said = f"estimated {EXACT} (an answer is right if all its labels are) {estimate}"
    if target is None:
        return Rule(name, False, f"{said}, no target set")
    reached = bool(estimate.total) and estimate.low >= target
    return Rule(name, reached, f"{said}, wanted: surely {target}")


@dataclass(frozen=True)
class Gain:
    """What is expected of more labels: the change of accuracy, with a rough 80 % interval. several:
    Accuracy counts sets of labels."""

    value: float
    low: float
    high: float
    more: int
    several: bool = False

    def __str__(self) -> str:
        if not np.isfinite(self.value):
            return f"what {count(self.more, 'more label')} would bring cannot be said yet"
        what = EXACT if self.several else "accuracy"
        return (
            f"{count(self.more, 'more label')} should bring {100 * self.value:+.1f} points of "
            f"{what} (80 % {100 * self.low:+.1f} to {100 * self.high:+.1f})"
        )


def expected_gain(
    sizes: Sequence[int], right: Sequence[int], total: Sequence[int], more: int, seed: int = 0
) -> Gain:
    """The gain in accuracy of `more` labels, from how the error has fallen so far.

    sizes: labels that each earlier model had; right, total: how it did on texts it had not seen.
    The error is taken to follow a power law of the number of labels (Hestness et al. 2017, "Deep
    Learning Scaling is Predictable, Empirically"), fitted by least squares on logarithms, with
    errors drawn again from their beta posteriors 500 times for the interval. The curve may not
    rise. With fewer than three models nothing is said.
    """
    nothing = Gain(float("nan"), float("nan"), float("nan"), more)
    n, r, t = (np.asarray(v, dtype=np.float64) for v in (sizes, right, total))
    use = (t > 0) & (n > 0)
    n, r, t = n[use], r[use], t[use]
    if len(np.unique(n)) < 3 or more <= 0:
        return nothing
    rng = np.random.default_rng(seed)
    wrong = rng.beta(t - r + 0.5, r + 0.5, size=(500, len(n)))
    wrong = np.vstack([(t - r + 0.5) / (t + 1), wrong])
    gains = np.array([_power_law_gain(n, errors, t, more) for errors in wrong])
    low, high = np.quantile(gains[1:], [0.1, 0.9])
    return Gain(float(gains[0]), float(low), float(high), more)


def _power_law_gain(n: Floats, errors: Floats, weight: Floats, more: int) -> float:
    x, y = np.log(n), np.log(np.maximum(errors, 1e-6))
    slope, _ = np.polyfit(x, y, 1, w=np.sqrt(weight))
    slope = min(float(slope), 0.0)
    offset = np.average(y - slope * x, weights=weight)
    now, then = (np.exp(offset + slope * np.log(m)) for m in (n.max(), n.max() + more))
    return float(now - then)
