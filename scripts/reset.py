"""Start the loop anew: delete its data set in Argilla, after asking."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.cli.words import count
from scripts.loop.settings import load_settings


def main(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    keep: Annotated[bool, typer.Option(help="Write its labels to a file first")] = True,
) -> None:
    """Delete the loop's data set in Argilla. Its labels are written to a file before, and can be
    put back with `weasel run seed`."""
    settings = load_settings(config, ctx.args)
    from scripts.loop.lease import lease
    from scripts.loop.reset import backup, everything
    from scripts.records.client import argilla_client
    from scripts.records.dataset import BOT
    from scripts.records.pool_dataset import find_pool

    name, corpus = settings.argilla.dataset, settings.paths.corpus
    with argilla_client(settings.paths.argilla) as client:
        dataset, answers = everything(client, settings.argilla)
        pool = find_pool(dataset)
        votes = [vote.user for answer in answers for vote in answer.votes]
        msg.warn(
            f"This deletes the data set '{name}' at {client.api_url}: "
            f"{count(len(answers), 'record')}, {count(len(votes) - votes.count(BOT), 'answer')} by "
            f"people, {votes.count(BOT)} by machine. It cannot be undone."
            + (f" Its pool to browse, '{pool.name}', goes with it." if pool else "")
        )
        if not yes:
            _ask(name)
        with lease(corpus, "reset"):
            # Again: while it asked, people went on labelling.
            dataset, answers = everything(client, settings.argilla)
            if keep and any(answer.votes for answer in answers):
                path, size = backup(answers, settings.argilla.multi_label, corpus, name)
                msg.info(f"{path}: the answers ({count(size, 'labelled text')}). To put them back:")
                print(
                    f'weasel run seed . --vars.examples "{path}" --vars.text_column text '
                    "--vars.label_column label"
                )
            # The pool's first: left alone, its answers would be those of the next data set.
            if pool := find_pool(dataset):
                pool.delete()
            dataset.dataset.delete()
    msg.good(f"Deleted '{name}'. The next `weasel run step` starts anew.")


def _ask(name: str) -> None:
    """RAISES (ProjectError): Whoever is asked does not type the name, or nobody is there."""
    try:
        typed = typer.prompt(f"Type {name} to delete it", default="", show_default=False)
    except typer.Abort:
        typed = ""
        print()
    if typed.strip() != name:
        raise ProjectError(
            "Nothing was deleted.", "In a script: python -m scripts.reset --yes deletes unasked."
        )


if __name__ == "__main__":
    run(main)
