"""What a command imports: nothing that takes seconds, where it has nothing to compute."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import srsly

from scripts.loop.annotate import annotate
from scripts.loop.settings import Settings
from scripts.loop.step import step
from tests.loop_fixtures import opened

ROOT = Path(__file__).parent.parent
SPACY = {"spacy", "torch", "sklearn", "scipy", "onnxruntime", "classy_classification"}
# Of what spaCy and classy would import, what no step uses.
UNUSED = {"spacy_transformers", "transformers", "sentence_transformers"}
ALL = SPACY | {"argilla", "datasets", "transformers", "cleanlab"}
RUN = """
import runpy, sys
module, *sys.argv[1:] = sys.argv[1:]
try:
    runpy.run_module(module, run_name="__main__", alter_sys=True)
finally:
    print("\\nIMPORTED", *sorted({name.partition(".")[0] for name in sys.modules}))
"""
COMMANDS = [
    command["script"][0].split()[2]
    for command in srsly.read_yaml(ROOT / "project.yml")["commands"]
    if " scripts." in command["script"][0]
]


def run(*arguments: str) -> tuple[str, set[str]]:
    """What a command says, and the packages that it imports."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    said, found, imported = done.stdout.rpartition("\nIMPORTED")
    assert found, done.stderr
    return said, set(imported.split())


@pytest.mark.parametrize("module", COMMANDS)
def test_help_comes_at_once(module: str) -> None:
    said, imported = run(module, "--help")
    assert "Usage:" in said
    assert not imported & ALL


@pytest.mark.parametrize(
    ("module", "arguments", "words"),
    [
        ("scripts.step", ["--loop.bach_size", "5"], "Did you mean loop.batch_size?"),
        ("scripts.review", ["--test_size", "5"], "no option --test_size"),
        ("scripts.step", ["--paths.corpus", "nowhere"], "There is no nowhere"),
        ("scripts.train", ["nowhere.spacy", "model"], "There is no"),
    ],
)
def test_wrong_input_is_named_at_once(module: str, arguments: list[str], words: str) -> None:
    said, imported = run(module, *arguments)
    assert words in said
    assert not imported & ALL


def test_a_step_with_nothing_to_do_computes_nothing(
    settings: Callable[..., Settings], overrides: list[str]
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        step(*loop, chosen)
        said, imported = run("scripts.step", *overrides)
        assert "6 records to be answered" in said
        assert loop[0].url in said
        assert not imported & SPACY

        annotate(loop[0], gold, list(loop[1].labels))
        said, imported = run("scripts.step", *overrides, "--loop.budget", "6")
        assert "budget of 6 answers is spent" in said
        assert not imported & SPACY

        said, imported = run("scripts.step", *overrides)
        assert "classy_classification" in imported
        assert not imported & UNUSED
