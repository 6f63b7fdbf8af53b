"""The loop by itself: Argilla says when a batch is answered, and the next step follows."""

import signal
from functools import partial
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
    poll: Annotated[
        float,
        typer.Option(help="Ask every so many seconds, where Argilla cannot reach this machine"),
    ] = 0,
) -> None:
    """Keep the queue of texts to label filled, and its suggestions fresh, until the budget is
    spent. Ctrl+C ends it; nothing is lost, as Argilla holds all there is."""
    settings = load_settings(config, ctx.args)
    from scripts.loop.dashboard import dashboard
    from scripts.loop.lease import only_one
    from scripts.loop.live import live
    from scripts.loop.step import show
    from scripts.records.webhook import listening, polling

    # Whoever ends it otherwise, a service manager for one, ends it as cleanly.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    hearing = partial(polling, seconds=poll) if poll else partial(listening, host=host, port=port)
    with only_one(settings.paths.corpus, "live"):
        with dashboard(settings) as shown:
            result = live(settings, hearing, every, shown)
        show(result)


if __name__ == "__main__":
    run(main)
