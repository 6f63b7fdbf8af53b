"""What each step of the loop was worth, replayed from the labels that Argilla holds."""

import csv
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Literal

import typer
from wasabi import table

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.data.docbins import read_texts
from scripts.loop.replay import Row, replay
from scripts.loop.session import open_loop
from scripts.loop.settings import load_settings

ALIGNS: list[Literal["r", "c", "l"]] = ["r"] * 6


def main(
    ctx: typer.Context,
    output: Annotated[Path, typer.Argument(help="CSV file to write", dir_okay=False)],
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
) -> None:
    """Print and write a table of the steps: labels by people and by machine, test scores."""
    settings = load_settings(config, ctx.args)
    test_path = settings.paths.corpus / "test.spacy"
    test = read_texts(test_path) if test_path.exists() else None
    with open_loop(settings) as (dataset, learner, _):
        answers = dataset.answers()
        rows = replay(answers, learner, test, settings.loop.use_machine_labels)
    if not rows:
        raise ProjectError("There is nothing to report yet.", "Run a step: weasel run step")
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("w", newline="", encoding="utf8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    header = ("Step", "Labels by people", "Discarded", "Auto-validated", "Test accuracy", "Macro F")
    cells = [
        [row.step, row.people, row.discarded, row.machine]
        + ["-" if score is None else f"{score:.3f}" for score in (row.accuracy, row.macro_f)]
        for row in rows
    ]
    print(table(cells, header=header, divider=True, aligns=ALIGNS))
    users = sorted({vote.user for answer in answers for vote in answer.votes})
    msg.text(f"Answers by: {', '.join(users)}")
    if test is None:
        msg.info(f"No test scores: there is no {test_path}")
    msg.good(f"Written to {output}")


if __name__ == "__main__":
    run(main)
