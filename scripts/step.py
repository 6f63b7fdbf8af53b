"""One step of the active-learning loop: pull answers, train, score the pool, ask the next batch."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.loop.session import open_loop
from scripts.loop.settings import load_settings
from scripts.loop.step import show, step


def main(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    code: Annotated[Path | None, typer.Option(help="Python file with query strategies")] = None,
    now: Annotated[bool, typer.Option(help="Do not wait for missing answers")] = False,
) -> None:
    """Train on the answers in Argilla and ask the next batch. Run it again after labelling."""
    settings = load_settings(config, ctx.args, code)
    with open_loop(settings) as (dataset, learner, pool):
        result = step(dataset, learner, pool, settings, now=now)
        show(result)
        # Not through wasabi, which would wrap the address.
        print(f"Label at {dataset.url}\nthen run `weasel run step` again.")


if __name__ == "__main__":
    run(main)
