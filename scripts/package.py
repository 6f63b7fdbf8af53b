"""A trained pipeline -> a wheel with its encoder, with a version that rises by itself."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.words import size
from scripts.shipping.facts import gather
from scripts.shipping.release import choose_version, package_name, releases


def main(
    model: Annotated[Path, typer.Argument(help="Folder that `train` or `distil` wrote")],
    packages: Annotated[Path, typer.Argument(help="Folder of all packages", file_okay=False)],
    name: Annotated[str, typer.Option(help="Name, with or without the language")] = "textcat",
    version: Annotated[str, typer.Option(help="'': above what was released before")] = "",
    metrics: Annotated[Path, typer.Option(help="File of `evaluate`")] = Path("metrics/test.json"),
    promise: Annotated[Path, typer.Option(help="File of `finish`")] = Path("reports/promise.json"),
    meta: Annotated[
        list[str] | None, typer.Option(help="author=..., email, url, license or description")
    ] = None,
) -> None:
    """Build a pip-installable package of the pipeline; one that is there already is not built
    again."""
    said = gather(model, meta or [], metrics, promise)
    said["name"] = name.removeprefix(f"{said['lang']}_")  # spaCy puts it before the name itself
    full_name = package_name(said["lang"], said["name"])
    number, why = choose_version(said, full_name, packages, version.strip())
    msg.text(f"{full_name} {number}: {why}")
    from scripts.shipping.package import build

    same = [one for one in releases(packages) if (one.name, one.version) == (full_name, number)]
    wheel = (same[0].wheel if same else None) or build(model, said, number, packages)
    msg.good(f"{wheel} ({size(wheel.stat().st_size)})")


if __name__ == "__main__":
    run(main)
