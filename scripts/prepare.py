"""Texts from the Hugging Face hub, a file or a folder -> a pool and a held-out test set."""

from pathlib import Path
from typing import Annotated

import srsly
import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.data.corpus import Row, check_labels
from scripts.data.docbins import write_rows
from scripts.data.rows import read_label_spec, slug, split_rows, to_rows
from scripts.data.sources import load


def main(
    dataset: Annotated[str, typer.Argument(help="bbc_news, a file, a folder or a hub name")],
    output: Annotated[Path, typer.Argument(help="Folder for the pool and the test set")],
    text_column: Annotated[str, typer.Option(help="Column of the texts")] = "text",
    label_column: Annotated[str, typer.Option(help="Column of gold labels, '' for none")] = "",
    labels: Annotated[str, typer.Option(help="Labels, comma-separated, or a JSON file")] = "",
    split: Annotated[str, typer.Option(help="Split of a hub data set")] = "train",
    test_size: Annotated[float, typer.Option(help="Held-out share, or number of texts")] = 0.5,
    seed: Annotated[int, typer.Option(help="Seed of the split")] = 0,
) -> None:
    """Write OUTPUT/pool.jsonl, labels.json and meta.json. With gold labels in the data, also
    test.spacy and oracle.jsonl (the pool's gold labels, for simulated annotators only); without,
    the held-out texts go to held_out.jsonl, for people to label.
    """
    label_column = label_column.strip()
    data = load(dataset, split, text_column, label_column)
    rows, dropped = to_rows(data, text_column, label_column)
    msg.info(
        f"{len(data)} texts from {dataset}; dropped {dropped['duplicate']} exact duplicates "
        f"and {dropped['empty']} empty texts"
    )
    if not rows:
        raise ProjectError("The pool is empty.", "The data has no text at all.")

    declared = read_label_spec(labels, dataset)
    seen = sorted({label for row in rows for label in row["labels"] or []})
    if declared:
        check_labels(seen, declared)
    names = declared or {label: label for label in seen}
    if len(names) < 2:
        raise ProjectError(
            f"A classifier needs at least two labels; there are {len(names)}.",
            "Name the column of gold labels (--vars.label_column) or the labels themselves "
            "(--vars.labels 'Sports,Business').",
        )

    gold = [row for row in rows if row["labels"]]
    unlabelled = [row for row in rows if not row["labels"]]
    pool, test = split_rows(gold or unlabelled, test_size, seed)
    output.mkdir(parents=True, exist_ok=True)
    for stale in ("test.spacy", "oracle.jsonl", "held_out.jsonl"):
        (output / stale).unlink(missing_ok=True)
    if gold:
        srsly.write_jsonl(output / "oracle.jsonl", [_only(row, "id", "labels") for row in pool])
        write_rows(test, list(names), output / "test.spacy")
        pool = pool + unlabelled
    else:
        srsly.write_jsonl(output / "held_out.jsonl", [_only(row, "id", "text") for row in test])
    srsly.write_jsonl(output / "pool.jsonl", [_only(row, "id", "text") for row in pool])
    srsly.write_json(output / "labels.json", names)
    srsly.write_json(output / "meta.json", {"name": slug(dataset), "dataset": dataset})
    held_out = "with gold labels" if gold else "for people to label (`weasel run test-set`)"
    msg.good(f"{output}: {len(pool)} texts in the pool, {len(test)} held out {held_out}")
    msg.text(f"Labels: {', '.join(names)}")


def _only(row: Row, *keys: str) -> Row:
    return {key: row[key] for key in keys}


if __name__ == "__main__":
    run(main)
