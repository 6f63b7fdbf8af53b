"""Scores of the pipeline on the held-out test set, if there is one."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.shipping.release import read_meta


def main(
    model: Annotated[Path, typer.Argument(help="Folder that `train` or `distil` wrote")],
    test: Annotated[Path, typer.Argument(help="Labelled texts, a .spacy file")],
    output: Annotated[Path, typer.Argument(help="JSON file to write", dir_okay=False)],
) -> None:
    """Print and write the scores, as `spacy evaluate` does; without a test set, say so."""
    read_meta(model)
    # What an earlier pipeline or test set has scored must not be taken for this one's.
    output.unlink(missing_ok=True)
    if test.exists():
        from scripts.shipping.scores import evaluate

        evaluate(model, test, output)
    else:
        msg.warn(f"Nothing was evaluated: there is no test set {test}")
        msg.text("To get one, label some held-out texts: weasel run test-set")


if __name__ == "__main__":
    run(main)
