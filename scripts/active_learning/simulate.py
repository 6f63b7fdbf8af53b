"""The loop over arrays, with an oracle for the people: what the benchmarks run.

It decides with the same `plan_step` as the real step, so a figure measured here is a figure of the
loop. One label a text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from scripts.active_learning.arrays import Floats, Labels, Mask, Rows
from scripts.active_learning.cross_validation import Predict, cross_validate
from scripts.active_learning.draw import Drawn
from scripts.active_learning.plan import Machine, StepSettings, plan_step
from scripts.active_learning.proof import Draws
from scripts.active_learning.query import QueryState

# Embeddings (n, d), class numbers (n,) -> probabilities of embeddings.
Fit = Callable[[Floats, Labels], Predict]
# Rows that have an answer, and the model of the last step -> rows that people label by their own
# choice; those that have an answer or wait for one are left out.
Found = Callable[[Rows, Predict], Rows]


@dataclass(frozen=True)
class Corpus:
    """embeddings: (n, d) of the pool. answers: (n,) what the oracle says when it is asked, wrong
    answers included. truth: (n,). test_embeddings, test_labels: texts never asked. k classes."""

    embeddings: Floats
    answers: Labels
    truth: Labels
    test_embeddings: Floats
    test_labels: Labels
    k: int


@dataclass(frozen=True)
class SimulationSettings:
    """budget: answers by people. start: how many of them make the first batch. use_machine_labels:
    train on the machine's answers too. look_every: judge the machine after so many batches and at
    the end, which takes most of the time; 0 for never. What people are asked does not depend on it.
    queue: texts that wait for an answer at any time, so that people never wait for a step: the
    model that drew a text knows so many labels less; 0 for a batch that is answered before the next
    is drawn.
    """

    budget: int = 400
    start: int = 10
    use_machine_labels: bool = False
    look_every: int = 1
    queue: int = 0


class Pool(NamedTuple):
    """What the loop's next step looks at: the model's certainty of each of the texts that no person
    has labelled (u,), whether it is right there, and what people's labels say."""

    certainty: Floats
    right: Mask
    draws: Draws | None


@dataclass(frozen=True)
class Snapshot:
    """The loop after some answers: its model on the test texts, and on the pool.

    machine, machine_right: texts that the machine answers, and how many of these answers are true.
    asked: rows of the pool in the order of asking. decided: What the step after it may let stand;
    None at the end of a loop that decides nothing by it, and in the tutorial's.
    """

    labels: int
    predicted: Labels  # (t,) on the test texts
    certainty: Floats  # (t,)
    machine: int
    machine_right: int
    asked: Rows
    decided: Machine | None = None
    pool: Pool | None = None


