"""Examples that the user has already: labelled records in Argilla before anybody is asked."""

from pathlib import Path
from typing import Annotated

import argilla as rg
import spacy
import typer
from wasabi import msg

from scripts.corpus import check_labels, read_labels
from scripts.errors import ProjectError, run
from scripts.prepare import load, to_rows
from scripts.records.convert import QUESTION, doc_to_record
from scripts.records.dataset import MOST
from scripts.session import open_loop
from scripts.settings import load_settings


def main(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="File with texts and labels, as for prepare")],
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    text_column: Annotated[str, typer.Option(help="Column of the texts")] = "text",
    label_column: Annotated[str, typer.Option(help="Column of the labels")] = "label",
) -> None:
    """Put labelled examples into Argilla, as answers of the user whose key is used."""
    settings = load_settings(config, ctx.args)
    labels = read_labels(settings.paths.corpus)
    rows, _ = to_rows(load(source, "train", text_column, label_column), text_column, label_column)
    rows = [row for row in rows if row["labels"]]
    check_labels((label for row in rows for label in row["labels"]), labels)
    if not 0 < len(rows) <= MOST:
        raise ProjectError(f"{len(rows)} examples; from 1 to {MOST} can be put in at once.")
    nlp = spacy.blank("xx")
    with open_loop(settings) as (dataset, learner, _pool):
        there = {answer.text_id for answer in dataset.pull()}
        new = [row for row in rows if row["id"] not in there]
        vectors = learner.embed([row["text"] for row in new])
        records = []
        for row, vector in zip(new, vectors, strict=True):
            doc = nlp.make_doc(row["text"])
            record = doc_to_record(doc, iteration=0, source="seed", vector=vector)
            value = row["labels"] if settings.argilla.multi_label else row["labels"][0]
            me = dataset.client.me.id
            record.responses.add(rg.Response(QUESTION, value, user_id=me, status="submitted"))
            records.append(record)
        dataset.push(records)
    msg.good(f"{len(new)} examples put into Argilla, {len(rows) - len(new)} were there already")


if __name__ == "__main__":
    run(main)
