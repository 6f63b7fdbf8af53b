"""The loop by itself: Argilla says when a batch is answered, and the next step follows."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import argilla as rg
import typer
import uvicorn
from argilla.webhooks import WebhookHandler
from fastapi import FastAPI

from scripts.errors import run
from scripts.records.dataset import LoopDataset
from scripts.session import open_loop
from scripts.settings import load_settings
from scripts.step import show, step

EVENTS = ["response.created", "response.updated", "response.deleted"]


@contextmanager
def listening(dataset: LoopDataset, host: str, port: int) -> Iterator[threading.Event]:
    """An event that is set whenever somebody answers, by a webhook of Argilla.

    The webhook is removed afterwards. host, port: Where Argilla reaches this machine.
    """
    answered = threading.Event()

    async def on_answer(event: object) -> None:
        # Which data set it was the event does not say: a step finds out, and it is cheap.
        answered.set()

    with socket.socket() as probe:
        probe.bind((host, port))  # port 0: any free one
        port = probe.getsockname()[1]
    webhook = rg.Webhook(
        url=f"http://{host}:{port}/answered",
        events=EVENTS,
        description=f"active learning of {dataset.dataset.name}",
    ).create()
    app = FastAPI()
    app.post("/answered")(WebhookHandler(webhook).handle(on_answer, raw_event=True))
    server = uvicorn.Server(uvicorn.Config(app, host=host, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield answered
    finally:
        server.should_exit = True
        thread.join()
        webhook.delete()


def main(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    code: Annotated[Path | None, typer.Option(help="Python file with query strategies")] = None,
    host: Annotated[str, typer.Option(help="Where Argilla reaches this machine")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any free port")] = 0,
    every: Annotated[float, typer.Option(help="Look at least every so many seconds")] = 60,
) -> None:
    """Take a step whenever the last batch is answered, until the budget is spent. Ctrl+C ends it;
    nothing is lost, as Argilla holds all there is."""
    settings = load_settings(config, ctx.args, code)
    with open_loop(settings) as (dataset, learner, pool):
        with listening(dataset, host, port) as answered:
            print(f"Label at {dataset.url}\nCtrl+C ends this.")
            while True:
                answered.clear()
                result = step(dataset, learner, pool, settings)
                if result.finished:
                    break
                if not result.why:
                    show(result)
                # The time limit is for events that never come, as when Argilla was restarted.
                answered.wait(every)
        show(result)


if __name__ == "__main__":
    run(main)
