"""Labels in Argilla -> a .spacy file that `spacy train` reads."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.cli.words import count
from scripts.data.corpus import read_labels
from scripts.loop.settings import load_settings


def main(
    ctx: typer.Context,
    output: Annotated[Path, typer.Argument(help="File to write", dir_okay=False)],
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
) -> None:
    """Write the labelled records, with gold cats: people's labels, and the bot's by setting."""
    settings = load_settings(config, ctx.args)
    labels = read_labels(settings.paths.corpus)
    statuses = {"labelled"} | ({"machine"} if settings.loop.use_machine_labels else set())
    from scripts.loop.found import take_found
    from scripts.records.client import argilla_client
    from scripts.records.convert import answer_to_example
    from scripts.records.dataset import LoopDataset

    with argilla_client(settings.paths.argilla) as client:
        dataset = LoopDataset.open(client, settings.argilla, labels, dim=None)
        take_found(dataset)
        answers = [a for a in dataset.answers() if a.status in statuses]
    from scripts.data.docbins import leave_out_tested, tokenizer, write_docs

    # As where a test set was drawn anew over a pool that people had labelled.
    answers = leave_out_tested(answers, lambda answer: answer.text_id, settings.paths.corpus)
    if not answers:
        raise ProjectError(
            f"No record of '{settings.argilla.dataset}' has a label yet that may be trained on.",
            f"Label some at {dataset.url}, then run this again.",
        )
    docs = []
    # By id, so that the same labels make the same file wherever they are pulled, and whenever they
    # were given: the last digits of a model depend on the order of its examples.
    for answer in sorted(answers, key=lambda answer: answer.id):
        doc = answer_to_example(tokenizer(), answer, list(labels)).reference
        doc.user_data["by"] = "people" if answer.status == "labelled" else "machine"
        docs.append(doc)
    write_docs(docs, output)
    people = sum(answer.status == "labelled" for answer in answers)
    by_people = count(people, "text")
    msg.good(f"{output}: {by_people} labelled by people, {len(answers) - people} by machine")


if __name__ == "__main__":
    run(main)
