"""Probable label errors go back to people: worst first, and never more than asked for."""

import numpy as np

from scripts.active_learning.decisions import decide
from scripts.active_learning.quality import contradicting_duplicates, label_errors
from scripts.cli.errors import ProjectError
from scripts.loop.learner import Learner
from scripts.loop.progress import trainable
from scripts.records.answers import Answer, Answers
from scripts.records.dataset import MOST, LoopDataset


def suspects(answers: Answers, learner: Learner, share: float, seed: int = 0) -> list[Answer]:
    """Labelled texts to look at again, worst first: those of near duplicates with other labels,
    then those that confident learning finds. A text is asked again once.

    share: At most this share of the labelled texts.
    """
    labelled = answers.labelled
    if not trainable(labelled):
        return []
    targets = learner.targets(labelled)
    embeddings = learner.embed([a.text for a in labelled])
    pairs = contradicting_duplicates(embeddings, targets)
    probs = learner.cross_validate(labelled, seed=seed)
    errors = label_errors(probs, targets, learner.label_threshold, most=share)
    rows = dict.fromkeys([row for pair in pairs for row in pair] + errors.rows.tolist())
    found = [labelled[row] for row in rows if labelled[row].round == 1]
    return found[: min(MOST, max(1, round(share * len(labelled))))]


def review(dataset: LoopDataset, learner: Learner, share: float, seed: int = 0) -> list[Answer]:
    """Ask people about the suspects again. Nobody's answer is taken back: the new one counts
    instead of the same person's old one, and beside another person's.

    RETURNS: The texts that are asked again.
    RAISES (ProjectError): A text waits for an answer, as then a person is not done yet.
    """
    answers = Answers(dataset.answers())
    if answers.waiting:
        raise ProjectError(
            f"{len(answers.waiting)} records wait for an answer; nothing was changed.",
            f"Answer them first, at {dataset.url}",
        )
    found = suspects(answers, learner, share, seed)
    dataset.push([dataset.again(answer, answers.next_iteration) for answer in found])
    return found


def reopen(dataset: LoopDataset, learner: Learner, size: int) -> list[Answer]:
    """Take back the bot's least certain answers, so that people see these texts on the page.

    RETURNS: The texts that wait for a person now.
    """
    answers = Answers(dataset.answers())
    if not answers.machine or not trainable(answers.labelled):
        return []
    learner.train(answers.labelled)
    probs = learner.predict(learner.embed([a.text for a in answers.machine]))
    certainty = decide(probs, learner.label_threshold)[1]
    found = [answers.machine[row] for row in np.argsort(certainty, kind="stable")[:size]]
    dataset.push([dataset.withdrawn(answer) for answer in found])
    return found
