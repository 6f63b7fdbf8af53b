"""How many wrong answers by people the label review finds."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scripts.active_learning.cross_validation import cross_validate
from scripts.active_learning.quality import label_errors
from scripts.active_learning.query import typiclust
from scripts.active_learning.simulate import SimulationSettings, simulate
from scripts.benchmarks.corpora import Embedded
from scripts.benchmarks.heads import fit_on, make_head
from scripts.benchmarks.learning_curve import Condition, make_corpus
from scripts.benchmarks.loops import by_strategy


def compare(
    datasets: Sequence[Embedded],
    head: str,
    strategies: Sequence[str],
    budgets: Sequence[int],
    seeds: int,
    noise: float,
    most: float,
) -> Iterator[dict[str, Any]]:
    """A row a data set, strategy and number of labels: the share of the wrong answers that are
    among those to look at again, at most `most` of all, mean over the seeds; and the share of
    those that are wrong."""
    for data in datasets:
        for strategy in strategies:
            for budget in budgets:
                found = [
                    _found(data, head, strategy, budget, seed, noise, most) for seed in range(seeds)
                ]
                recall, precision, reviewed = np.mean(found, axis=0)
                yield {
                    "data": data.name,
                    "strategy": strategy,
                    "labels": budget,
                    "wrong answers": f"{noise:.0%}",
                    "looked at": f"{reviewed:.0%}",
                    "of the wrong ones found": f"{recall:.0%}",
                    "of those looked at wrong": f"{precision:.0%}",
                }


def _found(
    data: Embedded, head: str, strategy: str, budget: int, seed: int, noise: float, most: float
) -> tuple[float, float, float]:
    corpus = make_corpus(data, seed, Condition("noise", noise=noise))
    fit = fit_on(make_head(head), corpus, data.label_descriptions)
    step = replace(by_strategy(strategy, 20), cold_start=typiclust)
    rng = np.random.default_rng([seed, 3])
    asked = simulate(corpus, fit, step, SimulationSettings(budget=budget, start=20), rng)[-1].asked
    probs = cross_validate(
        lambda rows: fit(corpus.embeddings[asked[rows]], corpus.answers[asked[rows]]),
        corpus.embeddings[asked],
        corpus.k,
        seed=seed,
    )
    wrong = corpus.answers[asked] != corpus.truth[asked]
    rows = label_errors(probs, corpus.answers[asked], most=most)
    hits = wrong[rows].sum()
    return hits / wrong.sum(), hits / max(len(rows), 1), len(rows) / len(asked)
