from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from scripts.active_learning.calibration import calibration_by_chance
from scripts.benchmarks.calibration import brier_score, calibration_error
from scripts.benchmarks.data import read_labelled, report, sample_balanced
from scripts.benchmarks.model_commands import calibration
from scripts.cli.errors import ProjectError


def test_calibration_error():
    # Ten texts at certainty 0.8 and ten at 0.6, of which 8 and 6 are right: honest.
    certainty = np.array([0.8] * 10 + [0.6] * 10)
    right = np.array([True] * 8 + [False] * 2 + [True] * 6 + [False] * 4)
    assert calibration_error(certainty, right) == pytest.approx(0, abs=1e-9)
    # All wrong: as far off as the certainty is high.
    assert calibration_error(certainty, np.zeros(20, dtype=bool)) == pytest.approx(0.7)


@pytest.mark.parametrize("n", [5, 20, 500])
def test_calibration_error_by_chance(n: int) -> None:
    """One bin: how far the share of n right answers lies from 0.7 on average."""
    right = np.arange(n + 1)
    exact = (binom.pmf(right, n, 0.7) * abs(right / n - 0.7)).sum()
    assert calibration_by_chance(np.full(n, 0.7)) == pytest.approx(exact, rel=0.25)
    assert calibration_by_chance(np.ones(n)) == 0


def test_brier_score():
    probs = np.array([[1.0, 0.0], [0.5, 0.5]])
    assert brier_score(probs, np.array([0, 1])) == pytest.approx(0.25)
    assert brier_score(np.array([[1.0, 0.0]]), np.array([1])) == 2


def test_what_was_measured_before_an_interruption_is_kept(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, int]]:
        yield {"size": 1}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        report(rows(), tmp_path / "table.csv")
    assert pd.read_csv(tmp_path / "table.csv").to_dict("records") == [{"size": 1}]


def test_nothing_measured_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report([], tmp_path / "table.csv")
    assert "Nothing was measured" in "".join(capsys.readouterr())
    assert not (tmp_path / "table.csv").exists()


def test_samples_are_balanced_and_the_rest_is_all_others():
    labels = ["a"] * 10 + ["b"] * 30
    train, test = sample_balanced(labels, 4, np.random.default_rng(0))
    assert sorted(np.array(labels)[train]) == ["a"] * 4 + ["b"] * 4
    assert sorted([*train, *test]) == list(range(40))


def test_data_without_labels(tmp_path):
    (tmp_path / "data.csv").write_text("text,label\nsomething,\n")
    with pytest.raises(ProjectError, match="no labels"):
        read_labelled(str(tmp_path / "data.csv"))


def test_table(headlines, encoder_folder, tmp_path, capsys):
    pd.DataFrame(headlines).to_csv(tmp_path / "data.csv", index=False)
    output = tmp_path / "metrics" / "calibration.csv"
    calibration(
        [str(tmp_path / "data.csv")], encoder=encoder_folder, sizes="5,30", seeds=1, output=output
    )
    table = pd.read_csv(output)
    assert table["labels a class"].tolist() == [5] * 6 + [30] * 6
    by_head = table.set_index(["head", "labels a class"])["Brier"]
    kernel, logistic = (
        by_head["classy_head.kernel.v1"],
        by_head["classy_head.logistic.v1"],
    )
    assert kernel[5] == logistic[5]  # too few for kernels
    assert kernel[30] != logistic[30]
    accuracy = table["accuracy"].str.split().str[0].astype(float)
    assert accuracy.min() > 0.4
    # Same texts, same folds: classy's decisions and those of its head here are the same.
    assert accuracy[1] == accuracy[2]
    assert accuracy[7] == accuracy[8]
    assert "| data | labels a class | head |" in capsys.readouterr().out
