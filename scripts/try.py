"""A page on this machine to try the pipeline: scores, and the nearest labelled texts.

Its name is a word of Python's own: `python -m scripts.try` runs it, `import scripts.try` cannot be
written, and nothing imports a command anyway."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.trying.serve import HOST, check_installed, check_port, serve

LABELLED = "corpus/train.spacy"


def main(
    model: Annotated[
        str, typer.Argument(help="Folder of a pipeline, or name of an installed package")
    ] = "training/model",
    labelled: Annotated[
        str, typer.Option(help="Labelled texts, from pull, finish or export; '' for none")
    ] = LABELLED,
    embeddings: Annotated[Path, typer.Option(help="Folder of the loop's embeddings")] = Path(
        "corpus/embeddings"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535, help=f"Port on {HOST}")] = 8501,
) -> None:
    """Open the pipeline and show the page until Ctrl+C. Nothing leaves this machine."""
    check_installed()
    check_port(port)
    if labelled == LABELLED and not Path(labelled).exists():
        labelled = ""  # the page says so
    from scripts.trying.opened import opened

    arguments = (model, labelled, str(embeddings))
    pipeline = opened(*arguments).pipeline
    msg.good(f"{pipeline.name}: try it at http://{HOST}:{port}")
    msg.text("Ctrl+C ends this.")
    serve(port, arguments)


if __name__ == "__main__":
    run(main)
