"""Look at the embedded Argilla server."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.argilla_server import manage
from scripts.argilla_server.database import LITTLE_FREE, free_space, stored
from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.words import size

STOPPED = 3  # as service managers have it
UNHEALTHY = 1


def main(
    home: Annotated[Path, typer.Option(help="Folder with the server's data")] = Path(".argilla"),
) -> None:
    """Say whether the server runs: exit code 0 if so, 3 if stopped, 1 if it does not answer."""
    status = manage.status(home)
    free = free_space(home)
    if free < LITTLE_FREE:
        msg.warn(f"The disk of {home} is nearly full: {size(free)} are free")
    if status.state == "running":
        msg.good(f"Argilla runs on {status.url} (process {status.pid}); {stored(home)}")
    elif status.state == "stopped":
        msg.info("Argilla is stopped")
        raise typer.Exit(STOPPED)
    else:
        msg.warn(f"Argilla runs (process {status.pid}) but does not answer on {status.url}")
        raise typer.Exit(UNHEALTHY)


if __name__ == "__main__":
    run(main)
