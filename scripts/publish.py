"""The package of the pipeline -> the Hugging Face hub, as `spacy huggingface-hub push` does it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.data.hub import check_push, push, pushed_files
from scripts.shipping.release import package_name, wheel_of

YesNo = Literal["true", "false"]


def main(
    model: Annotated[Path, typer.Argument(help="Folder that `train` wrote")],
    packages: Annotated[Path, typer.Argument(help="Folder that `package` wrote")],
    owner: Annotated[str, typer.Option(help="User or organisation; '': the token's user")] = "",
    private: Annotated[YesNo, typer.Option(help="Who sees it", case_sensitive=False)] = "true",
    dry_run: Annotated[YesNo, typer.Option(help="Push nothing", case_sensitive=False)] = "true",
) -> None:
    """Write the package's repository to PACKAGES/hub and, unless it is a dry run, push it."""
    meta, wheel = wheel_of(model, packages)
    name = package_name(meta["lang"], meta["name"])
    name = f"{owner.strip()}/{name}" if owner.strip() else name
    check_push(name, dry_run == "true", "model")
    from scripts.shipping.hub import write_repository  # which imports spaCy

    repository = write_repository(wheel, meta, packages / "hub")
    who = "private" if private == "true" else "public"
    if dry_run == "true":
        msg.info(f"Would be pushed to the {who} model '{name}' on the hub; nothing was pushed:")
        for path, size in pushed_files(repository, "model"):
            msg.text(f"{size:>12,} bytes  {path}")
        msg.good(f"{repository}: as it would be there")
        msg.text("To push it: weasel run publish . --vars.publish_dry_run false")
        return
    url = push(repository, name, private == "true", "model")
    msg.good(f"Pushed to the {who} model {url}")
    msg.text(f"pip install {url}/resolve/main/{wheel.name}")


if __name__ == "__main__":
    run(main)
