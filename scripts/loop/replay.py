"""What each step of the loop was worth, replayed from the labels that Argilla holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.metrics import accuracy_score, f1_score
from tqdm import tqdm

from scripts.active_learning.decisions import decide
from scripts.loop.learner import Learner
from scripts.records.answers import Answer


@dataclass(frozen=True)
class Row:
    """State after a step's batch was answered. Scores are None where they cannot be measured.

    accuracy: Share of the test texts whose answer is right. Where a text can have any number of
        labels that is the exact matches, all labels of a text right; where it has one, it is the
        micro F as well.
    """

    step: int
    people: int
    discarded: int
    machine: int
    accuracy: float | None
    macro_f: float | None
    micro_f: float | None


def replay(
    answers: Sequence[Answer],
    learner: Learner,
    test: tuple[list[str], list[list[str]]] | None,
    use_machine_labels: bool,
) -> list[Row]:
    """Train on the labels up to each step and score the model on the test set.

    test: Texts and their gold labels, or None.
    """
    rows = []
    if test:
        test_embeddings, gold = learner.embed(test[0]), learner.encode_labels(test[1])
    steps = sorted({answer.iteration for answer in answers})
    for iteration in tqdm(steps, "Replaying", disable=len(steps) < 5):
        so_far = [a for a in answers if a.iteration <= iteration]
        labelled = [a for a in so_far if a.status == "labelled"]
        machine = [a for a in so_far if a.status == "machine"]
        scores: list[float | None] = [None, None, None]
        if test and labelled:
            learner.train(labelled + (machine if use_machine_labels else []))
            predicted, _ = decide(learner.predict(test_embeddings), learner.label_threshold)
            scores = [
                float(accuracy_score(gold, predicted)),
                float(f1_score(gold, predicted, average="macro", zero_division=0)),
                float(f1_score(gold, predicted, average="micro", zero_division=0)),
            ]
        discarded = sum(a.status == "discarded" for a in so_far)
        rows.append(Row(iteration, len(labelled), discarded, len(machine), *scores))
    return rows
