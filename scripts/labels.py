"""The labels: show them, and change them while people label."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import agree, run, split_overrides
from scripts.cli.console import msg
from scripts.data.corpus import read_labels
from scripts.data.label_changes import HOW, is_same, plan
from scripts.data.label_files import under_way
from scripts.loop.settings import load_settings


def main(
    ctx: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(help="A change; none: show how")] = None,
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
    description: Annotated[list[str] | None, typer.Option(help="Of a new label")] = None,
    into: Annotated[str, typer.Option(help="Of a merge: the label that they become")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
) -> None:
    """Show the labels with their texts, or change them in Argilla and in the corpus. What people
    said is kept; a change that was cut short is finished first."""
    wanted, overrides = split_overrides(words)
    settings = load_settings(config, [*overrides, *ctx.args])
    corpus = settings.paths.corpus
    from scripts.loop.labels import change_labels, effects, in_words, overview
    from scripts.loop.reset import now
    from scripts.records.client import argilla_client
    from scripts.records.convert import NONE
    from scripts.records.dataset import LoopDataset
    from scripts.records.schema import find

    with argilla_client(settings.paths.argilla) as client:
        if begun := under_way(corpus):
            msg.info(f"Finishing a change that was begun: {begun[0].said}")
            change_labels(client, settings, *begun)
        labels, several = read_labels(corpus), settings.argilla.multi_label
        if not wanted:
            there = find(client, settings.argilla)[1] is not None
            dataset = there and LoopDataset.open(client, settings.argilla, labels, dim=None)
            print(overview(labels, dataset.answers() if dataset else []))
            print("\n".join(f"python -m scripts.labels {line}" for line in HOW.splitlines()))
            return
        asked = (wanted, several, description or (), into, NONE if several else "")
        if begun and is_same(begun[0], *asked):
            return
        change = plan(labels, *asked)
        msg.text(f"{change.said}:")
        for line in in_words(effects(client, settings, change)):
            msg.text(f"- {line}")
        if not yes:
            agree("Make this change?", "--yes makes the change unasked.")
        change_labels(client, settings, change, now())


if __name__ == "__main__":
    run(main)
