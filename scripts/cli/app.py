"""One function as a command line."""

import inspect
from collections.abc import Callable

import typer

from scripts.cli.errors import plain_errors
from scripts.cli.weasel_vars import check_vars


def run(command: Callable[..., None]) -> None:
    """Run one function as a typer command line with plain errors.

    A command with a typer.Context passes what it does not know (`ctx.args`) to `load_settings`, as
    overrides of the settings file, which names those that are no settings. All others know their
    options, and refuse the rest.
    """
    kinds = [parameter.annotation for parameter in inspect.signature(command).parameters.values()]
    extra = typer.Context in kinds
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(context_settings={"allow_extra_args": extra, "ignore_unknown_options": extra})(
        command
    )
    with plain_errors():
        check_vars()
        app()
