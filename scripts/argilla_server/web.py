"""Argilla's API and web page, with our search engine; one of the processes `serve.py` keeps.

Runs in the server's environment as `python -m scripts.argilla_server.web`, with the settings in
environment variables (see `serve.environment`) and the data folder as its working directory.
"""

import functools
import json
import socket
import sqlite3
import sys
from pathlib import Path

import uvicorn
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scripts.argilla_server.files import CREDENTIALS, DATABASE, READY
from scripts.argilla_server.lifeline import watch
from scripts.argilla_server.serve import HOPELESS
from scripts.argilla_server.server_app import import_app

DISK_FULL = (
    "NOT SAVED: the disk of the Argilla server is full. This record stays pending and comes again: "
    "free some space, then reload the page."
)
PAGE_POLICY = "style-src 'self' 'unsafe-inline'; font-src 'self' data:"


def cache_validators() -> None:
    """Build the validators of settings once, and not again for every value that is logged.

    That is 1 ms for a suggestion and 0.6 ms for a metadata value, a quarter of the whole time.
    """
    from argilla_server.models import database

    database.TypeAdapter = functools.lru_cache(database.TypeAdapter)


def without_foreign_fonts(app: ASGIApp) -> ASGIApp:
    """Keep the page from asking Google for fonts: it looks alike without, and stays private."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = PAGE_POLICY
            await send(message)

        is_page = scope["type"] == "http" and not scope["path"].startswith("/api")
        await app(scope, receive, send_with_policy if is_page else send)

    return answer


def say_when_the_disk_is_full() -> None:
    """Answer a write for which there is no room with 507 and a text that the page shows.

    Argilla's own answer is 500, for which its page says "try again later". Nothing was written.
    """
    from argilla_server.api.routes import api_v1
    from argilla_server.errors.error_handler import APIErrorHandler

    @api_v1.exception_handler(OperationalError)
    async def full(request: Request, error: OperationalError) -> Response:
        if "full" not in str(error.orig):
            return await APIErrorHandler.common_exception_handler(request, error)
        return JSONResponse({"detail": DISK_FULL}, status_code=507)


def main() -> None:
    listening = socket.socket(fileno=int(sys.argv[1]))
    watch(int(sys.argv[2]))
    app = import_app()
    from scripts.argilla_server.prepare import ensure_user, prepare_database

    cache_validators()
    say_when_the_disk_is_full()
    try:
        prepare_database(Path(DATABASE))
    except (sqlite3.DatabaseError, CommandError) as error:
        print(f"The database {Path(DATABASE).resolve()} cannot be used: {error}", flush=True)
        sys.exit(HOPELESS)
    ensure_user(json.loads(Path(CREDENTIALS).read_text(encoding="utf8")))
    Path(READY).touch()
    config = uvicorn.Config(
        without_foreign_fonts(app), access_log=False, timeout_graceful_shutdown=5
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
