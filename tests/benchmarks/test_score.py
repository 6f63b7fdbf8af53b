"""Rows a second of workers that began at different times."""

from pathlib import Path

import pytest

from scripts.benchmarks.scale_commands import score
from scripts.benchmarks.worker import at_work
from scripts.cli.errors import ProjectError


@pytest.mark.parametrize("only", ["speed", "memory,ray"])
def test_without_a_trained_pipeline_nothing_is_measured(tmp_path: Path, only: str) -> None:
    output = tmp_path / "score.csv"
    with pytest.raises(ProjectError, match="no trained pipeline"):
        score("bbc_news", str(tmp_path / "no_model"), only=only, rows="10", output=output)
    assert not output.exists()


def test_rates_of_workers_add_up_from_their_first_parts_on() -> None:
    first = [(10, 1, 1.0), (10, 1, 2.0), (30, 1, 5.0)]  # 40 rows in 4 seconds
    second = [(10, 2, 3.0), (10, 2, 3.5)]  # 10 rows in half a second
    assert at_work(first) == 10
    assert at_work(sorted(first + second, key=lambda part: part[2])) == 10 + 20
