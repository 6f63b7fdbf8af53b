"""Texts from the Hugging Face hub, a file or a folder -> a pool and a held-out test set."""

import math
from pathlib import Path
from typing import Annotated, Literal

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.data.labels import slug
from scripts.data.prepared import check_overwrite, hold_out, look_before, split_rows, write_corpus
from scripts.data.preparing import (
    name_labels,
    read_rows,
    tell_of_before,
    tell_of_labels,
    tell_of_twins,
)


def main(
    dataset: Annotated[str, typer.Argument(help="bbc_news, a file, a folder or a hub name")],
    output: Annotated[Path, typer.Argument(help="Folder for the pool and the test set")],
    text_column: Annotated[str, typer.Option(help="Column of the texts")] = "text",
    label_column: Annotated[str, typer.Option(help="Column of gold labels, '' for none")] = "",
    labels: Annotated[str, typer.Option(help="Labels, comma-separated, or a JSON file")] = "",
    split: Annotated[str, typer.Option(help="Split of a hub data set")] = "train",
    encoding: Annotated[str, typer.Option(help="Of a text file; '' for UTF-8")] = "",
    test_size: Annotated[float, typer.Option(help="Held-out share of labelled texts")] = 0.5,
    test_labels: Annotated[int, typer.Option(help="Held-out texts without labels", min=0)] = 100,
    seed: Annotated[int, typer.Option(help="Seed of the split", min=0, max=2**32 - 1)] = 0,
    overwrite: Annotated[Literal["true", "false"], typer.Option(case_sensitive=False)] = "false",
) -> None:
    """Write OUTPUT/pool.jsonl, labels.json and meta.json. With gold labels in the data, also
    test.spacy and oracle.jsonl (the pool's gold labels, for simulated annotators only); without,
    the held-out texts go to held_out.jsonl, for people to label.

    Other data that OUTPUT holds is overwritten only if asked. The same data again keeps its
    held-out texts and its pool, and the test set that people labelled.
    """
    if not 0 < test_size < math.inf:  # nan, too
        raise ProjectError(
            f"A test set of {test_size} is none.",
            "Set --vars.test_size to a share below 1, or to a number of texts.",
        )
    label_column = label_column.strip()
    rows = read_rows(dataset, split, text_column, label_column, encoding)
    names = name_labels(rows, labels, dataset)
    gold = [row for row in rows if row["labels"] is not None]
    unlabelled = [row for row in rows if row["labels"] is None]
    meta = {
        "name": slug(dataset),
        "dataset": dataset,
        "split": split,
        "text_column": text_column,
        "label_column": label_column,
        "multi_label": any(len(row["labels"]) != 1 for row in gold),
    }
    there = look_before(output)
    again = overwrite == "false" and check_overwrite(there, meta, list(names), bool(gold))
    before = there if again else None
    if gold:
        pool, test = split_rows(gold, test_size, seed, before)
        pool += unlabelled
    else:
        pool, test = hold_out(unlabelled, test_labels, seed, before)
    write_corpus(names, meta, pool, test, output, before)

    held_out = "with gold labels" if gold else "for people to label (`weasel run test-set`)"
    msg.good(f"{output}: {len(pool)} texts in the pool, {len(test)} held out {held_out}")
    if not gold and len(test) < test_labels:
        msg.info(
            f"{test_labels} were asked for (--vars.test_labels); at most a fifth of the texts is "
            "held out" + (", and none that was in the pool before" if before else "")
        )
    tell_of_twins(pool, test)
    tell_of_before(there, again, meta, bool(gold))
    tell_of_labels(list(names), gold)


if __name__ == "__main__":
    run(main)
