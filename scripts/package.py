"""A trained pipeline -> a wheel with its encoder, with a version that rises by itself."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.shipping.release import (
    choose_version,
    fingerprint,
    package_name,
    read_meta,
    releases,
)


def main(
    model: Annotated[Path, typer.Argument(help="Folder that `train` wrote")],
    packages: Annotated[Path, typer.Argument(help="Folder of all packages", file_okay=False)],
    name: Annotated[str, typer.Option(help="Name, without the language")] = "textcat",
    version: Annotated[str, typer.Option(help="'': above what was released before")] = "",
) -> None:
    """Build a pip-installable package of the pipeline; one that is there already is not built
    again."""
    meta, mark = read_meta(model), fingerprint(model)
    meta |= {"name": name, "fingerprint": mark}
    full_name = package_name(meta["lang"], name)
    number, why = choose_version(meta, mark, full_name, packages, version.strip())
    msg.text(f"{full_name} {number}: {why}")
    from scripts.shipping.package import build

    same = [one for one in releases(packages) if (one.name, one.version) == (full_name, number)]
    wheel = (same[0].wheel if same else None) or build(model, meta, number, packages)
    msg.good(f"{wheel} ({wheel.stat().st_size / 1e6:.0f} MB)")


if __name__ == "__main__":
    run(main)
