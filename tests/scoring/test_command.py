"""What `weasel run score` prints."""

import glob
from pathlib import Path

import pandas
import pytest
import srsly

from scripts.score import main
from tests.scoring.conftest import made_up


def test_what_is_said(bow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    srsly.write_jsonl(tmp_path / "a.jsonl", [*made_up(120), {"text": ""}, {"text": None}])
    for _ in range(2):
        main(
            str(tmp_path / "a.jsonl"), tmp_path / "out", str(bow), "text", keep="id, text",
            rows_per_part=100,
        )  # fmt: skip
    said = capsys.readouterr()
    first, again = said.out.split("✔")[1:]
    assert "out: 122 rows in 2 files\n" in first
    assert "out: 122 rows in 2 files, 2 of them written before" in again
    counted = [int(line.split()[0]) for line in again.splitlines()[1:] if line.split()[-1] in
               ("business", "sport", "tech")]  # fmt: skip
    assert sum(counted) == 120
    assert "2 rows without text: kept, with an empty label" in first
    assert not said.err  # no progress bar where there is no terminal


def test_how_to_read_files_that_are_no_one_table(
    bow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in" / "more").mkdir(parents=True)
    added = (("b", {"id": 1}), ("more/a", {"id": "x7"}))
    for n, (name, row) in enumerate(added):
        srsly.write_jsonl(tmp_path / "in" / f"{name}.jsonl", [{"text": "Shares fell.", **row}])
        main(str(tmp_path / "in"), tmp_path / "out", str(bow))
        said, how = capsys.readouterr().out.split("Read it: ")
        assert ("no one table: not all have id in the same type" in said) == bool(n)
        assert len(eval(how, {"pandas": pandas, "glob": glob})) == n + 1
