"""Benchmarks of small models, of many texts and of large pools, as commands: each is one of
`python -m scripts.benchmark`."""

from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts.benchmarks.options import (
    DEFAULT_CACHE,
    DEFAULT_ENCODER,
    DEFAULT_MODEL,
    Cache,
    Encoder,
    Model,
    Seeds,
    Sources,
    embed_all,
)
from scripts.cli.errors import ProjectError


def score(
    data: Annotated[str, typer.Argument(help="bbc_news, or a file with columns text and label")],
    pipeline: Annotated[
        str, typer.Option(help="Trained, a folder or a package")
    ] = "training/model",
    model: Model = DEFAULT_MODEL,
    texts: Annotated[int, typer.Option(help="To measure the speed on")] = 500,
    rounds: Annotated[int, typer.Option(help="Measurements of each; the median counts")] = 3,
    rows: Annotated[str, typer.Option(help="To measure the memory at")] = "10000,100000,1000000",
    only: Annotated[str, typer.Option(help="What to measure")] = "speed,memory,ray",
    output: Path = Path("metrics/score.csv"),
) -> None:
    """Rows a second from files to files, peak memory, and two workers of a Ray cluster."""
    from scripts.benchmarks import score as measure
    from scripts.benchmarks.data import report
    from scripts.data.packages import find

    chosen = only.split(",")
    parts = {
        "speed": measure.speed(data, pipeline, model, texts, rounds),
        "memory": measure.memory([int(size) for size in rows.split(",")]),
        "ray": measure.on_ray(data, pipeline, texts, rounds),
    }
    if unknown := sorted(set(chosen) - parts.keys()):
        raise ProjectError(f"--only does not know {unknown[0]}.", f"It knows {', '.join(parts)}.")
    if {"speed", "ray"} & set(chosen):
        find(pipeline, "score_model")  # now, and not in each worker
    report(chain.from_iterable(parts[one] for one in parts if one in chosen), output)


def pool_share(
    data: Sources,
    encoder: Encoder = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    parts: Annotated[str, typer.Option(help="Texts of the pool, at most")] = "500,1000,2000",
    budgets: Annotated[str, typer.Option(help="Labels in all")] = "50,100,200",
    seeds: Seeds = 3,
    approximate: Annotated[
        bool, typer.Option(help="The whole pool too, with neighbours by faiss-cpu")
    ] = False,
    output: Path = Path("metrics/pool_share.csv"),
) -> None:
    """Accuracy of the default head where it looks at a part of the pool, as at a part of a large
    one, against the whole pool."""
    from scripts.benchmarks.data import report
    from scripts.benchmarks.pool_share import compare

    parts_, budgets_ = ([int(n) for n in numbers.split(",")] for numbers in (parts, budgets))
    report(compare(embed_all(data, encoder, cache), parts_, budgets_, seeds, approximate), output)


def step_scale(
    data: Annotated[
        str, typer.Argument(help="Real texts that the made-up ones are like: bbc_news, or a file")
    ] = "bbc_news",
    sizes: Annotated[str, typer.Option(help="Texts in the pool")] = "10000,100000,1000000",
    labels: Annotated[str, typer.Option(help="By people, when steps are measured")] = "100,200",
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    pipeline: Annotated[str, typer.Option(help="Pipeline config; empty: as the settings say")] = "",
    encoder: Encoder = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    output: Path = Path("metrics/step_scale.csv"),
) -> None:
    """Seconds and memory of a step on large pools of made-up texts, embedded already, with the
    Argilla that must run. Its data set there is this benchmark's own, and deleted at the end."""
    from scripts.benchmarks.data import report
    from scripts.benchmarks.step_scale import Conditions, compare

    asked = tuple(int(number) for number in labels.split(","))
    conditions = Conditions(data, asked, config, pipeline, encoder, cache)
    report(compare([int(size) for size in sizes.split(",")], conditions), output)


def distil(
    data: Sources,
    encoder: Encoder = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    people: Annotated[int, typer.Option(help="Labels by people that the loop ends with")] = 200,
    share: Annotated[float, typer.Option(help="Of the pool's texts that are there at all")] = 1.0,
    kinds: Annotated[str, typer.Option(help="Of small models")] = "bow,ensemble",
    seeds: Seeds = 3,
    output: Path = Path("metrics/distil_benchmark.csv"),
) -> None:
    """What spaCy's own textcat loses and wins beside the big model, by what it learns from: labels
    by people, those of the finished data set, or the big model's answers to the whole pool."""
    from scripts.benchmarks.data import report
    from scripts.benchmarks.distilled import Conditions, compare

    chosen: Any = kinds.split(",")
    report(compare(data, Conditions(encoder, cache, people, seeds, share, chosen)), output)


COMMANDS = (distil, score, pool_share, step_scale)
