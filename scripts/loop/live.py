"""The loop by itself: a step whenever a batch is answered, for as long as it takes."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event

import numpy as np

from scripts.data.corpus import Pool, read_labels
from scripts.loop.dashboard import Shown
from scripts.loop.learner import Learner
from scripts.loop.lease import lease
from scripts.loop.session import open_loop
from scripts.loop.settings import Settings
from scripts.loop.step import StepResult, step
from scripts.records.client import ServerAway, answers_now
from scripts.records.dataset import LoopDataset
from scripts.records.pool_dataset import said_in_pool

# Makes the event that is set whenever somebody answers.
Hearing = Callable[[LoopDataset], AbstractContextManager[Event]]
LONGEST = 30.0  # seconds between two attempts to reach a server that is away
LOOK = 2.0  # seconds after which it is noticed that a server is away


def live(settings: Settings, hearing: Hearing, every: float, shown: Shown) -> StepResult:
    """Take steps until there is nothing left to do. All it knows is in Argilla, so it begins anew
    where the server was away, or the labels were changed.

    every: Seconds after which it looks even if it has heard nothing.
    RAISES (ProjectError): Argilla cannot be used, or has not answered at the beginning.
    """
    reached, attempts = False, 0
    while True:
        try:
            with open_loop(settings) as (dataset, learner, pool), hearing(dataset) as answered:
                shown.reached(dataset.url)
                reached = True
                while True:
                    answered.clear()
                    said = _said(dataset)  # first, so that no answer falls in between
                    result = _step(dataset, learner, pool, settings)
                    if result is None:
                        shown.changed()
                        break
                    shown.stepped(result)
                    if result.finished:
                        return result
                    attempts = 0
                    _wait(dataset, answered, said, result, every, shown)
        except ServerAway as err:
            if not reached:
                raise
            pause = min(2.0**attempts, LONGEST)
            attempts += 1
            shown.away(err.title, pause)
            time.sleep(pause)


def _step(
    dataset: LoopDataset, learner: Learner, pool: Pool, settings: Settings
) -> StepResult | None:
    """None where the labels have changed."""
    with lease(settings.paths.corpus, "live"):
        if read_labels(settings.paths.corpus) != learner.labels or dataset.moved():
            return None
        return step(dataset, learner, pool, settings)


def _said(dataset: LoopDataset) -> tuple[int, int]:
    """Answers by people, and those in the data set of the pool."""
    return dataset.said(), said_in_pool(dataset)


def _wait(
    dataset: LoopDataset,
    answered: Event,
    said: tuple[int, int],
    result: StepResult,
    every: float,
    shown: Shown,
) -> None:
    """Until another step is due, and at most so many seconds, as an event may get lost.

    said: Before the step.
    """
    end = time.monotonic() + every
    while (left := end - time.monotonic()) > 0:
        if answered.wait(min(LOOK, left)):
            answered.clear()
            here, found = np.subtract(_said(dataset), said).tolist()
            shown.answered(here)
            if here >= result.due or found:
                return
        elif not answers_now(url := str(dataset.client.api_url)):
            raise ServerAway(f"Argilla at {url} does not answer.")
