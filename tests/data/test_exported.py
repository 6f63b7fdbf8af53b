"""The folder of an export: written as a whole or not at all, and never over other files."""

from pathlib import Path
from typing import Any

import pytest

from scripts.cli.errors import ProjectError
from scripts.data.exported import check_folder, make_features, write_export

LABELS = ["a", "b"]


def row(text: str, label: str = "a") -> dict[str, Any]:
    return dict.fromkeys(make_features(LABELS, False)) | {"text": text, "label": label}


def write(folder: Path, *rows: dict[str, Any]) -> None:
    write_export({"train": rows}, LABELS, False, "# Card\n", folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_export_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    write(folder, row("one"))
    write_export({"train": [row("two")], "test": [row("x")]}, LABELS, False, "# Card\n", folder)
    assert (folder / "data" / "test.parquet").exists()
    write(folder, row("three"))
    assert not (folder / "data" / "test.parquet").exists()
    assert "three" in (folder / "jsonl" / "train.jsonl").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_what_fails_leaves_the_earlier_one(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    write(folder, row("one"))
    before = contents(folder)
    bad = {"train": [row("two")], "test": [row("three") | {"round": "no number"}]}
    with pytest.raises(ValueError, match="no number"):  # when `train` is written already
        write_export(bad, LABELS, False, "# Card\n", folder)
    with pytest.raises(ProjectError, match="labels that the settings don't have: gone"):
        write(folder, row("two", "gone"))
    assert contents(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_killed_between_the_two_renames_it_is_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    write(folder, row("one"))
    before = contents(folder)
    folder.rename(tmp_path / ".export.old")
    (tmp_path / ".export.part" / "data").mkdir(parents=True)
    check_folder(folder)
    assert contents(folder) == before
    write(folder, row("two"))
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_other_folders_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, Path()):
        with pytest.raises(ProjectError, match=r"other files than an export: README.md, data"):
            write(folder, row("one"))
    assert (tmp_path / "README.md").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", row("one"))
