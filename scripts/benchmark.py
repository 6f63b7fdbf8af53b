"""Measurements against classy-classification as it comes. Tables go to the screen as markdown and
to metrics/ as CSV."""

from pathlib import Path
from typing import Annotated, Any

import typer

from scripts.cli.errors import plain_errors

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
    only: Annotated[
        str, typer.Option(help="What to measure")
    ] = "throughput,start,retraining,saving",
    output: Path = Path("metrics/speed.csv"),
) -> None:
    """Texts a second, time to train, time to the first prediction, memory."""
    from scripts.benchmarks.data import report
    from scripts.benchmarks.speed import compare

    report(list(compare(data, model, rounds, only.split(","))), output)


Sources = Annotated[
    list[str], typer.Argument(help="bbc_news, or files with columns text and label")
]
Cache = Annotated[Path, typer.Option(help="Where embeddings are kept")]
DEFAULT_CACHE = Path("metrics/embeddings")
Seeds = Annotated[int, typer.Option(help="Random splits into pool and test")]
Head = Annotated[str, typer.Option(help="Registered as classy_head.NAME.v1")]


def _embed(sources: list[str], encoder: Path, cache: Path) -> list[Any]:
    from wasabi import msg

    from scripts.benchmarks.corpora import embed

    here = [source for source in sources if source == "bbc_news" or Path(source).exists()]
    for source in set(sources) - set(here):
        msg.warn(f"{source} is not here: skipped")
    return [embed(source, encoder, cache) for source in here]


@app.command("learning-curve")
def learning_curve(
    data: Sources,
    encoder: Encoder = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    loops: Annotated[
        str, typer.Option(help='"tutorial", HEAD/STRATEGY, HEAD/STRATEGY/names')
    ] = "tutorial,pool/diverse_uncertainty,pool/margin,pool/random,plain/margin,plain/random",
    seeds: Seeds = 10,
    condition: Annotated[str, typer.Option(help="clean, noise or rare")] = "clean",
    noise: Annotated[float, typer.Option(help="Share of wrong answers, if noise")] = 0.2,
    rare: Annotated[float, typer.Option(help="Times one class is rarer, if rare")] = 20.0,
    batch_size: Annotated[int, typer.Option(help="Texts a step; the tutorial's is 5")] = 10,
    output: Path = Path("metrics/learning_curve.csv"),
    plot: Path = Path("metrics/learning_curve.png"),
) -> None:
    """Accuracy by number of labels, of the loop and of the tutorial's own. Runs that the CSV file
    holds already are not repeated."""
    from scripts.benchmarks import learning_curve as curves

    rows = curves.run(
        _embed(data, encoder, cache),
        loops.split(","),
        seeds,
        output,
        condition=condition,
        noise=noise,
        rare=rare,
        batch_size=batch_size,
    )
    if not rows:
        return
    measures = ["accuracy"] if condition == "clean" else ["accuracy", "macro_f"]
    for measure in measures:
        print(curves.summary(rows, measure))
    print(curves.labels_needed(rows))
    curves.plot(rows, plot, measures[-1])


@app.command()
def heads(
    data: Sources,
    encoder: Encoder = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    names: Annotated[str, typer.Option(help="Heads, or plain")] = "plain,kernel,pool",
    budgets: Annotated[str, typer.Option(help="Labels in all")] = "0,20,50,100,200,400",
    seeds: Seeds = 10,
    output: Path = Path("metrics/heads.csv"),
) -> None:
    """Accuracy of the heads on labels drawn at random, as many of each class."""
    from scripts.benchmarks.data import report
    from scripts.benchmarks.heads import compare

    sizes = [int(budget) for budget in budgets.split(",")]
    report(compare(_embed(data, encoder, cache), names.split(","), sizes, seeds), output)


@app.command()
def autovalidation(
    data: Sources,
    encoder: Encoder = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    rules: Annotated[
        str, typer.Option(help="Separated by semicolons")
    ] = "precision 0.98;precision 0.95;certainty 0.9;tutorial, 0.9",
    seeds: Seeds = 10,
    head: Head = "pool",
    budgets: Annotated[str, typer.Option(help="Labels in all")] = "100,200,300,400",
    batch_size: int = 20,
    output: Path = Path("metrics/autovalidation.csv"),
) -> None:
    """Precision and coverage of the machine's answers, promised and measured."""
    from scripts.benchmarks.autovalidation import compare
    from scripts.benchmarks.data import report

    sizes = [int(budget) for budget in budgets.split(",")]
    embedded = _embed(data, encoder, cache)
    report(compare(embedded, rules.split(";"), seeds, head, sizes, batch_size), output)


@app.command("label-review")
def label_review(
    data: Sources,
    encoder: Encoder = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    strategies: str = "margin,random",
    budgets: Annotated[str, typer.Option(help="Labels in all")] = "100,200,400",
    seeds: Seeds = 10,
    head: Head = "pool",
    noise: Annotated[float, typer.Option(help="Share of wrong answers")] = 0.2,
    most: Annotated[float, typer.Option(help="Share of answers looked at again")] = 0.2,
    output: Path = Path("metrics/label_review.csv"),
) -> None:
    """How many wrong answers by people the review finds."""
    from scripts.benchmarks.data import report
    from scripts.benchmarks.review import compare

    sizes = [int(budget) for budget in budgets.split(",")]
    embedded = _embed(data, encoder, cache)
    report(
        compare(embedded, head, strategies.split(","), sizes, seeds, noise, most),
        output,
    )


@app.command()
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


if __name__ == "__main__":
    with plain_errors():
        app()
