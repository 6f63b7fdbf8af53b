"""Connections to search with: they only read, take turns, and give up after a while."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.settings import settings
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from scripts.argilla_server import text_index

AT_ONCE = max(1, (os.cpu_count() or 1) - 1)  # one core is for everybody else
MAX_SECONDS = 5

# Connections of our own: a request that holds one of the server's and waits for a second one would
# wait for ever as soon as enough others do the same.
database = create_async_engine(settings.database_url, **settings.database_engine_args)
# Searches take turns. A write changes threads some hundred times: where searches take all cores,
# it waits for one each time, and 50 records take 8 seconds instead of one.
_turns = asyncio.Semaphore(AT_ONCE)


@asynccontextmanager
async def reading() -> AsyncIterator[AsyncConnection]:
    """A connection to search with, for a few seconds."""
    async with _turns, database.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        clock = asyncio.get_running_loop().call_later(MAX_SECONDS, driver._conn.interrupt)
        try:
            yield connection
        except OperationalError as error:
            if str(error.orig) != "interrupted":
                raise
            raise UnprocessableEntityError(
                f"The search took longer than {MAX_SECONDS} seconds; search for fewer words."
            ) from None
        finally:
            clock.cancel()


event.listen(Engine, "connect", text_index.connect)  # the server's connections as well


@event.listens_for(database.sync_engine, "connect")
def _only_read(connection: Any, record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()
