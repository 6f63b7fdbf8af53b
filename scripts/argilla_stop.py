"""Stop the embedded Argilla server."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.argilla_server import manage
from scripts.cli.app import run
from scripts.cli.console import msg


def main(
    home: Annotated[Path, typer.Option(help="Folder with the server's data")] = Path(".argilla"),
) -> None:
    """Stop the server and wait until it is gone."""
    try:
        stopped = manage.stop(home)
    except manage.ServerError as error:
        msg.fail("Argilla is still running", str(error), exits=1)
    msg.good("Argilla is stopped" if stopped else "Argilla was not running")


if __name__ == "__main__":
    run(main)
