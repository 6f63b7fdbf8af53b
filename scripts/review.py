"""Probable label errors go back to people: worst first, and never more than asked for."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.words import count
from scripts.loop.settings import load_settings


def main(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    share: Annotated[float, typer.Option(help="Most of people's labels", min=0, max=1)] = 0.1,
    machine: Annotated[int, typer.Option(help="Most of the bot's labels", min=0, max=250)] = 0,
) -> None:
    """Ask people again about the labels that are probably wrong, worst first."""
    settings = load_settings(config, ctx.args)
    from scripts.loop.review import describe, reopen, review
    from scripts.loop.session import open_loop

    with open_loop(settings, make=False) as (dataset, learner, _):
        found = review(dataset, learner, share, settings.loop.seed)
        found += reopen(dataset, learner, machine)
        if not found:
            msg.good("No label looks wrong.")
            return
        for one in found[:10]:
            print(f"- {describe(one)}")
        if len(found) > 10:
            print(f"- and {len(found) - 10} more")
        msg.good(f"Asked again, worst first: {count(len(found), 'text')}")
        print(f"Label at {dataset.url}\nthen run `weasel run step` again.")


if __name__ == "__main__":
    run(main)
