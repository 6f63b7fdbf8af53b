"""Does auto-validation keep its promise, and how much does it answer?"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scripts.active_learning.autovalidation import ValidationSettings, measured_precision
from scripts.active_learning.plan import StepSettings
from scripts.active_learning.query import STRATEGIES
from scripts.active_learning.simulate import (
    Corpus,
    SimulationSettings,
    Snapshot,
    at_budgets,
    simulate,
)
from scripts.benchmarks.corpora import Embedded
from scripts.benchmarks.heads import fit_on, make_head
from scripts.benchmarks.learning_curve import make_corpus
from scripts.benchmarks.tutorial_loop import tutorial_loop
from scripts.cli.console import msg

# Name -> rule, strategy, and share of a batch drawn at random.
RULES = {
    "precision 0.98": (ValidationSettings(target=0.98, probe_share=0.5), "margin", 0.1),
    "precision 0.95": (ValidationSettings(target=0.95, probe_share=0.5), "margin", 0.1),
    "certainty 0.9": (ValidationSettings(rule="fixed", certainty=0.9), "fifo", 0.0),
}
TUTORIAL = "tutorial, 0.9"


def compare(
    datasets: Sequence[Embedded],
    rules: Sequence[str],
    seeds: int,
    head: str,
    budgets: Sequence[int],
    batch_size: int,
) -> list[dict[str, Any]]:
    """A row a data set, rule and number of labels: precision of all machine answers over the
    seeds, the worst seed, and coverage. Coverage is the share of the pool; of a rule that only
    looks at the batch it is small by nature.

    rules: names of RULES, or "tutorial, 0.9" for the tutorial's own loop.
    """
    rows = []
    for data in datasets:
        for rule in rules:
            runs = []
            for seed in range(seeds):
                runs.append(_run(data, rule, seed, head, budgets, batch_size))
                msg.text(f"{data.name}, {rule}: seed {seed + 1} of {seeds}")
            for budget in budgets:
                ends = [(run[budget], c) for run, c in runs if budget in run]
                if ends:
                    rows.append({"data": data.name, "rule": rule, "labels": budget, **_row(ends)})
    return rows


def _run(
    data: Embedded, rule: str, seed: int, head: str, budgets: Sequence[int], batch_size: int
) -> tuple[dict[int, Snapshot], Corpus]:
    corpus = make_corpus(data, seed)
    rng = np.random.default_rng([seed, 2])
    if rule == TUTORIAL:
        snapshots = tutorial_loop(corpus, rng, budget=max(budgets))
    else:
        validation, strategy, share = RULES[rule]
        step = StepSettings(
            batch_size=batch_size,
            strategy=STRATEGIES[strategy],
            random_share=share,
            validation=validation,
        )
        fit = fit_on(make_head(head), corpus, data.label_descriptions)
        settings = SimulationSettings(budget=max(budgets), start=20)
        snapshots = simulate(corpus, fit, step, settings, rng)
    return at_budgets(snapshots, budgets), corpus


def _row(ends: Sequence[tuple[Snapshot, Corpus]]) -> dict[str, Any]:
    answered = [s for s, _ in ends if s.ever_machine]
    right, total = (
        sum(getattr(s, name) for s, _ in ends) for name in ("ever_right", "ever_machine")
    )
    standing = sum(s.machine for s, _ in ends)
    standing_right = sum(s.machine_right for s, _ in ends)
    audited = np.concatenate([s.audit_right for s, _ in ends])
    audit = measured_precision(np.ones(len(audited), dtype=int), audited.astype(int))
    return {
        "seeds that answered": f"{len(answered)} of {len(ends)}",
        "precision": f"{right / total:.4f}" if total else "",
        "worst seed": f"{min(s.ever_right / s.ever_machine for s in answered):.3f}"
        if answered
        else "",
        "precision of standing": f"{standing_right / standing:.4f}" if standing else "",
        "coverage": f"{np.mean([s.machine / len(c.truth) for s, c in ends]):.1%}",
        "accuracy": f"{np.mean([(s.predicted == c.test_labels).mean() for s, c in ends]):.3f}",
        "audit measured": str(audit),
    }
