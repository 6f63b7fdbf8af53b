"""Data out: the labels with where they come from, for `datasets`, the hub and anything else."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.data.exported import check_folder
from scripts.data.hub import check_push
from scripts.loop.settings import load_settings


def main(
    ctx: typer.Context,
    output: Annotated[Path, typer.Argument(help="Folder to write", file_okay=False)],
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    with_open: Annotated[bool, typer.Option("--open", help="Texts never asked, too")] = False,
    anonymous: Annotated[
        bool, typer.Option("--anonymous/--names", help="annotator-1, ... or user names")
    ] = True,
    licence: Annotated[
        str, typer.Option("--license", help="For the card: cc-by-4.0, ...; none is claimed")
    ] = "",
    push: Annotated[str, typer.Option(help="Push to the hub under this name")] = "",
    private: Annotated[
        bool, typer.Option("--private/--public", help="Who may see it on the hub")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what --push would push")] = False,
) -> None:
    """Write all labels of Argilla to a folder, as Parquet, JSONL and a folder of `datasets`, with a
    dataset card. Nothing in Argilla is changed."""
    settings = load_settings(config, ctx.args)
    check_folder(output)
    if push:
        check_push(push, dry_run)
    from scripts.loop.export import export

    done = export(settings, output, with_open, anonymous, licence)
    msg.good(f"{output}: {done.counts}")
    for line in done.promised:
        msg.text(f"- {line}")
    if push:
        _push(output, push, private, dry_run)


def _push(folder: Path, name: str, private: bool, dry_run: bool) -> None:
    from scripts.data import hub

    if not dry_run:
        msg.good(f"Pushed to {hub.push(folder, name, private)}")
        return
    who = "private" if private else "public"
    msg.info(f"Would be pushed to the {who} data set '{name}' on the hub; nothing was pushed:")
    for path, size in hub.pushed_files(folder):
        msg.text(f"{size:>12,} bytes  {path}")
    print(f"\n{(folder / 'README.md').read_text(encoding='utf8')}")


if __name__ == "__main__":
    run(main)
