"""A test set for data that has no gold labels: people label held-out texts in Argilla."""

from pathlib import Path
from typing import Annotated

import spacy
import srsly
import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.data.corpus import read_labels
from scripts.data.docbins import write_docs
from scripts.loop.session import open_loop
from scripts.loop.settings import load_settings
from scripts.records.convert import answer_to_example, doc_to_record
from scripts.records.dataset import MOST


def main(
    ctx: typer.Context,
    size: Annotated[int, typer.Argument(help="Texts that people should label", min=1, max=MOST)],
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
) -> None:
    """Ask people about SIZE random held-out texts, and write those answered to test.spacy.

    They carry no suggestion, so that the test is not swayed by the model, and are never trained
    on. Run it again after labelling.
    """
    settings = load_settings(config, ctx.args)
    corpus = settings.paths.corpus
    held_out = corpus / "held_out.jsonl"
    if not held_out.exists():
        raise ProjectError(
            f"There is no {held_out}: the data has gold labels, or was not prepared yet.",
            f"With gold labels the test set is {corpus / 'test.spacy'}. Else: weasel run prepare",
        )
    nlp, labels = spacy.blank("xx"), read_labels(corpus)
    rows = list(srsly.read_jsonl(held_out))[:size]  # prepare has shuffled them
    with open_loop(settings) as (dataset, learner, _):
        there = {a.id: a for a in dataset.pull() if a.source == "test"}
        new = [row["text"] for row in rows if row["id"] not in there]
        vectors = learner.embed(new)
        dataset.push(
            [
                doc_to_record(nlp.make_doc(text), iteration=0, source="test", vector=vector)
                for text, vector in zip(new, vectors, strict=True)
            ]
        )
        labelled = [a for a in there.values() if a.status == "labelled"]
        if labelled:
            examples = [answer_to_example(nlp, answer, list(labels)) for answer in labelled]
            write_docs([eg.reference for eg in examples], corpus / "test.spacy")
            msg.good(f"{corpus / 'test.spacy'}: {len(labelled)} texts")
        waiting = len(new) + sum(a.status == "waiting" for a in there.values())
        if waiting:
            msg.info(f"{waiting} held-out texts wait for a label")
            print(f"Label at {dataset.url}\nthen run `weasel run test-set` again.")


if __name__ == "__main__":
    run(main)
