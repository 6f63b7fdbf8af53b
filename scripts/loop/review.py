"""Probable label errors go back to people: worst first, and never more than asked for."""

from dataclasses import dataclass

import numpy as np

from scripts.active_learning.decisions import decide
from scripts.active_learning.quality import contradicting_duplicates, label_errors
from scripts.cli.errors import ProjectError
from scripts.cli.words import count, listed
from scripts.loop.assess import trainable
from scripts.loop.found import take_found
from scripts.loop.learner import Learner
from scripts.records.answers import Answer, Answers
from scripts.records.dataset import MOST, LoopDataset

OTHER = "the model, trained without this answer, gives another (confident learning)"


@dataclass(frozen=True)
class Suspect:
    """A label that is probably wrong. model: The labels that the model would give without having
    seen the answer. probability: What it gives to these labels all being right. reason: In words.
    """

    answer: Answer
    model: tuple[str, ...]
    probability: float
    reason: str


def suspects(answers: Answers, learner: Learner, share: float, seed: int = 0) -> list[Suspect]:
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
    probs = learner.hold_out(labelled, seed=seed)
    errors = label_errors(probs, targets, learner.label_threshold, most=share).tolist()
    why = dict.fromkeys(errors, OTHER)
    twins = {row: other for pair in reversed(pairs) for row, other in (pair, pair[::-1])}
    rows = dict.fromkeys([row for pair in pairs for row in pair] + errors)
    found = []
    for row in rows:
        if row in twins:
            other = labelled[twins[row]]
            why[row] = f"nearly the same as {shorten(other.text)}, which is {listed(other.labels)}"
        if labelled[row].round == 1:
            found.append(suspect(labelled[row], probs[row], why[row], learner))
    return found[: min(MOST, max(1, round(share * len(labelled))))]


def suspect(answer: Answer, probs: np.ndarray, reason: str, learner: Learner) -> Suspect:
    """probs: (n_labels,) of this text."""
    decided, certainty = decide(probs[None], learner.label_threshold)
    return Suspect(answer, learner.decode_labels(decided[0]), float(certainty[0]), reason)


def describe(found: Suspect) -> str:
    """For a person: the text, who said what, what the model says and why it is asked again."""
    answer = found.answer
    votes = [vote for vote in answer.votes if not vote.discarded]
    said = "; ".join(f"{listed(vote.labels)} by {vote.user}" for vote in votes)
    return (
        f"{shorten(answer.text)}\n  label: {said}; model: {listed(found.model)} "
        f"({found.probability:.2f})\n  why: {found.reason}"
    )


def shorten(text: str) -> str:
    line = " ".join(text.split())
    return f"'{line if len(line) <= 60 else f'{line[:60]} ...'}'"


def review(dataset: LoopDataset, learner: Learner, share: float, seed: int = 0) -> list[Suspect]:
    """Ask people about the suspects again. Nobody's answer is taken back: the new one counts
    instead of the same person's old one, and beside another person's.

    RETURNS: The texts that are asked again.
    RAISES (ProjectError): Texts of an earlier review wait for an answer, or none is labelled.
    """
    take_found(dataset)
    answers = Answers(dataset.answers())
    if again := [answer for answer in answers.waiting if answer.round > 1]:
        raise ProjectError(
            f"{count(len(again), 'text')} asked again and not answered yet; nothing was changed.",
            f"Answer them first, at {dataset.url}",
        )
    if not answers.labelled:
        raise ProjectError(
            f"No record of '{dataset.settings.dataset}' has a label by people yet.",
            f"Label some at {dataset.url}, then run this again.",
        )
    found = suspects(answers, learner, share, seed)
    dataset.push([dataset.again(one.answer, answers.next_iteration) for one in found])
    return found


def reopen(dataset: LoopDataset, learner: Learner, size: int) -> list[Suspect]:
    """Take back the bot's least certain answers, so that people see these texts on the page.

    RETURNS: The texts that wait for a person now.
    """
    answers = Answers(dataset.answers())
    if not size or not answers.machine or not trainable(answers.labelled):
        return []
    learner.train(answers.labelled)
    probs = learner.predict(learner.embed([a.text for a in answers.machine]))
    certainty = decide(probs, learner.label_threshold)[1]
    rows = np.argsort(certainty, kind="stable")[:size]
    why = "the machine's answer, and the model is least sure of it"
    found = [suspect(answers.machine[row], probs[row], why, learner) for row in rows]
    dataset.push([dataset.doubted(one.answer) for one in found])
    return found
