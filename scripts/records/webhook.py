"""Hearing of answers: by Argilla's webhooks, or by asking it now and then."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import argilla as rg
import httpx
import uvicorn
from argilla.webhooks import WebhookHandler
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from standardwebhooks.webhooks import WebhookVerificationError

from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.records.client import plain_messages
from scripts.records.dataset import LoopDataset
from scripts.records.pool_dataset import said_in_pool

EVENTS = ["response.created", "response.updated", "response.deleted"]
PATH = "/answered"


@contextmanager
def listening(dataset: LoopDataset, host: str, port: int) -> Iterator[threading.Event]:
    """An event that is set whenever somebody answers, by a webhook of Argilla.

    The webhook is removed afterwards, and those that earlier runs could not remove are removed
    before. What does not carry the signature of the webhook is refused. host, port: Where Argilla
    reaches this machine.

    RAISES (ProjectError): The port is taken, or another process listens for this data set.
    """
    answered = threading.Event()

    async def on_answer(event: object) -> None:
        # Which data set it was the event does not say: whoever waits finds out, and it is cheap.
        answered.set()

    description = _description(f"{dataset.settings.workspace}/{dataset.dataset.name}")
    # Earlier versions did not say the workspace; one that runs may be at work on another's.
    remove_stale(dataset.client, description, _description(str(dataset.dataset.name)))
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
        app.exception_handler(WebhookVerificationError)(_not_from_argilla)
        # Without a lifespan, which it would report as cut short.
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([ours],), daemon=True)
        thread.start()
        try:
            yield answered
        finally:
            server.should_exit = server.force_exit = True  # others may keep connections open
            thread.join()
            _remove(webhook, dataset.client)


@contextmanager
def polling(dataset: LoopDataset, seconds: float) -> Iterator[threading.Event]:
    """The same by asking Argilla every so many seconds."""
    answered, end = threading.Event(), threading.Event()

    def ask() -> None:
        before = -1
        while not end.wait(seconds):
            with suppress(ProjectError), plain_messages(str(dataset.client.api_url)):
                now = dataset.said() + said_in_pool(dataset)
                if now != before:
                    answered.set()
                before = now

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield answered
    finally:
        end.set()
        thread.join(1)


def _description(dataset: str) -> str:
    return f"active learning of {dataset}"


def _not_from_argilla(request: object, error: Exception) -> PlainTextResponse:
    return PlainTextResponse(f"not signed by Argilla: {error}", 401)


def _remove(webhook: rg.Webhook, client: rg.Argilla) -> None:
    url = f"{str(client.api_url).rstrip('/')}/api/v1/webhooks/{webhook.id}"
    try:
        # By a connection of its own: Ctrl+C may have cut the client's in the middle of a request.
        removed = httpx.delete(url, headers=client.http_client.headers, timeout=10).is_success
    except httpx.TransportError:
        removed = False
    if not removed:
        msg.warn("The webhook stays on the server until the next `weasel run live`.")


def remove_stale(client: rg.Argilla, *descriptions: str) -> None:
    """Remove the webhooks of these descriptions that nobody listens to any more: those of runs that
    lost their server, or were killed.

    RAISES (ProjectError): Somebody listens to one.
    """
    for webhook in client.webhooks:
        if webhook.description in descriptions:
            used = _in_use(webhook.url, webhook.description)
            if used is None:  # perhaps behind a firewall that lets only Argilla through
                continue
            if used:
                raise ProjectError(
                    f"Another `weasel run live` works on this data set, at {webhook.url}.",
                    "Leave it to it, or end it first: Ctrl+C where it runs.",
                )
            webhook.delete()
            msg.info(f"Removed a webhook that an earlier run left behind: {webhook.url}")


def _in_use(url: str, description: str) -> bool | None:
    try:
        # Not through a proxy: Argilla reaches it without one.
        reply = httpx.get(url, timeout=3, trust_env=False)
    except httpx.TimeoutException:
        return None
    except httpx.TransportError:
        return False
    return description in reply.text
