"""Measurements against classy-classification as it comes. Tables go to the screen as markdown and
to metrics/ as CSV."""

import signal

import typer

from scripts.benchmarks import loop_commands, model_commands, scale_commands
from scripts.cli.errors import plain_errors

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
for command in (*model_commands.COMMANDS, *loop_commands.COMMANDS, *scale_commands.COMMANDS):
    app.command()(command)


@app.callback()
def benchmark() -> None:
    """Measure the components against classy-classification as it comes."""


if __name__ == "__main__":
    # Whoever ends it, `timeout` for one, leaves nothing in Argilla.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with plain_errors():
        app()
