"""Connecting to Argilla: the embedded server by default, any other by two environment variables."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import argilla as rg
import httpx
from argilla._exceptions import (
    ArgillaCredentialsError,
    ArgillaError,
    ForbiddenError,
    UnauthorizedError,
)

from scripts.argilla_server.manage import read_credentials
from scripts.cli.errors import ProjectError


def credentials(home: Path) -> tuple[str, str]:
    """The server's URL and API key: ARGILLA_API_URL and ARGILLA_API_KEY, or the embedded server's.

    RAISES (ProjectError): Neither is there.
    """
    url, key = os.environ.get("ARGILLA_API_URL"), os.environ.get("ARGILLA_API_KEY")
    if url and key:
        return url, key
    if url or key:
        raise ProjectError(
            "ARGILLA_API_URL and ARGILLA_API_KEY belong together; only one of them is set.",
            "Set both for a server of your own, or none for the embedded one.",
        )
    found = read_credentials(home)
    if found is None:
        raise ProjectError(
            "There is no Argilla server to talk to.",
            "Start the embedded one with `weasel run argilla-start`, or set ARGILLA_API_URL and "
            "ARGILLA_API_KEY to use another.",
        )
    return found.api_url, found.api_key


@contextmanager
def argilla_client(home: Path) -> Iterator[rg.Argilla]:
    """A client; whatever goes wrong between here and the server becomes a plain message.

    RAISES (ProjectError): No server, a wrong key, or a right that the key does not have.
    """
    url, key = credentials(home)
    try:
        yield rg.Argilla(api_url=url, api_key=key)
    except (UnauthorizedError, ArgillaCredentialsError):
        raise ProjectError(
            f"Argilla at {url} does not know this API key.",
            "Check ARGILLA_API_KEY (in Argilla: My settings), or unset it to use the embedded "
            "server.",
        ) from None
    except ForbiddenError as err:
        raise ProjectError(
            f"Argilla at {url} does not allow this with the given API key.",
            f"{err}\nThe loop creates data sets, records and users: use an owner's key.",
        ) from None
    except (httpx.TransportError, httpx.InvalidURL) as err:
        raise ProjectError(
            f"No Argilla server answers at {url}.",
            f"{err}\nStart the embedded one with `weasel run argilla-start`. Labels that were "
            "submitted are kept; run the same command again to go on.",
        ) from None
    except ArgillaError as err:
        raise ProjectError(f"Argilla at {url} refused a request.", str(err)) from None
