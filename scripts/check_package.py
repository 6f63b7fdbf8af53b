"""Prove that the exported pipeline works by itself: a new environment, no torch, no network."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.cli.words import size
from scripts.data.corpus import read_pool
from scripts.shipping.probe import UNWANTED, install, probe
from scripts.shipping.release import package_name, wheel_of


def main(
    model: Annotated[Path, typer.Argument(help="Folder that `train` wrote")],
    packages: Annotated[Path, typer.Argument(help="Folder that `package` wrote")],
    corpus: Annotated[Path, typer.Argument(help="Folder with pool.jsonl, for a text")],
) -> None:
    """Install the pipeline's wheel in a new environment and classify a text without network."""
    meta, wheel = wheel_of(model, packages)
    text = read_pool(corpus).texts[0]
    with tempfile.TemporaryDirectory() as folder:
        msg.text(f"Installing {wheel.name} in a new environment ...")
        python = install(wheel, Path(folder) / "env")
        result = probe(python, package_name(meta["lang"], meta["name"]), text)
    installed = set(result["installed"])  # type: ignore[call-overload]
    if installed & UNWANTED:
        raise ProjectError(
            f"The package pulls in {', '.join(sorted(installed & UNWANTED))}.",
            "A deployed pipeline needs spaCy, ONNX Runtime, tokenizers and NumPy alone.",
        )
    msg.good(
        f"{wheel} ({size(wheel.stat().st_size)}) works in a new environment, without torch, offline"
    )
    print(f"nlp({text[:60]!r} ...).cats")
    print(json.dumps(result["cats"], indent=2, ensure_ascii=False))
    msg.text(f"From start to first answer: {result['seconds']} s (importing spaCy included)")
    msg.text(f"pip install {wheel}")


if __name__ == "__main__":
    run(main)
