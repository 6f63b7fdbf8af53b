"""A simulated annotator: answers waiting records from gold labels, as a person would by the API."""

import numpy as np
from tqdm import tqdm

from scripts.cli.errors import ProjectError
from scripts.cli.words import count
from scripts.records.answers import Answers
from scripts.records.dataset import ORACLE, LoopDataset


def annotate(
    dataset: LoopDataset,
    gold: dict[str, list[str]],
    labels: list[str],
    noise: float = 0.0,
    seed: int = 0,
    limit: int | None = None,
    username: str = ORACLE,
) -> int:
    """Answer the records that wait, as the user `simulated-oracle`.

    gold: text id -> labels; an empty list is an answer too. noise: Share of the answers that are
        wrong on purpose.
    limit: At most so many answers.
    RETURNS: How many records were answered. Those without a gold answer go on waiting.
    """
    waiting = [
        answer
        for answer in dataset.pull()
        if answer.status == "waiting"
        and answer.text_id in gold
        and username not in {vote.user for vote in answer.votes}
    ][:limit]
    for answer in tqdm(waiting, "Answering", disable=len(waiting) < 50 or None):
        rng = np.random.default_rng([seed, int(answer.text_id, 16), answer.round])
        right = gold[answer.text_id]
        wrong = [label for label in labels if label not in right]
        chosen = [str(rng.choice(wrong))] if wrong and rng.random() < noise else right
        dataset.respond(answer, chosen, username)
    return len(waiting)


def stuck(dataset: LoopDataset, gold: dict[str, list[str]]) -> ProjectError:
    """Why records wait that the simulated annotator does not answer, and what to do."""
    waiting = Answers(dataset.answers()).waiting
    unknown = [answer for answer in waiting if answer.text_id not in gold]
    if not unknown:
        return ProjectError(
            f"{count(len(waiting), 'record')} still to be answered by more people than one; the "
            "simulated annotator is one person.",
            "Simulate with [argilla] min_submitted = 1.",
        )
    return ProjectError(
        f"The simulation ends before its budget is spent: {count(len(unknown), 'record')} left "
        "without a gold label, which the simulated annotator cannot answer.",
        f"One of them: '{unknown[0].text[:60]}'\n"
        f"Label them at {dataset.url}\nand simulate on, or prepare data in which every text has "
        "its labels (an empty list says that none of them fits).",
    )
