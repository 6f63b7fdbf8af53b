"""Prove that the exported pipeline works by itself: a new environment, no torch, no network."""

import json
import sys
import tempfile
import venv
from pathlib import Path
from typing import Annotated

import srsly
import typer
from wasabi import msg

from scripts.errors import ProjectError, output_of, run

# Runs in the new environment. An audit hook sees every connection, also those of C code that asks
# through Python's socket module, and refuses it.
PROBE = """
import importlib.metadata, json, sys, time
started = time.perf_counter()

def offline(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        raise RuntimeError("the pipeline asked for the network")

sys.addaudithook(offline)
import spacy
name, text = sys.argv[1:]
cats = spacy.load(name)(text).cats
print(json.dumps({
    "cats": cats,
    "seconds": round(time.perf_counter() - started, 2),
    "installed": sorted(d.metadata["Name"].lower() for d in importlib.metadata.distributions()),
}))
"""
# What training needs and a deployed pipeline must not.
UNWANTED = {"torch", "transformers", "sentence-transformers", "classy-classification"} | {
    "scikit-learn",
    "pandas",
    "argilla",
}


def find_wheel(packages: Path) -> Path:
    """The newest wheel under the folder. RAISES (ProjectError): There is none."""
    wheels = sorted(packages.glob("*/dist/*.whl"), key=lambda path: path.stat().st_mtime)
    if not wheels:
        raise ProjectError(f"There is no wheel in {packages}.", "Make it: weasel run package")
    return wheels[-1]


def install(wheel: Path, env: Path) -> Path:
    """A new environment with the wheel and what it requires. RETURNS: Its Python."""
    venv.create(env, with_pip=True)
    python = env / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    output_of([*pip, str(wheel)], f"{wheel.name} cannot be installed.")
    return python


def probe(python: Path, name: str, text: str) -> dict[str, object]:
    """Load the installed pipeline with the network off and classify one text."""
    # An empty working folder, so that nothing of this project can be imported by accident.
    with tempfile.TemporaryDirectory() as empty:
        command = [str(python), "-I", "-c", PROBE, name, text]
        output = output_of(command, f"The installed {name} does not run.", cwd=empty)
    return dict(json.loads(output.splitlines()[-1]))


def main(
    packages: Annotated[Path, typer.Argument(help="Folder that `package` wrote")],
    corpus: Annotated[Path, typer.Argument(help="Folder with pool.jsonl, for a text")],
) -> None:
    """Install the wheel in a new environment and classify a text with the network off."""
    wheel = find_wheel(packages)
    text = next(iter(srsly.read_jsonl(corpus / "pool.jsonl")))["text"]
    with tempfile.TemporaryDirectory() as folder:
        msg.text(f"Installing {wheel.name} in a new environment ...")
        python = install(wheel, Path(folder) / "env")
        result = probe(python, wheel.name.split("-")[0], text)
    installed = set(result["installed"])  # type: ignore[call-overload]
    if installed & UNWANTED:
        raise ProjectError(
            f"The package pulls in {', '.join(sorted(installed & UNWANTED))}.",
            "A deployed pipeline needs spaCy, ONNX Runtime, tokenizers and NumPy alone.",
        )
    size = wheel.stat().st_size / 1e6
    msg.good(f"{wheel} ({size:.0f} MB) works in a new environment, without torch, offline")
    # Not through wasabi, which would wrap the lines.
    print(f"nlp({text[:60]!r} ...).cats")
    print(json.dumps(result["cats"], indent=2, ensure_ascii=False))
    msg.text(f"From start to first answer: {result['seconds']} s (importing spaCy included)")
    msg.text(f"pip install {wheel}")


if __name__ == "__main__":
    run(main)
