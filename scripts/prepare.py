"""Texts from the Hugging Face hub, a file or a folder -> a pool and a held-out test set."""

import math
from pathlib import Path
from typing import Annotated, Literal

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.data.corpus import SEVERAL, Row, check_labels
from scripts.data.labels import (
    check_names,
    one_spelling,
    read_label_spec,
    several_or_none,
    slug,
    spelling_lines,
)
from scripts.data.prepared import (
    check_overwrite,
    hold_out,
    look_before,
    same_source,
    split_rows,
    write_corpus,
)
from scripts.data.rows import to_rows
from scripts.data.sources import load


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
    rows = _read(dataset, split, text_column, label_column, encoding)
    declared = read_label_spec(labels, dataset)
    if spellings := one_spelling(rows, declared):
        msg.warn(
            f"Labels that differ in case or spaces only are one: {spelling_lines(spellings)}",
            "To keep them apart, name them all: --vars.labels",
        )
    seen = sorted({label for row in rows for label in row["labels"] or []})
    if declared:
        check_labels(seen, declared)
    names = declared or {label: label for label in seen}
    check_names(names)

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
    if gold and before and before.tested:
        msg.info(
            "Texts that were held out before stay so, and those of the pool stay in it "
            "(--vars.overwrite true draws anew; labels in Argilla stay there)"
        )
    if before and before.labelled_by_people:
        msg.info(f"{output / 'test.spacy'}, which people labelled, stays as it is")
    if there.meta.get("name") == meta["name"] and not same_source(there.meta["dataset"], dataset):
        msg.warn(
            f"{there.meta['dataset']}, which was here, is called '{meta['name']}' in Argilla "
            "too: its labels would count as labels of these data.",
            'Give these another name in configs/loop.cfg: [argilla] dataset = "..."',
        )
    msg.text(f"Labels: {', '.join(names)}")
    if unusual := several_or_none(gold):
        msg.warn(
            f"{unusual}. That is data with any number of labels a text.",
            f"It needs this in configs/loop.cfg: {SEVERAL}\n"
            "Else mend the data: a text that nobody has labelled has null or a blank, not [].",
        )


def _read(source: str, split: str, text_column: str, label_column: str, encoding: str) -> list[Row]:
    """The rows, after saying which texts are none of them."""
    data = load(source, split, text_column, label_column, encoding)
    rows, dropped = to_rows(data, text_column, label_column)
    msg.info(
        f"Texts from {source}: {len(data)}, of which dropped: exact duplicates "
        f"{dropped.duplicate}, empty {dropped.empty}"
    )
    for lines, what in (
        (dropped.contradicting, "Duplicates with other labels than the text that was kept"),
        (dropped.unusable, "Texts left out, as they cannot be used"),
    ):
        if lines:
            more = [f"and {len(lines) - 5} more"] if len(lines) > 5 else []
            msg.warn(f"{what}: {len(lines)}", "\n".join([*lines[:5], *more]))
    if not rows:
        raise ProjectError("The pool is empty.", "The data has no text at all.")
    return rows


if __name__ == "__main__":
    run(main)
