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
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scripts.argilla_server.files import CREDENTIALS, DATABASE, READY
from scripts.argilla_server.lifeline import watch
from scripts.argilla_server.serve import HOPELESS
from scripts.argilla_server.server_app import import_app

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


def main() -> None:
    listening = socket.socket(fileno=int(sys.argv[1]))
    watch(int(sys.argv[2]))
    app = import_app()
    from scripts.argilla_server.prepare import ensure_user, prepare_database

    cache_validators()
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
