"""What each step of the loop was worth, replayed from the labels that Argilla holds."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.multiclass import OneVsRestClassifier
from tqdm import tqdm

from scripts.active_learning.decisions import accuracy_and_f, agree, decide
from scripts.active_learning.plan import Machine, let_answer
from scripts.active_learning.proof import PromiseSettings
from scripts.cli.words import count
from scripts.data.corpus import Pool
from scripts.loop.assess import Assessment, assess
from scripts.loop.learner import Learner
from scripts.loop.settings import LoopSettings
from scripts.records.answers import Answer, Answers

Test = tuple[list[str], list[list[str]]]  # texts, and the labels of each
DRAWS = 10


@dataclass(frozen=True)
class Row:
    """State after a step's batch was answered. Values are None where they cannot be measured.

    machine: Texts that the machine may answer. answered: Their share of those that people have not
        labelled. promised: Share of the finished data set that is wrong at most. wrong: The share
        that is, by gold labels. estimate: Accuracy on the pool as a step says it; low, high: its
        interval.
    accuracy: Share of the test texts whose answer is right. Where a text can have any number of
        labels that is the exact matches, all labels of a text right; where it has one, it is the
        micro F as well.
    """

    step: int
    people: int
    discarded: int
    machine: int
    answered: float | None
    promised: float | None
    wrong: float | None
    estimate: float | None
    estimate_low: float | None
    estimate_high: float | None
    accuracy: float | None
    macro_f: float | None
    micro_f: float | None


def replay(
    answers: Sequence[Answer],
    learner: Learner,
    pool: Pool,
    test: Test | None,
    loop: LoopSettings,
    gold: Mapping[str, Sequence[str]],
) -> list[Row]:
    """Train on the labels up to each step, see what the machine may answer then, and score the
    model on the test set.

    test: Texts and their gold labels, or None. gold: text id -> labels; may be empty.
    """
    people = [a for a in answers if a.status != "machine"]
    # A text that was asked again (a review, a tie) stays with the step that drew it: without it all
    # later draws would seem to come from a smaller pool, and prove nothing.
    steps = sorted({answer.asked_in for answer in people})
    if test:
        test_embeddings, test_gold = learner.embed(test[0]), learner.encode_labels(test[1])
    rows = []
    for iteration in tqdm(steps, "Replaying", disable=len(steps) < 5 or None):
        so_far = Answers(
            [a for a in answers if a.status == "machine" or a.asked_in <= iteration]
            if loop.use_machine_labels
            else [a for a in people if a.asked_in <= iteration]
        )
        found = assess(so_far, learner, pool, loop)
        promise = loop.promise if found.held_out is not None else PromiseSettings(rule="off")
        machine = let_answer(found.state, promise, found.draws)
        kept = machine.promise is not None and len(machine.rows)
        scores: list[float | None] = [None, None, None]
        if test and so_far.labelled:
            if found.held_out is None:  # of one label only: `assess` trains on none of them
                learner.train([*so_far.labelled, *so_far.machine])
            predicted, _ = decide(learner.predict(test_embeddings), learner.label_threshold)
            scores = [*accuracy_and_f(test_gold, predicted, len(learner.labels))]
        rows.append(
            Row(
                iteration,
                len(so_far.labelled),
                sum(a.status == "discarded" for a in so_far.all),
                len(machine.rows),
                len(machine.rows) / machine.open if machine.open else None,
                machine.wrong_at_most(loop.promise.kind)[0] if kept else None,
                wrong(so_far, found, machine, learner, pool, gold) if len(machine.rows) else None,
                *(machine.accuracy[:3] if machine.accuracy.total else (None, None, None)),
                *scores,
            )
        )
    return rows


def wrong(
    answers: Answers,
    found: Assessment,
    machine: Machine,
    learner: Learner,
    pool: Pool,
    gold: Mapping[str, Sequence[str]],
) -> float | None:
    """The share of the pool that has a wrong label, by people or by machine; None where the pool
    has texts without a gold label."""
    if any(id_ not in gold for id_ in pool.ids):
        return None
    truth = learner.encode_labels([gold[found.ids[row]] for row in machine.rows])
    mistakes = int((~agree(machine.labels, truth)).sum())
    by_people = [a for a in answers.labelled if a.text_id in gold]
    mistakes += sum(sorted(a.labels) != sorted(gold[a.text_id]) for a in by_people)
    return mistakes / len(pool.ids)


def worth(
    rows: Sequence[Row],
    learner: Learner,
    pool: Pool,
    gold: Mapping[str, Sequence[str]],
    test: Test,
) -> list[tuple[str, float]]:
    """Accuracy on the test set before any label, after the first batch and after the last; and
    what as many labels are worth if they are drawn at random, where the data has gold labels.

    rows: What `replay` returned. gold: text id -> labels; may be empty.
    """
    measured = [row for row in rows if row.accuracy is not None]
    if not measured:
        return []
    learner.train([])
    predicted, _ = decide(learner.predict(learner.embed(test[0])), learner.label_threshold)
    before = float(accuracy_score(learner.encode_labels(test[1]), predicted))
    found = [("no label yet: what the labels are called, or described as", before)]
    ends = list(dict.fromkeys([measured[0], measured[-1]]))
    found += [(count(row.people, "label"), row.accuracy or 0.0) for row in ends]
    if gold:
        found += [
            (
                f"{count(row.people, 'label')} drawn at random, plain logistic regression",
                random_accuracy(learner, pool, gold, test, row.people),
            )
            for row in ends
        ]
    return found


def random_accuracy(
    learner: Learner, pool: Pool, gold: Mapping[str, Sequence[str]], test: Test, size: int
) -> float:
    """What as many labels are worth without this project: those of `size` texts drawn at random
    from the pool, and scikit-learn's logistic regression on the same embeddings. The mean accuracy
    of ten draws on the test set.

    gold: text id -> labels, as for simulated annotators.
    """
    rows = [row for row, id_ in enumerate(pool.ids) if id_ in gold]
    X = learner.embed(pool.texts)[rows]
    y = learner.encode_labels([gold[pool.ids[row]] for row in rows])
    test_X, test_y = learner.embed(test[0]), learner.encode_labels(test[1])
    scores = []
    for seed in range(DRAWS):
        drawn = np.random.default_rng(seed).permutation(len(X))[:size]
        model = LogisticRegression()
        if y.ndim == 2:
            model = OneVsRestClassifier(model)
        elif len(np.unique(y[drawn])) == 1:
            model = DummyClassifier()
        with warnings.catch_warnings():  # a label that no text drawn has, or that all have
            warnings.simplefilter("ignore", UserWarning)
            model.fit(X[drawn], y[drawn])
        scores.append(accuracy_score(test_y, model.predict(test_X)))
    return float(np.mean(scores))
