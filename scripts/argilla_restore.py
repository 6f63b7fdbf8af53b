"""Restore a backup of the embedded Argilla server."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.argilla_server import backup, manage
from scripts.argilla_server.files import backup_folder, start_command
from scripts.argilla_server.restore import look_at, restore
from scripts.cli.app import agree, run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError


def main(
    path: Annotated[str, typer.Argument(help="Backup; default: the newest in backups/")] = "",
    home: Annotated[Path, typer.Option(help="Folder with the server's data")] = Path(".argilla"),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
) -> None:
    """Check a backup and put it in the place of the database, after asking. The database that was
    there is kept as a backup; a server that runs is stopped, and started again."""
    chosen = Path(path) if path else backup.newest(home)
    if chosen is None:
        raise ProjectError(
            f"There is no backup in {backup_folder(home)}.",
            "Give the path of one: weasel run argilla-restore . --vars.backup FILE",
        )
    msg.info(f"{chosen}: {look_at(chosen, home)}")
    port = manage.running_port(home)
    if not yes:
        stop = "The server is stopped and started again. " if port is not None else ""
        agree(
            f"{stop}Replace the database by this backup?",
            "python -m scripts.argilla_restore FILE --yes",
        )
    if port is not None:
        manage.stop(home)
    restored, kept = restore(chosen, home)
    msg.good(f"Restored {chosen}: {restored.content}")
    if kept is not None:
        msg.text(f"What was there before: {kept}")
    if port is not None:
        msg.good(f"Argilla runs again on {manage.start(home, port).api_url}")
    else:
        credentials = manage.read_credentials(home)
        url = credentials.api_url if credentials else ""
        msg.text(f"Start the server: {start_command(url)}")


if __name__ == "__main__":
    run(main)
