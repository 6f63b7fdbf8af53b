"""A simulated annotator: answers waiting records from gold labels, as a person would by the API."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from tqdm import tqdm
from wasabi import msg

from scripts.corpus import check_labels, read_gold, read_labels
from scripts.errors import run
from scripts.records.client import argilla_client
from scripts.records.dataset import ORACLE, LoopDataset
from scripts.settings import load_settings


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

    gold: text id -> labels. noise: Share of the answers that are wrong on purpose.
    limit: At most so many answers.
    RETURNS: How many records were answered. Those without a gold label go on waiting.
    """
    waiting = [
        answer
        for answer in dataset.pull()
        if answer.status == "waiting"
        and answer.text_id in gold
        and username not in {vote.user for vote in answer.votes}
    ][:limit]
    for answer in tqdm(waiting, "Answering", disable=len(waiting) < 50):
        rng = np.random.default_rng([seed, int(answer.text_id, 16), answer.round])
        right = gold[answer.text_id]
        wrong = [label for label in labels if label not in right]
        chosen = [str(rng.choice(wrong))] if wrong and rng.random() < noise else right
        dataset.respond(answer, chosen, username)
    return len(waiting)


def main(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    noise: Annotated[float, typer.Option(help="Share of wrong answers", min=0, max=1)] = 0.0,
) -> None:
    """SIMULATION: answer the waiting records from the data's gold labels, not by a person."""
    settings = load_settings(config, ctx.args)
    labels, gold = read_labels(settings.paths.corpus), read_gold(settings.paths.corpus)
    check_labels((label for row in gold.values() for label in row), labels)
    with argilla_client(settings.paths.argilla) as client:
        dataset = LoopDataset.open(client, settings.argilla, labels, dim=None)
        answered = annotate(dataset, gold, list(labels), noise, settings.loop.seed)
        msg.info(f"Simulated annotator: {answered} answers from gold labels, by user '{ORACLE}'")


if __name__ == "__main__":
    run(main)
