"""The loop by itself: Argilla says when a batch is answered, and the next step follows."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.loop.settings import load_settings


def main(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    host: Annotated[str, typer.Option(help="Where Argilla reaches this machine")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any free port")] = 0,
    every: Annotated[float, typer.Option(help="Look at least every so many seconds")] = 60,
) -> None:
    """Take a step whenever the last batch is answered, until the budget is spent. Ctrl+C ends it;
    nothing is lost, as Argilla holds all there is."""
    settings = load_settings(config, ctx.args)
    from scripts.loop.session import open_loop
    from scripts.loop.step import show, step
    from scripts.records.client import ServerAway, plain_messages
    from scripts.records.webhook import listening, wait

    # Whoever ends it otherwise, a service manager for one, ends it as cleanly.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with open_loop(settings) as (dataset, learner, pool):
        with listening(dataset, host, port) as answered:
            print(f"Label at {dataset.url}\nCtrl+C ends this.", flush=True)
            while True:
                answered.clear()
                try:
                    with plain_messages(str(dataset.client.api_url)):
                        result = step(dataset, learner, pool, settings)
                except ServerAway:
                    pass  # `wait` says so
                else:
                    if result.finished:
                        break
                    if not result.why:
                        show(result)
                # The time limit is for events that never come, as when Argilla was restarted.
                wait(dataset, answered, every)
        show(result)


if __name__ == "__main__":
    run(main)
