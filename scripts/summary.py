"""What was released: data, labels, scores, version and wheel, and how to install it."""

from pathlib import Path
from typing import Annotated

import srsly
import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.shipping.summary import rows, summarise


def main(
    model: Annotated[Path, typer.Argument(help="Folder that `train` wrote")],
    packages: Annotated[Path, typer.Argument(help="Folder that `package` wrote")],
    corpus: Annotated[Path, typer.Argument(help="Folder that `prepare` wrote")],
    metrics: Annotated[Path, typer.Argument(help="Folder with the scores of `evaluate`")],
) -> None:
    """Print what was released, and write it to METRICS/release.json."""
    summary = summarise(model, packages, corpus, metrics / "test.json")
    metrics.mkdir(parents=True, exist_ok=True)
    srsly.write_json(metrics / "release.json", summary)
    msg.table(rows(summary))
    print(f"pip install {summary['wheel']}")


if __name__ == "__main__":
    run(main)
