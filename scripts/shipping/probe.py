"""Prove that the exported pipeline works by itself: a new environment, no torch, no network."""

import json
import sys
import tempfile
import venv
from pathlib import Path

from scripts.cli.errors import output_of

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
