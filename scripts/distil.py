"""The same labels -> a smaller, faster pipeline of spaCy's own, beside the big one in a table."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.cli.words import count
from scripts.distilling.targets import SOURCES
from scripts.loop.settings import load_settings

KINDS = ("bow", "ensemble")


def main(
    ctx: typer.Context,
    big: Annotated[Path, typer.Argument(help="Folder that `train` wrote")],
    output: Annotated[Path, typer.Argument(help="Folder of the small pipeline", file_okay=False)],
    metrics: Annotated[Path, typer.Argument(help="JSON file to write", dir_okay=False)],
    labels: Annotated[str, typer.Option(help=", ".join(SOURCES))] = "pool",
    kind: Annotated[str, typer.Option(help=", ".join(KINDS))] = "bow",
    rounds: Annotated[int, typer.Option(help="Of timing; the median counts", min=1)] = 5,
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
) -> None:
    """Train spaCy's own text categorizer on people's labels, on those of the finished data set, or
    on the big model's answers to the whole pool, and compare both models."""
    for name, value, known in (("labels", labels, SOURCES), ("config", kind, KINDS)):
        if value not in known:
            raise ProjectError(
                f"distil_{name} cannot be '{value}'.",
                f"Set --vars.distil_{name} to one of: {', '.join(known)}",
            )
    settings = load_settings(config, ctx.args)
    from scripts.distilling.compare import rows, save
    from scripts.distilling.distil import Files, distil

    result = distil(Files(big, output), labels, kind, settings, rounds)  # type: ignore[arg-type]
    save(result, metrics)
    msg.good(f"{output}: spaCy's own textcat ({kind}), from {labels}")
    on = "the test set" if "macro_f" in result["models"]["classy_textcat"] else "texts held out"
    msg.text(f"Judged on {count(result['texts'], 'text')} of {on}; speed in one run, medians")
    msg.table(rows(result)[1:], header=rows(result)[0], aligns=("l", "r", "r", "r"))
    msg.text(f"Written to {metrics} and {metrics.with_suffix('.csv')}")


if __name__ == "__main__":
    run(main)
