"""Show how to sign in to the embedded Argilla server."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.argilla_server import manage
from scripts.argilla_server.files import CREDENTIALS
from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError


def main(
    home: Annotated[Path, typer.Option(help="Folder with the server's data")] = Path(".argilla"),
) -> None:
    """Show the address, the user name, the password and the API key of the embedded server."""
    found = manage.read_credentials(home)
    if found is None:
        raise ProjectError(
            f"There is no account in {home / CREDENTIALS} yet.",
            "Start the server, which makes one: weasel run argilla-start",
        )
    msg.text(f"Address:   {found.api_url}")
    msg.text(f"User name: {found.username}")
    msg.text(f"Password:  {found.password}")
    msg.text(f"API key:   {found.api_key}")


if __name__ == "__main__":
    run(main)
