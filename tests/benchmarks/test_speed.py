"""Measurements in processes of their own."""

import sys
from pathlib import Path

import spacy

from scripts.benchmarks.speed import run_worker


def test_a_package_is_measured_in_an_environment_without_the_project(tmp_path: Path) -> None:
    spacy.blank("en").to_disk(tmp_path)
    task = {"task": "start", "kind": "ours", "package": str(tmp_path), "text": "Late goal."}
    answer = run_worker({**task, "python": sys.executable})
    assert answer["cats"] == {}
    assert answer["seconds"] > answer["seconds inside"] > 0
