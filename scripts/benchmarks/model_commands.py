"""Benchmarks of the model, as commands: each is one of `python -m scripts.benchmark`."""

from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from scripts.benchmarks.options import (
    DEFAULT_CACHE,
    DEFAULT_ENCODER,
    DEFAULT_MODEL,
    Cache,
    Encoder,
    Head,
    Model,
    Seeds,
    Sources,
    embed_all,
)


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
    tables = (compare(source, OnnxEncoder(encoder), model, counts, seeds) for source in data)
    report(chain.from_iterable(tables), output)


def speed(
    data: Annotated[str, typer.Argument(help="bbc_news, or a file with columns text and label")],
    model: Model = DEFAULT_MODEL,
    rounds: Annotated[int, typer.Option(help="Measurements of each; the median counts")] = 5,
    only: Annotated[
        str, typer.Option(help="What to measure")
    ] = "throughput,start,retraining,saving",
    output: Path = Path("metrics/speed.csv"),
) -> None:
    """Texts a second, time to train, time to the first prediction, memory."""
    from scripts.benchmarks.data import report
    from scripts.benchmarks.speed import compare

    report(compare(data, model, rounds, only.split(",")), output)


def heads(
    data: Sources,
    encoder: Encoder = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    names: Annotated[str, typer.Option(help="Heads, or plain")] = "plain,kernel,pool,evidence",
    budgets: Annotated[str, typer.Option(help="Labels in all")] = "0,20,50,100,200,400",
    seeds: Seeds = 10,
    output: Path = Path("metrics/heads.csv"),
) -> None:
    """Accuracy of the heads on labels drawn at random, as many of each class."""
    from scripts.benchmarks.data import report
    from scripts.benchmarks.heads import compare

    sizes = [int(budget) for budget in budgets.split(",")]
    report(compare(embed_all(data, encoder, cache), names.split(","), sizes, seeds), output)


def encoders(
    data: Annotated[str, typer.Argument(help="bbc_news, or a file with columns text and label")],
    folders: Annotated[list[Path], typer.Argument(help="Exported encoders", metavar="ENCODER...")],
    cache: Cache = DEFAULT_CACHE,
    head: Head = "evidence",
    budgets: Annotated[str, typer.Option(help="Labels in all")] = "0,20,50,100,200,400",
    seeds: Seeds = 10,
    timed: Annotated[int, typer.Option(help="Texts to measure the speed on")] = 500,
    rounds: Annotated[int, typer.Option(help="Measurements of the speed; the median counts")] = 3,
    output: Path = Path("metrics/encoders.csv"),
) -> None:
    """Size, speed and accuracy of exported encoders (`python -m scripts.encoder`), on labels drawn
    at random, as many of each class."""
    from scripts.benchmarks.data import report
    from scripts.benchmarks.encoders import compare

    sizes = [int(budget) for budget in budgets.split(",")]
    report(compare(data, folders, cache, head, sizes, seeds, timed, rounds), output)


def strategies(
    rows: Annotated[int, typer.Option(help="Texts in the pool")] = 100_000,
    dim: Annotated[int, typer.Option(help="Of the embeddings")] = 384,
    classes: int = 4,
    labelled: int = 200,
    batch_size: int = 20,
    names: Annotated[str, typer.Option(help="All by default")] = "",
    output: Path = Path("metrics/strategies.csv"),
) -> None:
    """Time and memory of each query strategy on a large pool of made-up embeddings."""
    from scripts.active_learning.query import STRATEGIES
    from scripts.benchmarks.data import report
    from scripts.benchmarks.scale import measure

    chosen = names.split(",") if names else list(STRATEGIES)
    report(measure(chosen, rows, dim, classes, labelled, batch_size), output)


COMMANDS = (calibration, speed, heads, encoders, strategies)
