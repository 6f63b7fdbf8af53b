"""Measurements against classy-classification as it comes. Tables go to the screen as markdown and
to metrics/ as CSV."""

from pathlib import Path
from typing import Annotated, Any

import typer

from scripts.errors import plain_errors

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)

Encoder = Annotated[Path, typer.Option(help="Exported encoder")]
Model = Annotated[str, typer.Option(help="The same model for sentence-transformers")]
DEFAULT_ENCODER = Path("assets/encoder")
DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@app.callback()
def benchmark() -> None:
    """Measure the components against classy-classification as it comes."""


@app.command()
def calibration(
    data: Annotated[
        list[str], typer.Argument(help="bbc_news, or files with columns text and label")
    ],
    encoder: Encoder = DEFAULT_ENCODER,
    model: Model = DEFAULT_MODEL,
    sizes: Annotated[str, typer.Option(help="Labels a class")] = "5,16,64",
    seeds: Annotated[int, typer.Option(help="Random samples of each size")] = 5,
    output: Path = Path("metrics/calibration.csv"),
) -> None:
    """Accuracy, calibration error and Brier score of the heads, from few labels to many."""
    from components.onnx_encoder import OnnxEncoder
    from scripts.benchmarks.calibration import compare
    from scripts.benchmarks.data import report

    counts = [int(size) for size in sizes.split(",")]
    rows: list[dict[str, Any]] = []
    for source in data:
        rows += compare(source, OnnxEncoder(encoder), model, counts, seeds)
    report(rows, output)


@app.command()
def speed(
    data: Annotated[str, typer.Argument(help="bbc_news, or a file with columns text and label")],
    model: Model = DEFAULT_MODEL,
    rounds: Annotated[int, typer.Option(help="Measurements of each; the median counts")] = 5,
    only: Annotated[str, typer.Option(help="What to measure")] = "throughput,start,retraining",
    output: Path = Path("metrics/speed.csv"),
) -> None:
    """Texts a second, time to train, time to the first prediction, memory."""
    from scripts.benchmarks.data import report
    from scripts.benchmarks.speed import compare

    report(list(compare(data, model, rounds, only.split(","))), output)


if __name__ == "__main__":
    with plain_errors():
        app()
