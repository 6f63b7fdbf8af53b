"""One step of the loop as a pure function: whom to ask, what the machine answers, what is promised.

The step that talks to Argilla and the simulation that the benchmarks run both call `plan_step`,
so what is measured is what runs.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from scripts.active_learning.arrays import Labels, Rows
from scripts.active_learning.decisions import decide
from scripts.active_learning.draw import Drawn, DrawSettings, draw
from scripts.active_learning.proof import (
    Draws,
    Estimate,
    Promise,
    PromiseSettings,
    draws_needed,
    estimate_accuracy,
    keep_promise,
    surest,
)
from scripts.active_learning.query import STRATEGIES, QueryState, Strategy, typiclust
from scripts.cli.words import count


@dataclass(frozen=True)
class StepSettings:
    """batch_size: how many texts people get a step.
    strategy: where a draw falls that may not fall anywhere.
    cold_start: picks the texts while there is no label.
    draw: which share of the draws falls anywhere.
    promise: which of the machine's answers may stand.
    """

    batch_size: int = 5
    strategy: Strategy = STRATEGIES["margin_sampling"]
    cold_start: Strategy = typiclust
    draw: DrawSettings = field(default_factory=DrawSettings)
    promise: PromiseSettings = field(default_factory=PromiseSettings)


class Machine(NamedTuple):
    """What the machine may answer of the texts that no person has labelled.

    rows, labels: row numbers, by the promise the surest first, and its answers, (a,) or (a, k).
    open: How many texts no person has labelled. pool: Texts that are not discarded.
    accuracy: Of the model, on those that no person has labelled.
    promise: None where nothing is promised, as by the rules "fixed" and "off".
    outgrown: As in Draws. proving: Labels that a promise rests on.
    """

    rows: Rows
    labels: Labels
    open: int
    pool: int
    accuracy: Estimate
    promise: Promise | None
    outgrown: int = 0
    proving: int = 0

    @property
    def covers(self) -> bool:
        """Whether the promise lets the machine answer all that is left."""
        return self.promise is not None and 0 < self.open == len(self.rows)

    @property
    def promised(self) -> Promise | None:
        """The promise, where there is an answer that it is about."""
        return self.promise if len(self.rows) else None

    def wrong_at_most(self, kind: str) -> tuple[float, float]:
        """The share of the finished data set that is wrong at most, and of the machine's labels:
        one is promised, the other follows, as the machine has answered a part of the pool."""
        if self.promised is None:
            return 0.0, 0.0
        part = len(self.rows) / self.pool
        bound = self.promised.bound
        return (bound, min(bound / part, 1.0)) if kind == "dataset" else (bound * part, bound)


@dataclass(frozen=True)
class Plan:
    """drawn: The texts that people are asked, rows of the pool given to plan_step."""

    drawn: Drawn
    machine: Machine


def plan_step(
    state: QueryState, settings: StepSettings, rng: np.random.Generator, draws: Draws | None
) -> Plan:
    """Decide one step.

    state: the texts that no person has labelled, without those that wait for an answer or were
        discarded. The machine's own answers are among them.
    draws: people's answers to texts that were drawn by chance; None before there are any.
    """
    if not len(state.labelled_embeddings):
        # No answer by a person yet: nothing has shown that the machine may answer anything.
        rows = settings.cold_start(state, settings.batch_size, rng)
        off = PromiseSettings(rule="off")
        return Plan(Drawn.chosen(rows), let_answer(state, off, None))
    anywhere = _anywhere(settings, len(state.labelled_embeddings), draws)
    drawn = draw(state, settings.batch_size, settings.strategy, anywhere, rng)
    return Plan(drawn, let_answer(state, settings.promise, draws))


def _anywhere(settings: StepSettings, labels: int, draws: Draws | None) -> float:
    """Which share of the next draws may fall anywhere. labels: Given by people so far. Texts that
    wait for one were drawn before those that come now, so they count as if they were answered."""
    waiting = draws.waiting if draws is not None else 0
    late = labels + waiting - settings.draw.teach
    if settings.promise.rule != "promise" or late < 0:
        return settings.draw.anywhere
    proved = draws.uniform if draws is not None else 0.0
    proved += settings.draw.prove * min(waiting, late)
    enough = proved >= draws_needed(settings.promise)
    return settings.draw.anywhere if enough else settings.draw.prove


def let_answer(state: QueryState, settings: PromiseSettings, draws: Draws | None) -> Machine:
    """What the machine may answer, by the promise or by another rule. As plan_step."""
    labels, certainty = decide(state.probs, state.label_threshold)
    promise = keep_promise(draws, settings) if settings.rule == "promise" else None
    if promise is not None:
        rows = surest(certainty, promise)
    else:
        threshold = settings.certainty if settings.rule == "fixed" else np.inf
        rows = np.flatnonzero(certainty > threshold)
    accuracy = estimate_accuracy(draws, certainty, settings.confidence)
    made = Machine(rows, labels[rows], len(state), len(state), accuracy, promise)
    if draws is None:
        return made
    return made._replace(pool=draws.pool, outgrown=draws.outgrown, proving=len(draws))


def in_words(machine: Machine, settings: PromiseSettings) -> tuple[str, ...]:
    """Sentences for the person who runs a step: what is promised, and what it takes to finish."""
    answered = f"the machine answers {_part(len(machine.rows), machine.open)}"
    if settings.rule == "off":
        return ("the machine answers nothing: [loop.promise] rule is off",)
    if machine.promise is None:
        return (
            f"{answered}: all above a certainty of {settings.certainty}, whatever that is worth",
        )
    sure, error = f"{100 * settings.confidence:g} %", f"{100 * settings.error:g} %"
    checked, wrong = machine.promise.checked, machine.promise.wrong
    seen = f"{wrong:.0f} wrong of {checked:.0f} checked so far"
    if machine.covers or not machine.open:
        todo = f"{seen}: nothing is left to label, `weasel run finish` finishes it"
    elif machine.promise.more <= 200 or wrong < 0.5:
        more = count(max(int(np.ceil(machine.promise.more)), 1), "more right one")
        todo = f"{seen}: {more} would let it answer all"
    else:
        todo = f"{seen}, too many for it to answer all: people label the rest, or leave it open"
    labels, s = count(machine.outgrown, "label"), "s" * (machine.outgrown == 1)
    no_more = (
        f"{labels} no longer prove{s} anything: texts came into the pool since, or records of the "
        "loop were deleted"
    )
    outgrown = (no_more,) if machine.outgrown else ()
    if not len(machine.rows):
        no = f"the machine may not answer anything yet at {sure} confidence; {todo}"
        return (no, *outgrown)
    dataset, alone = machine.wrong_at_most(settings.kind)
    promise = {
        "dataset": f"at most {error} of all labels are wrong if people label the rest",
        "precision": f"at most {error} of its labels are wrong",
    }[settings.kind]
    other = {
        "dataset": f"of the machine's labels alone at most {100 * alone:.1f} %",
        "precision": f"of all labels at most {100 * dataset:.1f} %, if people label the rest",
    }[settings.kind]
    return (f"{answered}; with {sure} confidence {promise} ({other})", todo, *outgrown)


def _part(some: int, all_: int) -> str:
    share = 100 * some / all_ if all_ else 0
    return f"{some} of the {count(all_, 'text')} that people have not labelled ({share:.0f} %)"
