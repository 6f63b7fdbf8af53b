"""Argilla's webhooks: an event whenever somebody answers."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import argilla as rg
import httpx
import uvicorn
from argilla.webhooks import WebhookHandler
from fastapi import FastAPI

from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.records.client import ServerAway, answers_now, plain_messages
from scripts.records.dataset import LoopDataset

EVENTS = ["response.created", "response.updated", "response.deleted"]
PATH = "/answered"
LOOK = 2.0  # seconds after which a server that is away, or back, is noticed


@contextmanager
def listening(dataset: LoopDataset, host: str, port: int) -> Iterator[threading.Event]:
    """An event that is set whenever somebody answers, by a webhook of Argilla.

    The webhook is removed afterwards, and those that earlier runs could not remove are removed
    before. host, port: Where Argilla reaches this machine.
    """
    answered = threading.Event()

    async def on_answer(event: object) -> None:
        # Which data set it was the event does not say: a step finds out, and it is cheap.
        answered.set()

    description = f"active learning of {dataset.dataset.name}"
    remove_stale(dataset.client, description)
    with socket.socket() as ours:
        # Before there is a webhook, so that none is ever without its listener.
        try:
            ours.bind((host, port))  # port 0: any free one
        except OSError as err:
            raise ProjectError(
                f"Cannot listen on {host}, port {port}: {err.strerror}.",
                "Leave --port out for any free one; --host is an address of this machine.",
            ) from None
        ours.listen()
        webhook = rg.Webhook(
            url=f"http://{host}:{ours.getsockname()[1]}{PATH}",
            events=EVENTS,
            description=description,
        ).create()
        app = FastAPI()
        app.post(PATH)(WebhookHandler(webhook).handle(on_answer, raw_event=True))
        app.get(PATH)(lambda: description)  # what tells a webhook in use from a stale one
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([ours],), daemon=True)
        thread.start()
        try:
            yield answered
        finally:
            server.should_exit = True
            thread.join()
            _remove(webhook, dataset.client)


def _remove(webhook: rg.Webhook, client: rg.Argilla) -> None:
    try:
        with plain_messages(str(client.api_url)):
            webhook.delete()
    except ServerAway:
        msg.warn("The webhook stays on the server until the next `weasel run live`.")


def remove_stale(client: rg.Argilla, description: str) -> None:
    """Remove the webhooks of this description that nobody listens to any more: those of runs that
    lost their server, or were killed."""
    for webhook in client.webhooks:
        if webhook.description == description and not _in_use(webhook.url, description):
            webhook.delete()
            msg.info(f"Removed a webhook that an earlier run left behind: {webhook.url}")


def _in_use(url: str, description: str) -> bool:
    try:
        # Not through a proxy: Argilla reaches it without one.
        reply = httpx.get(url, timeout=3, trust_env=False)
    except httpx.TimeoutException:
        return True  # perhaps behind a firewall that lets only Argilla through
    except httpx.TransportError:
        return False
    return description in reply.text


def wait(dataset: LoopDataset, answered: threading.Event, seconds: float) -> None:
    """Wait until somebody answers, and at most so many seconds; longer while the server is away,
    which is said at once, as is that it is back."""
    end, url = time.monotonic() + seconds, str(dataset.client.api_url)
    while answers_now(url):
        left = end - time.monotonic()
        if left <= 0 or answered.wait(min(LOOK, left)):
            return
    msg.warn(f"Argilla at {url} does not answer. Waiting for it; Ctrl+C ends this.")
    while not answers_now(url):
        time.sleep(LOOK)
    msg.good(f"Argilla at {url} answers again")
