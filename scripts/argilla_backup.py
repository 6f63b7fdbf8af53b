"""Back up the embedded Argilla server."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.argilla_server.backup import back_up, restore_command
from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.words import size


def main(
    home: Annotated[Path, typer.Option(help="Folder with the server's data")] = Path(".argilla"),
    path: Annotated[str, typer.Option(help="File to write; default: backups/NAME-DATE.db")] = "",
) -> None:
    """Write a backup into one file that its owner alone can read; the server may run."""
    written, content = back_up(home, Path(path) if path else None)
    msg.good(f"{written} ({size(written.stat().st_size)}): {content}")
    msg.text(f"To restore it: {restore_command(written)}")


if __name__ == "__main__":
    run(main)
