"""Loops by name: the one that ships, others of a head and a strategy, and the tutorial's."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from spacy.util import load_config, registry

import components.code  # noqa: F401
from scripts.active_learning.draw import DrawSettings
from scripts.active_learning.plan import StepSettings
from scripts.active_learning.proof import PromiseSettings
from scripts.active_learning.query import STRATEGIES
from scripts.active_learning.simulate import Corpus, Found, SimulationSettings, Snapshot, simulate
from scripts.benchmarks.corpora import Embedded
from scripts.benchmarks.heads import Head, fit_on, make_head
from scripts.benchmarks.tutorial_loop import tutorial_loop
from scripts.loop.settings import Settings, load_settings

TUTORIAL = "tutorial"
SHIPPED = "shipped"
NAMES = "names"


@cache
def shipped_settings() -> Settings:
    """configs/loop.cfg as it is. The data set's name is not needed."""
    return load_settings(Path("configs/loop.cfg"), ["--argilla.dataset", "benchmark"])


def shipped_head() -> Head:
    """The head of the pipeline that loop.cfg names."""
    textcat = load_config(shipped_settings().paths.pipeline)["components"]["classy_textcat"]
    head: Head = registry.resolve({"head": textcat["classifier"]})["head"]
    return head


@dataclass(frozen=True)
class Budget:
    """labels: by people, in all. tutorial: the same for the tutorial's loop. batch_size, start:
    texts a step, and at first, of loops that are not the shipped one, which has its own.
    look_every: batches after which the machine is judged; 0 for never."""

    labels: int = 400
    tutorial: int = 200
    batch_size: int = 10
    start: int = 20
    look_every: int = 0


def run_loop(
    name: str,
    corpus: Corpus,
    data: Embedded,
    budget: Budget,
    seed: int,
    found: Found | None = None,
    done: Callable[[Snapshot], bool] | None = None,
) -> list[Snapshot]:
    """name: "shipped" (configs/loop.cfg and its pipeline as they are, with draws from anywhere
    and all), "tutorial", or HEAD/STRATEGY, which asks by the strategy alone; with /names at its
    end, the head is told the names of the labels only and not what they mean.

    found, done: As of `simulate`; not for the tutorial's.
    """
    rng = np.random.default_rng([seed, 1])
    if name == TUTORIAL:
        return tutorial_loop(corpus, rng, budget=budget.tutorial)
    head_name, *rest = name.split("/")
    told = data.label_names if NAMES in rest else data.label_descriptions
    if head_name == SHIPPED:
        loop, head = shipped_settings().loop, shipped_head()
        step = loop.plan(loop.batch_size)
        queue = loop.queue if loop.at_once else 0
        settings = SimulationSettings(
            budget.labels, loop.seed_size, loop.use_machine_labels, budget.look_every, queue
        )
    else:
        head, step = make_head(head_name), by_strategy(rest[0], budget.batch_size)
        settings = SimulationSettings(budget.labels, budget.start, look_every=budget.look_every)
    return simulate(corpus, fit_on(head, corpus, told), step, settings, rng, found, done)


def by_strategy(name: str, batch_size: int) -> StepSettings:
    """Whole batches by a strategy, and no answers by machine."""
    strategy = STRATEGIES[name]
    return StepSettings(
        batch_size=batch_size,
        strategy=strategy,
        # A strategy that starts typically and goes on at random is not what random sampling means.
        **({"cold_start": strategy} if name in ("fifo", "random") else {}),
        draw=DrawSettings(anywhere=0.0),
        promise=PromiseSettings(rule="off"),
    )
