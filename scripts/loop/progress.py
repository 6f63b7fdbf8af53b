"""How far the loop is: agreement of people, accuracy so far, and whether to stop."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from scripts.active_learning.arrays import Labels
from scripts.active_learning.decisions import agree, decide
from scripts.active_learning.plan import Machine
from scripts.active_learning.quality import MISSING, krippendorff_alpha
from scripts.active_learning.stopping import (
    Gain,
    Rule,
    accuracy_rule,
    budget_rule,
    expected_gain,
    prediction_agreement,
    promise_rule,
    stabilised_rule,
    stop_set,
)
from scripts.data.corpus import Pool
from scripts.loop.assess import Assessment, trainable
from scripts.loop.learner import Learner
from scripts.loop.settings import Settings
from scripts.records.answers import Answer, Answers
from scripts.records.dataset import BOT

STOP_SET = 2000  # texts whose predictions are watched
MODELS = 4  # that are compared: three pairs


def progress(
    answers: Answers,
    found: Assessment,
    machine: Machine,
    learner: Learner,
    pool: Pool,
    settings: Settings,
) -> tuple[list[Rule], Gain]:
    """Rules of stopping, and what one more batch should bring.

    found: With a trained model. machine: What it may answer.
    Nothing but Argilla's answers is needed: earlier models are trained again. Leaves the learner
    trained on part of the answers.
    """
    loop, labelled = settings.loop, answers.labelled
    assert found.held_out is not None
    right = agree(decide(found.held_out, learner.label_threshold)[0], learner.targets(labelled))
    rules = [
        budget_rule(answers.by_people, loop.budget or None),
        stabilised_rule(agreements(labelled, learner, learner.embed(pool.texts), loop.seed)),
        accuracy_rule(machine.accuracy, loop.target_accuracy or None, learner.multi_label),
        promise_rule(machine),
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
