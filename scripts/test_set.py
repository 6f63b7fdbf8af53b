"""A test set for data that has no gold labels: people label held-out texts in Argilla."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.cli.words import count
from scripts.data.corpus import read_held_out, read_labels
from scripts.loop.settings import load_settings
from scripts.records.settings import MOST


def main(
    ctx: typer.Context,
    size: Annotated[int, typer.Argument(help="Texts that people should label", min=1, max=MOST)],
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
) -> None:
    """Ask people about SIZE random held-out texts, in a data set of their own, and write those
    labelled to test.spacy. Run it again after labelling."""
    settings = load_settings(config, ctx.args)
    corpus = settings.paths.corpus
    held_out, output = corpus / "held_out.jsonl", corpus / "test.spacy"
    if not held_out.exists():
        raise ProjectError(
            f"There is no {held_out}: the data has gold labels, or was not prepared yet.",
            f"With gold labels the test set is {output}. Else: weasel run prepare",
        )
    from scripts.records.client import argilla_client
    from scripts.records.held_out import ask, open_test_set

    labels = read_labels(corpus)
    rows = read_held_out(corpus)
    with argilla_client(settings.paths.argilla) as client:
        test_set = open_test_set(client, settings.argilla, labels)
        # Texts that were held out once may be in the pool now.
        known = {row["id"] for row in rows}
        answers = [answer for answer in test_set.answers() if answer.id in known]
        there = {answer.id for answer in answers}
        new = [row for row in rows[:size] if row["id"] not in there]  # prepare has shuffled them
        ask(test_set, new)
    labelled = [answer for answer in answers if answer.status == "labelled"]
    states = Counter(answer.status for answer in answers)
    states["waiting"] += len(new)
    counted = ", ".join(
        f"{states[status]} {status}" for status in ("labelled", "waiting", "discarded")
    )
    if states["tied"]:
        counted += f", {states['tied']} on which people disagree evenly (left out)"
    msg.info(f"{test_set.dataset.name}: {counted}")
    if labelled:
        from scripts.data.docbins import tokenizer, write_docs
        from scripts.records.convert import answer_to_example

        examples = [answer_to_example(tokenizer(), answer, list(labels)) for answer in labelled]
        write_docs([example.reference for example in examples], output)
        msg.good(f"{output}: {count(len(labelled), 'text')}")
    if states["waiting"]:
        print(f"Label at {test_set.url}\nthen run `weasel run test-set` again.")


if __name__ == "__main__":
    run(main)
