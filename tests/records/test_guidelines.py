"""Guidelines made from labels: Argilla takes 10,000 characters, and labels may need more."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.cli.errors import ProjectError
from scripts.loop.settings import Settings
from scripts.records.pool_dataset import PoolDataset
from scripts.records.questions import (
    MOST_CHARACTERS,
    MOST_OF_LABELS,
    default_guidelines,
    label_lines,
    rewrite_guidelines,
)
from tests.loop_fixtures import opened

LONG = {f"Label {i}": f"what is said of {i} and " * 20 for i in range(60)}
NAMES = {f"{i} {'x' * 190}": "" for i in range(500)}


def test_descriptions_are_shortened_where_there_is_no_room() -> None:
    few = {"a": "short", "b": "b", "c": "long " * 600}
    assert label_lines(few) == f"- **a**: short\n- **b**\n- **c**: {few['c']}"
    lines = label_lines(LONG).splitlines()
    assert len(lines) == 60
    assert lines[0].startswith("- **Label 0**: what is said of 0 and what")
    assert lines[0].endswith("...")
    one = label_lines({"a": "x" * 9_000, "b": "kept"})
    assert one.endswith("x...\n- **b**: kept")
    many = label_lines({f"label {i}": "d" * 30 for i in range(300)}).splitlines()
    assert many[0] == "- **label 0**: dddddd..."
    assert label_lines(NAMES).splitlines()[-1] == "- ... and 463 more"
    for labels in (LONG, NAMES):
        assert len(label_lines(labels)) <= MOST_OF_LABELS
        for several in (False, True):
            before = f"Ours.\n{default_guidelines(labels, several)}"
            after = rewrite_guidelines(before, labels, few, several)
            assert after == f"Ours.\n{default_guidelines(few, several)}"


@pytest.mark.parametrize("labels", [LONG, NAMES])
def test_argilla_takes_them(
    labels: dict[str, str], settings: Callable[..., Settings], tmp_path: Path
) -> None:
    corpus = shutil.copytree(settings().paths.corpus, tmp_path / "corpus")
    (corpus / "labels.json").write_text(json.dumps(labels))
    chosen = settings("--paths.corpus", corpus)
    with opened(chosen) as (loop, _):
        dataset, learner, _ = loop
        assert len(dataset.dataset.guidelines or "") <= MOST_CHARACTERS
        PoolDataset.open(dataset, labels, learner.dim, None)


def test_own_guidelines_that_are_too_long(settings: Callable[..., Settings]) -> None:
    with pytest.raises(ProjectError) as caught:
        settings("--argilla.guidelines", "word " * 1_950)
    assert "argilla.guidelines: String should have at most 9500 characters" in caught.value.hint
