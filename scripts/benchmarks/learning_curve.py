"""Accuracy by number of labels: strategies, heads and the tutorial's own loop, in one run."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from scripts.active_learning.autovalidation import ValidationSettings
from scripts.active_learning.metrics import labels_to_reach
from scripts.active_learning.plan import StepSettings
from scripts.active_learning.query import STRATEGIES
from scripts.active_learning.simulate import (
    Corpus,
    SimulationSettings,
    Snapshot,
    at_budgets,
    simulate,
)
from scripts.benchmarks.corpora import Embedded, split, with_noise, with_rare_class
from scripts.benchmarks.heads import fit_on, make_head
from scripts.benchmarks.tutorial_loop import tutorial_loop
from scripts.cli.console import msg

BUDGETS = (20, 50, 100, 150, 200, 300, 400)
CONDITIONS = ("clean", "noise", "rare")
TUTORIAL = "tutorial"


@dataclass(frozen=True)
class Row:
    """One point of one run. loop: "tutorial", or head/strategy. machine, machine_right: texts that
    the machine has answered so far, and how many of those answers are true."""

    dataset: str
    condition: str
    loop: str
    seed: int
    labels: int
    accuracy: float
    macro_f: float
    machine: int = 0
    machine_right: int = 0


def run(
    datasets: Sequence[Embedded],
    loops: Sequence[str],
    seeds: int,
    table: Path,
    condition: str = "clean",
    noise: float = 0.2,
    rare: float = 20.0,
    budgets: Sequence[int] = BUDGETS,
    batch_size: int = 10,
    start: int = 20,
    tutorial_budget: int = 200,
) -> list[Row]:
    """Run what `table`, a CSV file, does not hold yet, append it there, and return all of it.

    loops: "tutorial" or HEAD/STRATEGY, as "pool/margin"; with /names at its end, the head is told
        the names of the labels only and not what they mean.
    """
    rows = read(table)
    done = {(r.dataset, r.condition, r.loop, r.seed) for r in rows}
    for data in datasets:
        for seed in range(seeds):
            for loop in loops:
                if (data.name, condition, loop, seed) in done:
                    continue
                corpus = make_corpus(data, seed, condition, noise, rare)
                rng = np.random.default_rng([seed, 1])
                if loop == TUTORIAL:
                    snapshots = tutorial_loop(corpus, rng, budget=tutorial_budget)
                else:
                    snapshots = _loop(corpus, data, loop, batch_size, start, max(budgets), rng)
                wanted = [b for b in budgets if b <= snapshots[-1].labels + batch_size]
                new = _rows(snapshots, wanted, corpus, data.name, condition, loop, seed)
                _append(table, new)
                rows += new
            msg.text(f"{data.name}, {condition}: seed {seed + 1} of {seeds} done")
    return [row for row in rows if row.condition == condition]


def make_corpus(
    data: Embedded, seed: int, condition: str, noise: float = 0.2, rare: float = 20.0
) -> Corpus:
    """A split by seed. "noise": that share of answers is wrong. "rare": one class, another with
    each seed, is that many times rarer in the pool."""
    rng = np.random.default_rng(seed)
    k = len(data.label_names)
    corpus = split(data.embeddings, data.labels, k, rng)
    if condition == "noise":
        return with_noise(corpus, noise, rng)
    if condition == "rare":
        return with_rare_class(corpus, seed % k, rare)
    return corpus


def _loop(
    corpus: Corpus,
    data: Embedded,
    loop: str,
    batch_size: int,
    start: int,
    budget: int,
    rng: np.random.Generator,
) -> list[Snapshot]:
    head, strategy, *told = loop.split("/")
    step = StepSettings(
        batch_size=batch_size,
        strategy=STRATEGIES[strategy],
        # A strategy that starts typically and goes on at random is not what random sampling means.
        **({"cold_start": STRATEGIES[strategy]} if strategy in ("fifo", "random") else {}),
        random_share=0.0,
        validation=ValidationSettings(rule="off"),
    )
    labels = data.label_names if told == ["names"] else data.label_descriptions
    fit = fit_on(make_head(head), corpus, labels)
    return simulate(corpus, fit, step, SimulationSettings(budget=budget, start=start), rng)


def _rows(
    snapshots: Sequence[Snapshot],
    budgets: Iterable[int],
    corpus: Corpus,
    dataset: str,
    condition: str,
    loop: str,
    seed: int,
) -> list[Row]:
    rows = []
    for budget, snapshot in at_budgets(snapshots, tuple(budgets)).items():
        accuracy = float((snapshot.predicted == corpus.test_labels).mean())
        macro = f1_score(corpus.test_labels, snapshot.predicted, average="macro", zero_division=0)
        rows.append(
            Row(
                dataset,
                condition,
                loop,
                seed,
                budget,
                accuracy,
                float(macro),
                snapshot.ever_machine,
                snapshot.ever_right,
            )
        )
    return rows


def read(table: Path) -> list[Row]:
    """The rows of the CSV file, none if there is no such file."""
    if not table.exists():
        return []
    with table.open(newline="", encoding="utf8") as file:
        return [
            Row(
                r["dataset"],
                r["condition"],
                r["loop"],
                int(r["seed"]),
                int(r["labels"]),
                float(r["accuracy"]),
                float(r["macro_f"]),
                int(r.get("machine") or 0),
                int(r.get("machine_right") or 0),
            )
            for r in csv.DictReader(file)
        ]


def _append(table: Path, rows: Sequence[Row]) -> None:
    table.parent.mkdir(parents=True, exist_ok=True)
    is_new = not table.exists()
    with table.open("a", newline="", encoding="utf8") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Row)])
        if is_new:
            writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


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


def summary(rows: Sequence[Row], measure: str = "accuracy") -> str:
    """Markdown tables, one a data set: loops by number of labels."""
    lines = []
    for dataset in dict.fromkeys(row.dataset for row in rows):
        budgets = sorted({row.labels for row in rows if row.dataset == dataset})
        lines += [
            "",
            f"{dataset}, {measure}",
            "",
            "| loop | " + " | ".join(map(str, budgets)) + " |",
        ]
        lines += ["|---|" + "---|" * len(budgets)]
        for loop in dict.fromkeys(row.loop for row in rows if row.dataset == dataset):
            points = mean_and_sd(rows, dataset, loop, measure)
            cells = [
                f"{points[b][0]:.3f} ± {points[b][1]:.3f}" if b in points else "" for b in budgets
            ]
            lines.append(f"| {loop} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def labels_needed(rows: Sequence[Row], at: int = 200) -> str:
    """Markdown: the labels each loop needs for the mean accuracy of the tutorial's at `at` labels.

    From the curve of means, as that is what a table can be checked against.
    """
    if not any(row.loop == TUTORIAL for row in rows):
        return ""
    lines = [
        f"| data set | the tutorial's accuracy at {at} labels | loop | labels needed | share |",
        "|---|---|---|---|---|",
    ]
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
            lines.append(f"| {dataset} | {target[0]:.3f} | {loop} | {text} | {share} |")
    return "\n".join(lines)


def plot(rows: Sequence[Row], path: Path, measure: str = "accuracy") -> None:
    """A panel a data set: mean over the seeds, with the standard deviation shaded for the tutorial
    and the first of the other loops only."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    datasets = list(dict.fromkeys(row.dataset for row in rows))
    figure, panels = plt.subplots(
        1, len(datasets), figsize=(6.5 * len(datasets), 5), squeeze=False, layout="constrained"
    )
    loops = list(dict.fromkeys(row.loop for row in rows))
    colours: dict[str, object] = {
        loop: plt.colormaps["tab10"](i % 10) for i, loop in enumerate(loops)
    }
    colours[TUTORIAL] = "black"
    shaded = [TUTORIAL, next((loop for loop in loops if loop != TUTORIAL), TUTORIAL)]
    for panel, dataset in zip(panels[0], datasets, strict=True):
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
    panels[0][-1].legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)
