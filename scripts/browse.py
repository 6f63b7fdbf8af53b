"""The whole pool in Argilla, in a data set of its own: to search in, and to label by choice."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.words import count
from scripts.loop.settings import load_settings


def main(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    first: Annotated[int, typer.Option(help="Only the first so many texts; 0: all", min=0)] = 0,
    refresh: Annotated[
        Literal["true", "false"],
        typer.Option(help="Bring what is there up to date", case_sensitive=False),
    ] = "false",
) -> None:
    """Put the pool into Argilla, with the model's labels, or go on where that was cut short. Labels
    that you give there teach the model at the next step."""
    settings = load_settings(config, ctx.args)
    from scripts.loop.browse import browse
    from scripts.loop.session import open_loop

    with open_loop(settings) as (dataset, learner, pool):
        done = browse(dataset, learner, pool, settings, first, refresh == "true")
    did = f"{count(done.logged, 'text')} put there, {done.there} were there already"
    if refresh == "true":
        did += f", {done.updated} of them brought up to date"
    msg.good(f"'{done.name}': {did}")
    print(
        f"Search at {done.url}\nWhat you label there teaches the model at the next step. To bring "
        "suggestions up to date:\nweasel run browse . --vars.refresh true"
    )


if __name__ == "__main__":
    run(main)
