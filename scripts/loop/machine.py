"""The machine's answers in Argilla: those of today's model, and no others."""

from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from scripts.active_learning.plan import Machine
from scripts.active_learning.scores import uncertainty
from scripts.data.corpus import Pool
from scripts.loop.assess import Assessment
from scripts.loop.learner import Learner
from scripts.records.answers import Answers
from scripts.records.convert import Record, doc_to_record
from scripts.records.dataset import MOST, LoopDataset

TEAM = (
    "the machine's answers are not put into Argilla: with [argilla] min_submitted above 1 they "
    "would wait for people there; `weasel run finish` writes them to its file"
)


class Settled(NamedTuple):
    """How many answers were given, and taken back; and how many are left for the next time."""

    given: int
    withdrawn: int
    left: int


def machine_labels(
    found: Assessment, machine: Machine, learner: Learner
) -> dict[str, tuple[str, ...]]:
    """Text id -> labels, of all that the machine may answer."""
    ids = [found.ids[row] for row in machine.rows.tolist()]
    return dict(zip(ids, learner.decode_all(machine.labels), strict=True))


def settle(
    dataset: LoopDataset,
    learner: Learner,
    pool: Pool,
    answers: Answers,
    found: Assessment,
    machine: Machine,
    asked: np.ndarray,
    most: int | None,
) -> Settled:
    """Give the answers that the machine may, and take back those that it may not any more; never a
    person's. What Argilla holds in the end does not depend on how often this was cut short.

    asked: Rows of the assessment that people are asked now, answered by machine or not.
    most: At most so many answers are given in this step, the surest first; None for all.
    """
    if dataset.settings.min_submitted > 1:  # see TEAM
        return Settled(0, 0, 0)
    iteration = answers.next_iteration
    chosen = machine_labels(found, machine, learner)
    standing = {answer.text_id: answer for answer in answers.machine}
    kept = chosen.keys() | {found.ids[row] for row in asked}
    gone = [a for id_, a in standing.items() if id_ not in kept]
    dataset.withdraw(gone)
    new = [
        row
        for row in machine.rows[~np.isin(machine.rows, asked)].tolist()
        if (id_ := found.ids[row]) not in standing or set(standing[id_].labels) != set(chosen[id_])
    ]
    # A step that is run again counts what it has given already.
    done = sum(a.iteration == iteration for a in answers.machine)
    now = new if most is None else new[: max(most - done, 0)]
    doubt = uncertainty(found.state.probs, found.state.multi_label)

    def record(row: int) -> Record:
        # Without a suggestion: if the text is drawn, a person sees it unswayed.
        made = doc_to_record(
            learner.nlp.make_doc(pool.texts[found.rows[row]]),
            iteration=iteration,
            source="auto",
            uncertainty=doubt[row],
            vector=found.state.embeddings[row],
        )
        return dataset.machine_response(made, chosen[found.ids[row]])

    starts = range(0, len(now), MOST)
    for start in tqdm(starts, "Machine's answers", disable=len(starts) < 2 or None):
        dataset.push([record(row) for row in now[start : start + MOST]])
    return Settled(len(now), len(gone), len(new) - len(now))
