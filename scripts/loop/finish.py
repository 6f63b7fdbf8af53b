"""The end of the loop: the machine answers what it may, and the rest is listed as open."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from scripts.active_learning.decisions import decide
from scripts.active_learning.plan import Machine, in_words, let_answer
from scripts.active_learning.proof import PromiseSettings
from scripts.cli.errors import ProjectError
from scripts.cli.words import sentence
from scripts.data.corpus import Pool, labels_mark
from scripts.loop.assess import assess
from scripts.loop.found import take_found
from scripts.loop.learner import Learner
from scripts.loop.lease import lease
from scripts.loop.machine import settle
from scripts.loop.settings import Settings
from scripts.records.answers import Answers, as_value
from scripts.records.dataset import LoopDataset


@dataclass(frozen=True)
class Finished:
    """texts: of the whole pool: text, label (None where it is open or discarded), by ("people",
    "machine", "open" or "discarded"), and what the model says: model and certainty.
    given: Answers that the machine gave now.
    mark: Of the labels by people, which a pipeline that is trained on them has too."""

    texts: list[dict[str, Any]]
    machine: Machine
    given: int
    mark: str

    def by(self, who: str) -> int:
        return sum(row["by"] == who for row in self.texts)


def finish(dataset: LoopDataset, learner: Learner, pool: Pool, settings: Settings) -> Finished:
    """Let the machine answer in Argilla all that it may today. People can go on labelling: the next
    step or `finish` begins from what they said.

    RAISES (ProjectError): There is no trained model yet.
    """
    with lease(settings.paths.corpus, "finish"):
        return _finish(dataset, learner, pool, settings)


def _finish(dataset: LoopDataset, learner: Learner, pool: Pool, settings: Settings) -> Finished:
    take_found(dataset)
    answers, loop = Answers(dataset.answers()), settings.loop
    found = assess(answers, learner, pool, loop, waiting=True)
    if found.held_out is None:
        raise ProjectError(
            "There is nothing to finish yet: the model has no labels to learn from.",
            "Answer the first batch, then: weasel run step",
        )
    machine = let_answer(found.state, loop.promise, found.draws)
    # What waits for people goes on waiting in Argilla; the machine's answer is in the file.
    waits = {answer.text_id for answer in answers.waiting}
    asked = np.array([row for row, id_ in enumerate(found.ids) if id_ in waits], dtype=np.intp)
    settled = settle(dataset, learner, pool, answers, found, machine, asked, most=None)
    probs = learner.predict(learner.embed(pool.texts))
    labels, certainty = decide(probs, learner.label_threshold)
    decided = learner.decode_all(labels)
    said = {answer.text_id: answer for answer in answers.all if answer.status != "machine"}
    theirs = {found.ids[row] for row in machine.rows.tolist()}
    texts = []
    for row, (id_, text) in enumerate(zip(pool.ids, pool.texts, strict=True)):
        model = decided[row]
        by, label = "open", None
        if id_ in theirs:
            by, label = "machine", model
        elif id_ in said and said[id_].status in ("labelled", "discarded"):
            people = said[id_].status == "labelled"
            by, label = ("people", said[id_].labels) if people else ("discarded", None)
        texts.append(
            {
                "text": text,
                "label": None if label is None else as_value(label, learner.multi_label),
                "by": by,
                "model": as_value(model, learner.multi_label),
                "certainty": round(float(certainty[row]), 6),
            }
        )
    mark = labels_mark([a.text for a in answers.labelled], [a.labels for a in answers.labelled])
    return Finished(texts, machine, settled.given, mark)


def promised(done: Finished, settings: PromiseSettings) -> dict[str, Any] | None:
    """What is promised of the data set, for a file: in words and in numbers; None where nothing is
    promised, as by the rules "fixed" and "off", or while the machine may answer nothing."""
    if done.machine.promised is None:
        return None
    first, *_ = in_words(done.machine, settings)
    return {
        "labels_mark": done.mark,
        "words": sentence(first),
        "kind": settings.kind,
        "confidence": settings.confidence,
        "error": settings.error,
        "proving": done.machine.proving,
        **{by: done.by(by) for by in ("people", "machine", "open")},
    }
