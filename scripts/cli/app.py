"""One function as a command line."""

import inspect
import os
import sys
from collections.abc import Callable, Sequence

import typer

from scripts.cli.errors import ProjectError, plain_errors
from scripts.cli.weasel_vars import check_vars

# Where the output is no terminal there are no progress bars. The libraries read this when they are
# imported, which they are when a command needs them.
if not sys.stderr.isatty():
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")


def split_overrides(words: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """The words of a command, and the overrides of the settings file that follow them."""
    found = list(words or ())
    end = next((i for i, word in enumerate(found) if word.startswith("--")), len(found))
    return found[:end], found[end:]


def agree(question: str, otherwise: str) -> None:
    """Ask whoever is there.

    otherwise: What to do where nobody is.
    RAISES (ProjectError): Whoever is asked does not agree, or nobody is there.
    """
    try:
        agreed = typer.confirm(question, default=False)
    except typer.Abort:
        agreed = False
        print()
    if not agreed:
        raise ProjectError("Nothing was changed.", f"In a script: {otherwise}")


def run(command: Callable[..., None]) -> None:
    """Run one function as a typer command line with plain errors.

    A command with a typer.Context passes what it does not know (`ctx.args`) to `load_settings`, as
    overrides of the settings file, which names those that are no settings. All others know their
    options, and refuse the rest.
    """
    kinds = [parameter.annotation for parameter in inspect.signature(command).parameters.values()]
    extra = typer.Context in kinds
    # No markup: rich would cut paths and options to fit a box.
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    # Inside, as typer leaves on Ctrl+C without a word.
    app.command(context_settings={"allow_extra_args": extra, "ignore_unknown_options": extra})(
        plain_errors()(command)
    )
    with plain_errors():
        check_vars()
        app()
