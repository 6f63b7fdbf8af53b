"""Is the promise about the finished data set kept, and how much does the machine answer?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import binomtest

from scripts.active_learning.proof import estimate_accuracy, keep_promise, surest
from scripts.active_learning.simulate import Snapshot, at_budgets
from scripts.benchmarks.corpora import Embedded
from scripts.benchmarks.learning_curve import Condition, make_corpus
from scripts.benchmarks.loops import NAMES, SHIPPED, Budget, run_loop, shipped_settings
from scripts.cli.console import msg

# The tutorial lets a certainty above this validate itself.
TUTORIAL_CERTAINTY = 0.9


@dataclass(frozen=True)
class Look:
    """What is promised after some labels, and what is true. answered: share of the open texts that
    the machine answers. wrong: share of the finished data set that is wrong. low, high: the
    interval of the accuracy on the open texts; accuracy: the true one."""

    labels: int
    answered: float
    wrong: float
    low: float
    high: float
    accuracy: float

    @property
    def covered(self) -> bool:
        return self.low <= self.accuracy <= self.high


def look(snapshot: Snapshot, error: float, noise: float = 0.0) -> Look:
    """noise: share of people's labels that is wrong, which counts as wrong in the data set."""
    assert snapshot.pool is not None
    certainty, right, draws = snapshot.pool
    settings = replace(shipped_settings().loop.promise, error=error)
    stands = surest(certainty, keep_promise(draws, settings))
    people = snapshot.labels
    wrong = (int((~right[stands]).sum()) + noise * people) / (len(right) + people)
    estimate = estimate_accuracy(draws, certainty)
    return Look(
        people, len(stands) / len(right), wrong, estimate.low, estimate.high, float(right.mean())
    )


def compare(
    datasets: Sequence[Embedded],
    errors: Sequence[float],
    budgets: Sequence[int],
    seeds: int,
    noise: float = 0.0,
    look_every: int = 4,
    names: bool = True,
) -> Iterator[dict[str, Any]]:
    """A row a data set and promise: at each number of labels the share of the open texts that the
    machine answers, and the share of all labels that is wrong, mean and worst of the seeds. broken:
    the share of (seed, number of labels) with more wrong than promised; at any look: the share of
    runs that have one, with a look after so many batches; when all is answered: of the runs in
    which the machine may answer everything, those that break it when that is so first. The loop is
    the one that ships, which draws for its own promise; the other promises are judged on the same
    draws.

    noise: share of people's answers that is wrong. names: tell the head the names of the labels
    only, no descriptions.
    """
    loop = f"{SHIPPED}/{NAMES}" if names else SHIPPED
    for data in datasets:
        runs = []
        for seed in range(seeds):
            corpus = make_corpus(data, seed, Condition("noise" if noise else "clean", noise=noise))
            budget = Budget(labels=max(budgets), look_every=look_every)
            runs.append(run_loop(loop, corpus, data, budget, seed))
            msg.text(f"{data.name}: seed {seed + 1} of {seeds}")
        yield from (_row(data.name, runs, error, budgets, noise) for error in errors)
        yield _tutorial(data.name, runs, budgets)
        yield _interval(data.name, runs, budgets)


def _looks(runs: Sequence[list[Snapshot]], error: float, noise: float = 0.0) -> list[list[Look]]:
    """Of each run, where somebody looked."""
    return [
        [look(s, error, noise) for s in run if s.pool and s.pool.draws is not None] for run in runs
    ]


def _last(looks: Sequence[list[Look]], budget: int) -> list[Look]:
    """The last look of each run within this number of labels."""
    return [max((x for x in run if x.labels <= budget), key=lambda x: x.labels) for run in looks]


def _row(
    name: str, runs: Sequence[list[Snapshot]], error: float, budgets: Sequence[int], noise: float
) -> dict[str, Any]:
    looks = _looks(runs, error, noise)
    cells, broken = {}, []
    for budget in budgets:
        now = _last(looks, budget)
        wrong = np.array([x.wrong for x in now])
        broken.append(float((wrong > error).mean()))
        cells[str(budget)] = (
            f"{np.mean([x.answered for x in now]):.0%}, {wrong.mean():.1%} ({wrong.max():.1%})"
        )
    full = [x for x in (next((x for x in run if x.answered == 1), None) for run in looks) if x]
    return {
        "data": name,
        "what": f"promise: {error:.0%} wrong",
        **cells,
        "broken": f"{np.mean(broken):.1%}, worst {max(broken):.0%}",
        "at any look": f"{np.mean([any(x.wrong > error for x in run) for run in looks]):.0%}",
        "when all is answered": f"{sum(x.wrong > error for x in full)} of {len(full)}",
    }


def _tutorial(name: str, runs: Sequence[list[Snapshot]], budgets: Sequence[int]) -> dict[str, Any]:
    """What its rule would let stand of the same models, and what of that is wrong in all."""
    cells = {}
    for budget in budgets:
        answered: list[float] = []
        wrong: list[float] = []
        for run in runs:
            snapshot = at_budgets(run, [budget])[budget]
            assert snapshot.pool is not None
            sure = snapshot.pool.certainty > TUTORIAL_CERTAINTY
            answered.append(sure.mean())
            wrong.append((sure & ~snapshot.pool.right).sum() / (len(sure) + snapshot.labels))
        cells[str(budget)] = f"{np.mean(answered):.0%}, {np.mean(wrong):.1%} ({max(wrong):.1%})"
    return {"data": name, "what": "certainty above 0.9", **cells}


def _interval(name: str, runs: Sequence[list[Snapshot]], budgets: Sequence[int]) -> dict[str, Any]:
    """How wide the interval of the accuracy is, against that of as many uniform draws, and in which
    share of (seed, step) it holds."""
    looks = _looks(runs, 0.5)
    cells = {}
    for budget in budgets:
        now = _last(looks, budget)
        width = np.mean([x.high - x.low for x in now])
        cells[str(budget)] = f"{width:.3f} against {_uniform_width(now, budget):.3f}"
    covered = [x.covered for run in looks for x in run if x.high - x.low < 1]
    return {
        "data": name,
        "what": "accuracy's interval",
        **cells,
        "broken": f"{1 - np.mean(covered):.1%}",
    }


def _uniform_width(now: Sequence[Look], n: int) -> float:
    """Of the exact interval (Clopper & Pearson 1934) that n uniform draws give at this accuracy."""
    accuracy = float(np.mean([x.accuracy for x in now]))
    interval = binomtest(round(accuracy * n), n).proportion_ci(0.9)
    return float(interval.high - interval.low)
