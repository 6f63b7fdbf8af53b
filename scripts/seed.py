"""Examples that the user has already: labelled records in Argilla before anybody is asked."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.cli.words import count
from scripts.data.corpus import check_labels, read_labels
from scripts.data.labels import one_spelling, spelling_lines
from scripts.data.rows import to_rows
from scripts.data.sources import load
from scripts.loop.settings import load_settings


def main(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="File with texts and labels, as for prepare")],
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    text_column: Annotated[str, typer.Option(help="Column of the texts")] = "text",
    label_column: Annotated[str, typer.Option(help="Column of the labels")] = "label",
    encoding: Annotated[str, typer.Option(help="Of a text file; '' for UTF-8")] = "",
) -> None:
    """Put labelled examples into Argilla, as answers of the user whose key is used."""
    settings = load_settings(config, ctx.args)
    labels = read_labels(settings.paths.corpus)
    if not label_column.strip():
        raise ProjectError(
            "Examples need labels.", "Name the column that has them: --vars.label_column label"
        )
    data = load(source, "train", text_column, label_column, encoding, "examples")
    rows, dropped = to_rows(data, text_column, label_column)
    rows = [row for row in rows if row["labels"] is not None]
    if spellings := one_spelling(rows, labels):
        msg.warn(f"Labels that differ in case or spaces only are one: {spelling_lines(spellings)}")
    for line in [*dropped.contradicting, *dropped.unusable]:
        msg.warn(f"Left out: {line}")
    check_labels((label for row in rows for label in row["labels"]), labels)
    from scripts.data.docbins import leave_out_tested  # imports spaCy, which takes two seconds

    corpus, given = settings.paths.corpus, len(rows)
    rows = leave_out_tested(rows, lambda row: str(row["id"]), corpus)
    if not rows:
        raise ProjectError(
            f"{source} has 0 labelled texts{' that may be trained on' * bool(given)}.",
            f"Its labels are read from the column '{label_column}' (--vars.label_column).",
        )
    from scripts.loop.lease import lease
    from scripts.loop.seed import seed
    from scripts.loop.session import open_loop

    with open_loop(settings) as (dataset, learner, _pool), lease(corpus, "seed"):
        new = seed(dataset, learner, rows)
    had = len(rows) - new
    there = f"{had} {'was' if had == 1 else 'were'} answered there already"
    msg.good(f"{count(new, 'example')} put into Argilla, {there}")
    if new and (missing := settings.argilla.min_submitted - 1):
        msg.info(f"One answer each: they count after {count(missing, 'more answer')} by others")


if __name__ == "__main__":
    run(main)
