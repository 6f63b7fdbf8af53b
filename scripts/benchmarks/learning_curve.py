"""Accuracy by number of labels: strategies, heads and the tutorial's own loop, in one run."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score
from wasabi import MarkdownRenderer

from scripts.active_learning.calibration import calibration_by_chance, calibration_error
from scripts.active_learning.simulate import Corpus, Snapshot, at_budgets
from scripts.benchmarks.corpora import Embedded, split, with_noise, with_rare_class
from scripts.benchmarks.loops import TUTORIAL, Budget, run_loop
from scripts.cli.console import msg

BUDGETS = (20, 50, 100, 150, 200, 300, 400)


@dataclass(frozen=True)
class Row:
    """One point of one run. loop: a name that run_loop knows. machine, machine_right: texts that
    the machine answers, and how many of those answers are true. calibration_by_chance: Of a
    perfectly calibrated model on as many test texts."""

    dataset: str
    condition: str
    loop: str
    seed: int
    labels: int
    accuracy: float
    macro_f: float
    machine: int = 0
    machine_right: int = 0
    calibration_error: float = float("nan")
    calibration_by_chance: float = float("nan")


@dataclass(frozen=True)
class Condition:
    """name: clean, noise or rare. noise: that share of answers is wrong, if noise. rare: one class,
    another with each seed, is that many times rarer in the pool, if rare."""

    name: str = "clean"
    noise: float = 0.2
    rare: float = 20.0


def run(
    datasets: Sequence[Embedded],
    loops: Sequence[str],
    seeds: Sequence[int],
    table: Path,
    condition: Condition = Condition(),
    budgets: Sequence[int] = BUDGETS,
    budget: Budget | None = None,
) -> list[Row]:
    """Run what `table`, a CSV file, does not hold yet, append it there, and return what it holds
    of these seeds.

    loops: names that run_loop knows.
    """
    rows = read(table)
    done = {(r.dataset, r.condition, r.loop, r.seed) for r in rows}
    budget = budget or Budget(labels=max(budgets))
    for number, seed in enumerate(seeds, start=1):
        for data in datasets:
            for loop in loops:
                if (data.name, condition.name, loop, seed) in done:
                    continue
                corpus = make_corpus(data, seed, condition)
                snapshots = run_loop(loop, corpus, data, budget, seed)
                points = at_budgets(snapshots, tuple(budgets))
                new = [
                    _row(points[n], corpus, (data.name, condition.name, loop, seed), n)
                    for n in points
                    if n <= snapshots[-1].labels + budget.batch_size
                ]
                _append(table, new)
                rows += new
            msg.text(f"{data.name}, {condition.name}: seed {number} of {len(seeds)} done")
    return [row for row in rows if row.condition == condition.name and row.seed in seeds]


def make_corpus(data: Embedded, seed: int, condition: Condition = Condition()) -> Corpus:
    """A split by seed, in this condition."""
    rng = np.random.default_rng(seed)
    k = len(data.label_names)
    corpus = split(data.embeddings, data.labels, k, rng)
    if condition.name == "noise":
        return with_noise(corpus, condition.noise, rng)
    if condition.name == "rare":
        return with_rare_class(corpus, seed % k, condition.rare)
    return corpus


def _row(snapshot: Snapshot, corpus: Corpus, run_of: tuple[str, str, str, int], n: int) -> Row:
    right = snapshot.predicted == corpus.test_labels
    macro = f1_score(corpus.test_labels, snapshot.predicted, average="macro", zero_division=0)
    return Row(
        *run_of,
        n,
        float(right.mean()),
        float(macro),
        snapshot.machine,
        snapshot.machine_right,
        calibration_error(snapshot.certainty, right),
        calibration_by_chance(snapshot.certainty),
    )


def read(table: Path) -> list[Row]:
    """The rows of the CSV file, none if there is no such file."""
    if not table.exists():
        return []
    names: dict[Any, Any] = dict.fromkeys(("dataset", "condition", "loop"), str)
    return [Row(**row) for row in pd.read_csv(table, dtype=names).to_dict("records")]


def _append(table: Path, rows: Sequence[Row]) -> None:
    table.parent.mkdir(parents=True, exist_ok=True)
    data = pd.DataFrame(rows, columns=[field.name for field in fields(Row)])
    data.to_csv(table, mode="a", header=not table.exists(), index=False)


def mean_and_sd(
    rows: Sequence[Row], dataset: str, loop: str, measure: str = "accuracy"
) -> dict[int, tuple[float, float]]:
    """Labels -> mean and standard deviation over the seeds."""
    values: dict[int, list[float]] = {}
    for row in rows:
        if row.dataset == dataset and row.loop == loop:
            values.setdefault(row.labels, []).append(getattr(row, measure))
    return {
        n: (float(np.mean(v)), float(np.std(v, ddof=1) if len(v) > 1 else 0.0))
        for n, v in sorted(values.items())
    }


def labels_to_reach(labels: np.ndarray, scores: np.ndarray, target: float) -> float:
    """Fewest labels at which a learning curve reaches target for good: from there on it does not
    fall below it. Between two measured points the curve is a line; infinity if it never gets there.

    labels: (p,) rising; scores: (p,).
    """
    labels, scores = np.asarray(labels, dtype=float), np.asarray(scores, dtype=float)
    below = np.flatnonzero(scores < target)
    if not len(below):
        return float(labels[0])
    last = below[-1]
    if last == len(scores) - 1:
        return float("inf")
    share = (target - scores[last]) / (scores[last + 1] - scores[last])
    return float(labels[last] + share * (labels[last + 1] - labels[last]))


def summary(rows: Sequence[Row], measure: str = "accuracy") -> str:
    """Markdown tables, one a data set: loops by number of labels."""
    tables = []
    for dataset in dict.fromkeys(row.dataset for row in rows):
        budgets = sorted({row.labels for row in rows if row.dataset == dataset})
        lines = []
        for loop in dict.fromkeys(row.loop for row in rows if row.dataset == dataset):
            points = mean_and_sd(rows, dataset, loop, measure)
            cells = [
                f"{points[b][0]:.3f} ± {points[b][1]:.3f}" if b in points else "" for b in budgets
            ]
            lines.append([loop, *cells])
        table = MarkdownRenderer().table(lines, ["loop", *map(str, budgets)])
        tables.append(f"\n{dataset}, {measure}\n\n{table}")
    return "\n".join(tables)


def labels_needed(rows: Sequence[Row], at: int = 200) -> str:
    """Markdown: the labels each loop needs for the mean accuracy of the tutorial's at `at` labels.

    From the curve of means, as that is what a table can be checked against.
    """
    if not any(row.loop == TUTORIAL for row in rows):
        return ""
    lines = []
    for dataset in dict.fromkeys(row.dataset for row in rows):
        target = mean_and_sd(rows, dataset, TUTORIAL).get(at)
        if target is None:
            continue
        for loop in dict.fromkeys(row.loop for row in rows if row.dataset == dataset):
            if loop == TUTORIAL:
                continue
            points = mean_and_sd(rows, dataset, loop)
            budgets = np.array(list(points), dtype=float)
            means = np.array([mean for mean, _ in points.values()])
            needed = labels_to_reach(budgets, means, target[0])
            text = f"≤ {needed:.0f}" if needed <= budgets[0] else f"{needed:.0f}"
            share = f"{needed / at:.0%}" if np.isfinite(needed) else "never"
            lines.append([dataset, f"{target[0]:.3f}", loop, text, share])
    header = ["data set", f"the tutorial's accuracy at {at} labels", "loop", "labels needed"]
    return str(MarkdownRenderer().table(lines, [*header, "share"]))


def plot(rows: Sequence[Row], path: Path, measure: str = "accuracy") -> None:
    """A panel a data set: mean over the seeds, with the standard deviation shaded for the tutorial
    and the first of the other loops only."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    datasets = list(dict.fromkeys(row.dataset for row in rows))
    wide = min(len(datasets), 3)
    high = -(-len(datasets) // wide)
    figure, grid = plt.subplots(
        high, wide, figsize=(5.5 * wide, 4.2 * high), squeeze=False, layout="constrained"
    )
    panels = list(grid.flat)
    for unused in panels[len(datasets) :]:
        unused.set_axis_off()
    loops = list(dict.fromkeys(row.loop for row in rows))
    colours: dict[str, object] = {
        loop: plt.colormaps["tab10"](i % 10) for i, loop in enumerate(loops)
    }
    colours[TUTORIAL] = "black"
    shaded = [TUTORIAL, next((loop for loop in loops if loop != TUTORIAL), TUTORIAL)]
    for panel, dataset in zip(panels, datasets, strict=False):
        lowest = 1.0
        for loop in loops:
            points = mean_and_sd(rows, dataset, loop, measure)
            if not points:
                continue
            n = np.array(list(points))
            mean, sd = np.array(list(points.values())).T
            style = {"linestyle": "--", "linewidth": 2} if loop == TUTORIAL else {}
            panel.plot(n, mean, label=loop, color=colours[loop], marker=".", **style)
            if loop in shaded:
                panel.fill_between(n, mean - sd, mean + sd, color=colours[loop], alpha=0.15)
            lowest = min(lowest, mean[n >= 50].min(initial=1.0))
        panel.set(title=dataset, xlabel="labels by people", ylabel=measure.replace("_", "-"))
        panel.set_ylim(bottom=max(0.0, lowest - 0.03))
        panel.grid(alpha=0.3)
    panels[len(datasets) - 1].legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)
