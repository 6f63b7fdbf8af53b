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
    NotFoundError,
    UnauthorizedError,
)

from scripts.argilla_server.files import start_command
from scripts.argilla_server.manage import read_credentials
from scripts.cli.errors import ProjectError

Client = rg.Argilla
STATUS = "/api/v1/status"


def credentials(home: Path) -> tuple[str, str]:
    """The server's URL and API key: ARGILLA_API_URL and ARGILLA_API_KEY, or the embedded server's.

    RAISES (ProjectError): Neither is there, or the key can be none.
    """
    url, key = (os.environ.get(name, "").strip() for name in ("ARGILLA_API_URL", "ARGILLA_API_KEY"))
    if url and key:
        return url, _sendable(key, "ARGILLA_API_KEY")
    if url or key:
        raise ProjectError(
            "ARGILLA_API_URL and ARGILLA_API_KEY belong together; only one of them is set.",
            "Set both for a server of your own, or none for the embedded one.",
        )
    found = read_credentials(home)
    if found is None:
        raise ProjectError(
            "There is no Argilla server to talk to.",
            "Start the embedded one: weasel run argilla-start\nOr set ARGILLA_API_URL and "
            "ARGILLA_API_KEY to use another.",
        )
    return found.api_url, found.api_key


def _sendable(key: str, variable: str) -> str:
    """The key, if it can be sent. Whatever fails to send it says in its message what the key is.

    RAISES (ProjectError): It cannot.
    """
    key = key.strip()  # a newline comes with it from many files
    if not (key and key.isascii() and key.isprintable()):
        raise ProjectError(
            f"What {variable} holds is no API key: it is empty, or has characters that none has.",
            "Copy the key again (in Argilla: My settings) and set it anew.",
        )
    return key


class ServerAway(ProjectError):
    """No server answers, or with a fault of its own, now; it may be back later."""


@contextmanager
def argilla_client(home: Path) -> Iterator[rg.Argilla]:
    """A client; whatever goes wrong between here and the server becomes a plain message.

    RAISES (ProjectError): No server, a wrong key, or a right that the key does not have.
    """
    url, key = credentials(home)
    with plain_messages(url):
        # At once, where the SDK would try for ten seconds.
        _check_is_argilla(url, "ARGILLA_API_URL", _remedy(url))
        yield rg.Argilla(api_url=url, api_key=key)


@contextmanager
def other_client(url: str, key: str) -> Iterator[rg.Argilla]:
    """A client of a second server. Only that it answers and knows the key is said here in words of
    its own: what goes wrong later may be either server's.

    RAISES (ProjectError): No server answers there, or it does not know the key.
    """
    url, key = url.strip(), _sendable(key, "ARGILLA_TARGET_KEY")
    try:
        _check_is_argilla(url, "ARGILLA_TARGET_URL", "Check ARGILLA_TARGET_URL.")
        client = rg.Argilla(api_url=url, api_key=key)
    except (httpx.HTTPError, httpx.InvalidURL) as err:
        raise ProjectError(f"No Argilla server answers at {url}.", str(err)) from None
    except (UnauthorizedError, ArgillaCredentialsError):
        raise ProjectError(
            f"Argilla at {url} does not know the API key given.", "Check ARGILLA_TARGET_KEY."
        ) from None
    yield client


@contextmanager
def plain_messages(url: str) -> Iterator[None]:
    """RAISES (ProjectError): Instead of what the SDK raises; ServerAway if no server answers."""
    try:
        yield
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
    except NotFoundError as err:
        raise ProjectError(
            f"Something that was in Argilla at {url} a moment ago is gone.",
            f"{err}\nWas a data set or a record deleted there? Run the same command again: it goes "
            "on with what is left, and makes a data set that is not there.",
        ) from None
    except (httpx.TransportError, httpx.InvalidURL) as err:
        raise ServerAway(
            f"No Argilla server answers at {url} ({err}).",
            f"{_remedy(url)}\nThen run the same command again: submitted labels are kept.",
        ) from None
    except ArgillaError as err:
        raise _refused(url, getattr(err, "status_code", 400), str(err)) from None


def _refused(url: str, code: int, details: str) -> ProjectError:
    if code >= 500:  # such as without its Redis, which is started again
        return ServerAway(
            f"Argilla at {url} has a fault of its own ({code}).",
            "Run the same command again: submitted labels are kept. If it stays, see the server's "
            f"log.\n{details[:500]}",
        )
    return ProjectError(f"Argilla at {url} refused a request.", details[:2000])


def answers_now(url: str) -> bool:
    """Whether the server answers at this moment."""
    try:
        return _ask_status(url).is_success
    except httpx.TransportError:
        return False


def _check_is_argilla(url: str, variable: str, remedy: str) -> None:
    """variable: Where the URL is set.

    RAISES (ProjectError): Something else answers, or it says that it is somewhere else; ServerAway
        if it has a fault of its own, as what stands before a server has while that is away.
    """
    reply = _ask_status(url)
    if reply.is_server_error:
        raise _refused(url, reply.status_code, reply.text)
    there = str(reply.next_request.url) if reply.next_request else ""
    # Else it leads to where people sign in.
    if there.endswith(STATUS) and "?" not in there:
        raise ProjectError(
            f"The server at {url} has moved.", f"Set {variable} to {there.removesuffix(STATUS)}"
        )
    try:
        found = reply.json()
    except ValueError:
        found = None
    if not (reply.is_success and isinstance(found, dict) and "version" in found):
        raise ProjectError(f"What answers at {url} is no Argilla server.", remedy)


def _ask_status(url: str) -> httpx.Response:
    return httpx.get(f"{url.rstrip('/')}{STATUS}", timeout=10)


def _remedy(url: str) -> str:
    if os.environ.get("ARGILLA_API_URL"):
        return "Check ARGILLA_API_URL, or unset it and ARGILLA_API_KEY to use the embedded server."
    return f"Start the embedded one: {start_command(url)}"
