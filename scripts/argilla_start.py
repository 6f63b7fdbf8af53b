"""Start the embedded Argilla server."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.argilla_server import manage
from scripts.argilla_server.files import CREDENTIALS, DEFAULT_PORT
from scripts.cli.app import run
from scripts.cli.console import msg


def main(
    home: Annotated[Path, typer.Option(help="Folder with the server's data")] = Path(".argilla"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1")] = DEFAULT_PORT,
) -> None:
    """Start the server (installing it first, if need be) and wait until it answers."""
    try:
        credentials = manage.start(home, port)
    except manage.ServerError as error:
        msg.fail("Argilla is not running", str(error), exits=1)
    msg.good(f"Argilla runs on {credentials.api_url}")
    msg.text(f"User name: {credentials.username}")
    msg.text(f"Password and API key: weasel run argilla-password (from {home / CREDENTIALS})")


if __name__ == "__main__":
    run(main)
