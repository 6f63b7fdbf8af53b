"""Start, stop and look at the embedded Argilla server."""

from pathlib import Path

import typer
from wasabi import msg

from scripts.argilla_server import manage
from scripts.argilla_server.files import CREDENTIALS

STOPPED = 3  # as service managers have it
UNHEALTHY = 1

app = typer.Typer(help=__doc__, add_completion=False, pretty_exceptions_enable=False)

HOME = typer.Option(Path(".argilla"), "--home", help="Folder with the server's data")
PORT = typer.Option(6900, "--port", min=1, max=65535, help="Port on 127.0.0.1")


@app.command("start")
def start_cli(home: Path = HOME, port: int = PORT) -> None:
    """Start the server (installing it first, if need be) and wait until it answers."""
    try:
        credentials = manage.start(home, port)
    except manage.ServerError as error:
        msg.fail("Argilla is not running", str(error), exits=1)
    msg.good(f"Argilla runs on {credentials.api_url}")
    msg.text(f"User name: {credentials.username}")
    msg.text(f"Password and API key: in {home / CREDENTIALS}")


@app.command("stop")
def stop_cli(home: Path = HOME) -> None:
    """Stop the server and wait until it is gone."""
    try:
        stopped = manage.stop(home)
    except manage.ServerError as error:
        msg.fail("Argilla is still running", str(error), exits=1)
    msg.good("Argilla is stopped" if stopped else "Argilla was not running")


@app.command("status")
def status_cli(home: Path = HOME) -> None:
    """Say whether the server runs: exit code 0 if so, 3 if stopped, 1 if it does not answer."""
    status = manage.status(home)
    if status.state == "running":
        msg.good(f"Argilla runs on {status.url} (process {status.pid})")
    elif status.state == "stopped":
        msg.info("Argilla is stopped")
        raise typer.Exit(STOPPED)
    else:
        msg.warn(f"Argilla runs (process {status.pid}) but does not answer on {status.url}")
        raise typer.Exit(UNHEALTHY)


if __name__ == "__main__":
    app()
