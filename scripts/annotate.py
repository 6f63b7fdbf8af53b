"""A simulated annotator: answers waiting records from gold labels, as a person would by the API."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.words import count
from scripts.data.corpus import check_labels, read_gold, read_labels
from scripts.loop.settings import load_settings


def main(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    noise: Annotated[float, typer.Option(help="Share of wrong answers", min=0, max=1)] = 0.0,
) -> None:
    """SIMULATION: answer the waiting records from the data's gold labels, not by a person."""
    settings = load_settings(config, ctx.args)
    labels, gold = read_labels(settings.paths.corpus), read_gold(settings.paths.corpus)
    check_labels((label for row in gold.values() for label in row), labels)
    from scripts.loop.annotate import annotate
    from scripts.records.client import argilla_client
    from scripts.records.dataset import ORACLE, LoopDataset

    with argilla_client(settings.paths.argilla) as client:
        dataset = LoopDataset.open(client, settings.argilla, labels, dim=None)
        answered = annotate(dataset, gold, list(labels), noise, settings.loop.seed)
        done = count(answered, "answer")
        msg.info(f"Simulated annotator: {done} from gold labels, by user '{ORACLE}'")


if __name__ == "__main__":
    run(main)
