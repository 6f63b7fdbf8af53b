"""Texts that are worth a look: of which the model is unsure, and whose labels look wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scripts.active_learning.decisions import decide
from scripts.active_learning.quality import contradicting_duplicates, label_errors
from scripts.active_learning.scores import uncertainty
from scripts.cli.words import count
from scripts.data.corpus import Pool
from scripts.loop.assess import Assessment
from scripts.loop.learner import Learner
from scripts.records.answers import Answer, Answers
from scripts.records.dataset import BOT, ORACLE
from scripts.records.links import Link

SHOWN = 10  # of each kind
COMPARED = 20_000  # labelled texts that are compared with each other at most


@dataclass(frozen=True)
class Shown:
    """A text with what is known of it. given: None where nobody has labelled it. by: Who has; for
    an open one its state. model, probability: What the model says, and how sure it is; where people
    have labelled the text, without having seen that. link: None where Argilla shows it to nobody.
    """

    id: str
    text: str
    given: tuple[str, ...] | None
    by: str
    model: tuple[str, ...]
    probability: float | None
    link: Link | None = None


Pair = tuple[Shown, Shown]


def with_link(shown: Shown, links: Mapping[str, Link]) -> Shown:
    """links: Text id -> where to open it."""
    return replace(shown, link=links.get(shown.id))


def unsure(
    found: Assessment, answers: Answers, machine: set[str], pool: Pool, learner: Learner
) -> list[Shown]:
    """Texts without a label by people, the least sure first. Those that people are to answer
    unswayed are left out.

    machine: Ids of the texts that the machine has answered.
    """
    waiting = {answer.text_id: answer.blind for answer in answers.waiting}
    order = np.argsort(-uncertainty(found.state.probs, learner.multi_label), kind="stable")
    rows = [row for row in order if not waiting.get(found.ids[row], False)][:SHOWN]
    shown = []
    for row in rows:
        id_ = found.ids[row]
        model, probability = said(found.state.probs[row], learner)
        by = "machine" if id_ in machine else "waiting" if id_ in waiting else "open"
        given = model if by == "machine" else None
        shown.append(Shown(id_, pool.texts[found.rows[row]], given, by, model, probability))
    return shown


def errors(found: Assessment, answers: Answers, learner: Learner) -> list[Shown]:
    """People's labels that are probably wrong, worst first, as `review` finds them."""
    labelled = answers.labelled
    assert found.held_out is not None
    targets = learner.targets(labelled)
    rows = label_errors(found.held_out, targets, learner.label_threshold)[:SHOWN]
    return [_labelled(labelled[row], found.held_out[row], learner) for row in rows]


def contradictions(answers: Sequence[Answer], probs: np.ndarray, learner: Learner) -> list[Pair]:
    """Labels, by people or by machine, of texts that say nearly the same and have others.

    probs: (n, k) of these answers.
    """
    some = answers[:COMPARED]
    if not some:
        return []
    embeddings = learner.embed([answer.text for answer in some])
    pairs = contradicting_duplicates(embeddings, learner.targets(some))[:SHOWN]
    return [
        (_labelled(some[one], probs[one], learner), _labelled(some[two], probs[two], learner))
        for one, two in pairs
    ]


def said(probs: np.ndarray, learner: Learner) -> tuple[tuple[str, ...], float]:
    """What the model says of one text, and how sure it is. probs: (k,)."""
    label, certainty = decide(probs[None], learner.label_threshold)
    return learner.decode_labels(label[0]), float(certainty[0])


def _labelled(answer: Answer, probs: np.ndarray, learner: Learner) -> Shown:
    """probs: (k,) of this text. Nobody is named: a report is passed on."""
    people = {vote.user for vote in answer.votes if not vote.discarded} - {BOT}
    by = "machine" if answer.status == "machine" else count(len(people), "annotator")
    if people == {ORACLE}:
        by = "simulation"
    return Shown(answer.text_id, answer.text, answer.labels, by, *said(probs, learner))
