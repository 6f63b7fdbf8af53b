"""One step of the active-learning loop: pull answers, train, score the pool, ask the next batch."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.loop.settings import load_settings


def main(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    now: Annotated[bool, typer.Option(help="Do not wait for missing answers")] = False,
) -> None:
    """Train on the answers in Argilla and ask the next batch. Run it again after labelling."""
    settings = load_settings(config, ctx.args)
    from scripts.loop.session import open_loop
    from scripts.loop.step import show, step

    with open_loop(settings) as (dataset, learner, pool):
        show(step(dataset, learner, pool, settings, now=now), dataset.url)


if __name__ == "__main__":
    run(main)