def simulate(
    corpus: Corpus,
    fit: Fit,
    step: StepSettings,
    settings: SimulationSettings,
    rng: np.random.Generator,
    found: Found | None = None,
    done: Callable[[Snapshot], bool] | None = None,
) -> list[Snapshot]:
    """Run the loop until the budget is spent or the pool is empty; a snapshot a step.

    found: What people label by their own choice, each time that they have answered a batch. As in
        the loop it teaches, proves nothing, and counts as labels by people.
    done: Whether a snapshot is the last that is wanted.
    """
    n = len(corpus.embeddings)
    snapshots: list[Snapshot] = []
    asked = waiting = Drawn.chosen(np.zeros(0, dtype=np.intp))
    model = fit(corpus.embeddings[:0], corpus.answers[:0])
    draws: Draws | None = None
    while True:
        open_ = np.setdiff1d(np.arange(n), asked.rows)
        probs = model(corpus.embeddings[open_])
        right = probs.argmax(axis=1) == corpus.truth[open_]
        idle = ~np.isin(open_, waiting.rows)
        free = open_[idle]
        state = QueryState(
            probs[idle],
            corpus.embeddings[free],
            corpus.embeddings[asked.rows],
            model(corpus.embeddings[asked.rows]),
        )
        drawn = len(asked.rows) + len(waiting.rows)
        size = max(step.batch_size, settings.queue) - len(waiting.rows) if drawn else settings.start
        size = max(min(size, settings.budget - drawn), 0)
        plan = plan_step(state, replace(step, batch_size=size), rng, draws)
        if len(asked.rows):
            looked = draws is not None and bool(draws.certainty.any())
            # With the texts that wait: at the end the machine may answer these as well.
            pool = Pool(
                probs.max(axis=1),
                right,
                replace(draws, waiting=0) if draws is not None and looked else None,
            )
            there = int(right[idle][plan.machine.rows].sum())
            snapshots.append(_snapshot(corpus, model, asked, plan.machine, there, pool))
        waiting = waiting.then(plan.drawn._replace(rows=free[plan.drawn.rows]))
        if not len(waiting.rows) or (done and snapshots and done(snapshots[-1])):
            return snapshots
        # People answer in the order of the draws, a batch at a time.
        now = step.batch_size if settings.queue else len(waiting.rows)
        asked, waiting = asked.then(waiting.take(slice(now))), waiting.take(slice(now, None))
        if found is not None:
            theirs = found(asked.rows, model)
            theirs = theirs[~np.isin(theirs, [*asked.rows, *waiting.rows])]
            left = settings.budget - len(asked.rows) - len(waiting.rows)
            asked = asked.then(Drawn.chosen(theirs[: max(left, 0)]))
        train, labels = asked.rows, corpus.answers[asked.rows]
        if settings.use_machine_labels:
            answered = free[plan.machine.rows]
            keep = ~np.isin(answered, asked.rows)
            train = np.concatenate([train, answered[keep]])
            labels = np.concatenate([labels, plan.machine.labels[keep]])
        model = fit(corpus.embeddings[train], labels)
        every, last = settings.look_every, len(asked.rows) >= settings.budget
        looks = bool(every) and (last or len(asked.rows) // step.batch_size % every == 0)
        draws = _draws(corpus, fit, asked, (train, labels), looks)
        draws = replace(draws, waiting=len(waiting.rows))


def _draws(
    corpus: Corpus, fit: Fit, asked: Drawn, trained: tuple[Rows, Labels], looks: bool
) -> Draws:
    """trained: rows and labels, those of the asked first. looks: whether anybody does."""
    (train, labels), people = trained, len(asked.rows)
    probs: Floats = np.zeros((people, corpus.k))
    if looks and people > 1:
        extra = np.arange(people, len(train))

        def part(rows: Rows) -> Predict:
            known = np.concatenate([rows, extra])
            return fit(corpus.embeddings[train[known]], labels[known])

        probs = cross_validate(part, corpus.embeddings[asked.rows], corpus.k, people)
    right = (probs.argmax(axis=1) == labels[:people]) & (probs.max(axis=1) > 0)
    size = len(corpus.embeddings)
    return Draws(probs.max(axis=1), right, asked.chance, asked.open, asked.anywhere, size)


def _snapshot(
    corpus: Corpus, model: Predict, asked: Drawn, decided: Machine, right: int, pool: Pool
) -> Snapshot:
    probs = model(corpus.test_embeddings)
    return Snapshot(
        labels=len(asked.rows),
        predicted=probs.argmax(axis=1),
        certainty=probs.max(axis=1),
        machine=len(decided.rows),
        machine_right=right,
        asked=asked.rows,
        decided=decided,
        pool=pool,
    )


def at_budgets(snapshots: Sequence[Snapshot], budgets: Sequence[int]) -> dict[int, Snapshot]:
    """The last snapshot within each budget of labels; budgets before the first are left out."""
    found = {}
    for budget in budgets:
        within = [s for s in snapshots if s.labels <= budget]
        if within:
            found[budget] = within[-1]
    return found
