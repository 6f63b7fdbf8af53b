"""Copy the data sets of a workspace to another Argilla server, with all that people said."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run, split_overrides
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.cli.words import count
from scripts.loop.settings import load_settings


def main(
    ctx: typer.Context,
    datasets: Annotated[list[str] | None, typer.Argument(help="Data sets; none: all")] = None,
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    url: Annotated[str, typer.Option(envvar="ARGILLA_TARGET_URL", help="Of the other server")] = "",
    key: Annotated[
        str,
        typer.Option(
            envvar="ARGILLA_TARGET_KEY", show_envvar=True, help="API key of an owner there"
        ),
    ] = "",
    passwords: Annotated[
        Path | None, typer.Option(help="File for the passwords of users that are made there")
    ] = None,
) -> None:
    """Copy settings, records, suggestions, vectors and answers with their users, and compare the
    counts. Nothing is changed here; what is there already is not copied again."""
    names, overrides = split_overrides(datasets)
    settings = load_settings(config, [*overrides, *ctx.args])
    if not url or not key:
        raise ProjectError(
            "Where to? The other Argilla server has an address and an API key.",
            "Set ARGILLA_TARGET_URL and ARGILLA_TARGET_KEY (of an owner there) and run it again.",
        )
    from scripts.loop.found import check_taken
    from scripts.records.client import argilla_client, other_client
    from scripts.records.move import chosen, move, move_users, target_workspace
    from scripts.records.schema import find

    with argilla_client(settings.paths.argilla) as source, other_client(url, key) as target:
        workspace, _ = find(source, settings.argilla)
        found = chosen(source, workspace, names)
        for each in found:
            check_taken(source, settings.argilla.model_copy(update={"dataset": each["name"]}))
        there = target_workspace(source, target, settings.argilla.workspace)
        made = move_users(source, workspace, found, target, there, passwords)
        moved = [move(source, dataset, target, there) for dataset in found]
    for one in moved:
        print(f"{one.name}: {one.url}")
        for what, number in sorted(one.counts.items()):
            msg.text(f"- {what}: {number}")
        if one.empty_drafts:
            drafts = count(one.empty_drafts, "draft")
            msg.info(f"{drafts} without a choice left out: Argilla takes none")
        if one.missing:
            msg.warn("The other server differs", "\n".join(one.missing))
    if made:
        where = f"their passwords are in {passwords}" if passwords else "random passwords"
        msg.info(f"Users made there ({where}): {', '.join(made)}")
    if any(one.missing for one in moved):
        raise ProjectError(
            "Not all is the same on both servers.",
            "Was somebody labelling? Then run the same command again: what is missing is copied.",
        )
    msg.good(f"{count(len(moved), 'data set')} there too, the counts are the same. To go on there:")
    print(f"export ARGILLA_API_URL={url}\nexport ARGILLA_API_KEY=...   # the key given just now")


if __name__ == "__main__":
    run(main)
