"""Argilla's webhooks: an event whenever somebody answers."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import argilla as rg
import uvicorn
from argilla.webhooks import WebhookHandler
from fastapi import FastAPI

from scripts.records.dataset import LoopDataset

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
