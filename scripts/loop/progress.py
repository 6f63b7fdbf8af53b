"""How far the loop is: agreement of people, accuracy so far, and whether to stop."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from scripts.active_learning.arrays import Labels
from scripts.active_learning.autovalidation import Measured, measured_precision
from scripts.active_learning.decisions import agree, decide
from scripts.active_learning.quality import MISSING, krippendorff_alpha
from scripts.active_learning.stopping import (
    Gain,
    Rule,
    Stratum,
    accuracy_rule,
    budget_rule,
    estimate_accuracy,
    expected_gain,
    prediction_agreement,
    stabilised_rule,
    stop_set,
)
from scripts.loop.learner import Learner
from scripts.loop.settings import Settings
from scripts.records.answers import Answer, Answers
from scripts.records.dataset import BOT

STOP_SET = 2000  # texts whose predictions are watched
MODELS = 4  # that are compared: three pairs


def progress(
    answers: Answers,
    cross_validated: np.ndarray,
    learner: Learner,
    embeddings: np.ndarray,
    left: int,
    settings: Settings,
) -> tuple[list[Rule], Gain]:
    """Rules of stopping, and what one more batch should bring.

    cross_validated: (n, n_labels) out-of-sample probabilities of answers.labelled.
    embeddings: (pool, dim). left: Texts of the pool that nobody has answered.
    Nothing but Argilla's answers is needed: earlier models are trained again. Leaves the learner
    trained on part of the answers.
    """
    loop, labelled = settings.loop, answers.labelled
    right = agree(decide(cross_validated, learner.label_threshold)[0], learner.targets(labelled))
    sampled = np.array([a.source == "sample" for a in labelled])
    precision = audit_precision(answers, learner)
    estimate = estimate_accuracy(
        [
            Stratum(left, int(right[sampled].sum()), int(sampled.sum())),
            Stratum(len(answers.machine), precision.right, precision.total),
        ]
    )
    rules = [
        budget_rule(answers.by_people, loop.budget or None),
        stabilised_rule(agreements(labelled, learner, embeddings, loop.seed)),
        accuracy_rule(estimate, loop.target_accuracy or None, learner.multi_label),
    ]
    return rules, gain(labelled, right, learner, loop.batch_size, loop.seed)


def agreements(
    labelled: Sequence[Answer], learner: Learner, embeddings: np.ndarray, seed: int
) -> list[float]:
    """prediction_agreement of the last models, each with the one before it."""
    rows = stop_set(len(embeddings), STOP_SET, seed)
    predictions: list[Labels] = []
    for iteration in sorted({a.iteration for a in labelled})[-MODELS:]:
        so_far = [a for a in labelled if a.iteration <= iteration]
        if trainable(so_far):
            learner.train(so_far)
            probs = learner.predict(embeddings[rows])
            predictions.append(decide(probs, learner.label_threshold)[0])
    return [prediction_agreement(before, after) for before, after in pairwise(predictions)]


def gain(
    labelled: Sequence[Answer], right: np.ndarray, learner: Learner, batch_size: int, seed: int
) -> Gain:
    """What one more batch should bring, from models trained on parts of the answers and tried on
    the others; those are harder than the pool, so the gain on the pool is rather smaller."""
    order = np.random.default_rng(seed).permutation(len(labelled))
    sizes, hits, totals = [len(labelled)], [int(right.sum())], [len(right)]
    for share in (0.25, 0.5, 0.75):
        cut = int(len(order) * share)
        part, rest = [labelled[i] for i in order[:cut]], [labelled[i] for i in order[cut:]]
        if trainable(part):
            learner.train(part)
            probs = learner.predict(learner.embed([a.text for a in rest]))
            same = agree(decide(probs, learner.label_threshold)[0], learner.targets(rest))
            sizes, hits, totals = [cut, *sizes], [int(same.sum()), *hits], [len(rest), *totals]
    found = expected_gain(sizes, hits, totals, batch_size, seed)
    return replace(found, several=learner.multi_label)


def trainable(answers: Sequence[Answer]) -> bool:
    """A model that has seen one answer only (a label, or a set of labels) would know no other."""
    return len({answer.labels for answer in answers}) > 1


def audit_precision(answers: Answers, learner: Learner) -> Measured:
    """How often people agree with the bot on the records drawn to check it."""
    checked = [
        (a.machine, a) for a in answers.labelled if a.source == "audit" and a.machine is not None
    ]
    return measured_precision(
        learner.encode_labels([machine for machine, _ in checked]),
        learner.targets([a for _, a in checked]),
    )


def agreement(answers: Answers, learner: Learner) -> float:
    """Krippendorff's alpha of the people; NaN where no text has two answers."""
    texts = [a for a in answers.all if a.votes]
    people = sorted({vote.user for a in texts for vote in a.votes} - {BOT})
    if len(people) < 2:
        return float("nan")
    shape = (len(people), len(texts), *((len(learner.labels),) if learner.multi_label else ()))
    given = np.full(shape, MISSING)
    for column, a in enumerate(texts):
        for vote in a.votes:
            if vote.user in people and not vote.discarded and not vote.unclear:
                given[people.index(vote.user), column] = learner.encode_labels([vote.labels])[0]
    return krippendorff_alpha(given)
