"""The whole loop with a simulated annotator, until the budget is spent: for demos and tests."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.data.corpus import read_gold
from scripts.loop.settings import load_settings


def main(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    noise: Annotated[float, typer.Option(help="Share of wrong answers", min=0, max=1)] = 0.0,
) -> None:
    """SIMULATION: step and annotate in turn until the budget of labels is spent."""
    settings = load_settings(config, ctx.args)
    if not settings.loop.budget:
        raise ProjectError("Without a budget the simulation would not end.", "Set [loop] budget.")
    gold = read_gold(settings.paths.corpus)
    from scripts.loop.annotate import annotate, stuck
    from scripts.loop.session import open_loop
    from scripts.loop.step import show, step
    from scripts.records.dataset import ORACLE

    msg.warn(f"Simulation: gold labels stand in for people, as user '{ORACLE}'")
    loop = settings.loop
    with open_loop(settings) as (dataset, learner, pool):
        while True:
            # Answers first: a run that was stopped in between goes on where it was.
            answered = annotate(
                dataset, gold, list(learner.labels), noise, loop.seed, limit=loop.at_once
            )
            result = step(dataset, learner, pool, settings)
            if result.why and not result.finished and not answered:
                raise stuck(dataset, gold)
            if result.finished or not result.why:
                show(result)
            if result.finished:
                break


if __name__ == "__main__":
    run(main)
