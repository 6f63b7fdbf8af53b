"""What the model, trained on people's answers, makes of the pool: what a step decides on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scripts.active_learning.decisions import agree, decide
from scripts.active_learning.proof import Draws
from scripts.active_learning.query import QueryState
from scripts.data.corpus import Pool
from scripts.loop.learner import Learner
from scripts.loop.settings import LoopSettings
from scripts.records.answers import Answer, Answers, Chance


@dataclass(frozen=True)
class Assessment:
    """rows, ids: (u,) rows of the pool that no person has dealt with, and their texts' ids; the
        machine's answers are among them. state: these, as the model sees them.
    held_out: (n, n_labels) of answers.labelled, each without its own label; None before there is a
        trained model.
    draws: people's labels and the chances of their texts; None before there is a trained model.
    trained_on: answers.
    """

    rows: np.ndarray
    ids: list[str]
    state: QueryState
    held_out: np.ndarray | None
    draws: Draws | None
    trained_on: int


def trainable(answers: Sequence[Answer]) -> bool:
    """A model that has seen one answer only (a label, or a set of labels) would know no other."""
    return len({answer.labels for answer in answers}) > 1


def train_on_all(learner: Learner, answers: Answers, loop: LoopSettings) -> bool:
    """Train the model of today: on all answers or, where they make none, on what the labels are
    called alone.

    RETURNS: Whether it has learned from people.
    """
    trained = trainable(answers.labelled)
    extra = answers.machine if loop.use_machine_labels else []
    learner.train([*answers.labelled, *extra] if trained else [])
    return trained


def open_rows(answers: Answers, pool: Pool, waiting: bool = False) -> np.ndarray:
    """(u,) rows of the pool that no person has dealt with.

    waiting: Those too that wait for a person, if nobody has said anything of them.
    """
    known = {
        answer.text_id
        for answer in answers.all
        if answer.status != "machine"
        and not (waiting and answer.status == "waiting" and not answer.votes)
    }
    return np.array([i for i, id_ in enumerate(pool.ids) if id_ not in known], dtype=np.intp)


def assess(
    answers: Answers, learner: Learner, pool: Pool, loop: LoopSettings, waiting: bool = False
) -> Assessment:
    """Train on the answers and look at the pool with the model. waiting: As in open_rows."""
    rows = open_rows(answers, pool, waiting)
    ids = [pool.ids[row] for row in rows.tolist()]
    embeddings = learner.embed(pool.texts)
    if len(rows) < len(pool):  # else without a copy
        embeddings = embeddings[rows]
    train, extra = answers.labelled, answers.machine if loop.use_machine_labels else []
    held_out = draws = None
    if trainable(train):
        held_out = learner.hold_out(train, extra, seed=loop.seed)
        draws = read_draws(answers, held_out, learner, pool)
        others = {answer.text_id for answer in [*answers.waiting, *answers.again]} & pool.known
        others -= set(ids)
        draws = replace(draws, waiting=len(others))
    else:  # go on with the cold start
        train, extra = [], []
        learner.train([])
    labelled = learner.embed([answer.text for answer in train])
    state = QueryState(
        probs=learner.predict(embeddings),
        embeddings=embeddings,
        labelled_embeddings=labelled,
        labelled_probs=learner.predict(labelled),
        label_threshold=learner.label_threshold,
    )
    return Assessment(rows, ids, state, held_out, draws, len(train) + len(extra))


def read_draws(answers: Answers, held_out: np.ndarray, learner: Learner, pool: Pool) -> Draws:
    """What of people's labels is a draw from the pool as it is now: one that could have taken any
    of its texts that nobody had dealt with. After texts came into the pool, only later ones can.

    held_out: (n, n_labels) of answers.labelled.
    """
    here, unfinished = pool.known, answers.unfinished
    # One draw after the other: each left one text less.
    asked = [a for a in answers.all if a.status != "machine" and a.text_id in here]
    asked.sort(key=lambda a: (a.asked_in, -(a.drawn.open if a.drawn else 0)))
    before = {answer.id: i for i, answer in enumerate(asked)}

    def reaches_all(answer: Answer) -> bool:
        return answer.drawn is not None and answer.drawn.open + before[answer.id] >= len(here)

    def chance_of(answer: Answer) -> Chance:
        proves = reaches_all(answer) and answer.asked_in not in unfinished
        return answer.drawn if answer.drawn and proves else Chance(np.nan, 0, 0.0)

    rows = [i for i, answer in enumerate(answers.labelled) if answer.text_id in here]
    rows.sort(key=lambda i: before[answers.labelled[i].id])
    labelled = [answers.labelled[i] for i in rows]
    predicted, certainty = decide(held_out[rows], learner.label_threshold)
    right = agree(predicted, learner.targets(labelled))
    chances = np.array([chance_of(answer) for answer in labelled], dtype=np.float64).reshape(-1, 3)
    chance, open_, anywhere = chances.T
    return Draws(
        certainty,
        right,
        chance,
        open_.astype(np.intp),
        anywhere,
        pool=len(here) - sum(answer.status == "discarded" for answer in asked),
        outgrown=sum(a.drawn is not None and not reaches_all(a) for a in labelled),
    )
