"""Labelled texts as `pull`, `finish` and `export` write them, with who gave the label."""

from pathlib import Path

import pytest
import srsly

from scripts.cli.errors import ProjectError
from scripts.trying.labelled import Labelled, read_labelled
from tests.components.helpers import TRAIN


def test_what_pull_wrote(labelled: Path) -> None:
    rows = read_labelled(labelled)
    assert [(row.text, *row.labels) for row in rows] == TRAIN
    assert [row.by for row in rows] == ["people", "people", "people", "machine"] * 3


def test_what_finish_wrote(tmp_path: Path) -> None:
    """Open and discarded texts have no label; none of the labels is one."""
    said = [("a", "x", "people"), ("b", ["x", "y"], "machine"), ("c", [], "people")]
    said += [("d", None, "open"), ("e", None, "discarded")]
    rows = [
        {"text": text, "label": label, "by": by, "model": "x", "certainty": 0.5}
        for text, label, by in said
    ]
    srsly.write_jsonl(tmp_path / "finished.jsonl", rows)
    assert read_labelled(tmp_path / "finished.jsonl") == [
        Labelled("a", ("x",), "people"),
        Labelled("b", ("x", "y"), "machine"),
        Labelled("c", (), "people"),
    ]


def test_the_folder_of_an_export(tmp_path: Path) -> None:
    """People by name; the test set, which no model was trained on, is not read."""

    def row(text: str, by: str | None, *people: str, label: str | None = "x") -> dict[str, object]:
        return {"text": text, "label": label, "by": by, "annotators": list(people)}

    splits = {
        "train": [row("a", "people", "ann", "ben"), row("b", "simulation", "simulated-oracle")],
        "machine": [row("c", "machine", "classy-bot")],
        "test": [row("d", "gold")],
        "unlabelled": [row("e", None, label=None)],
    }
    for split, rows in splits.items():
        (tmp_path / "export" / "jsonl").mkdir(parents=True, exist_ok=True)
        srsly.write_jsonl(tmp_path / "export" / "jsonl" / f"{split}.jsonl", rows)
    assert read_labelled(tmp_path / "export") == [
        Labelled("a", ("x",), "people (ann, ben)"),
        Labelled("b", ("x",), "simulation (simulated-oracle)"),
        Labelled("c", ("x",), "machine"),
    ]


def test_a_table_says_who_only_where_it_knows(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("text;label\nOne; x\nTwo;\n;y\n")
    assert read_labelled(tmp_path / "mine.csv") == [Labelled("One", ("x",), "")]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("gone.spacy", None, "There is no file"),
        ("mine.xlsx", "PK", "ending that is not known"),
        ("train.spacy", "no DocBin", "cannot be read as .spacy"),
        ("mine.jsonl", '{"text": ', "cannot be read as .jsonl"),
        ("mine.csv", "text,class\na,b\n", "has no column 'label'"),
    ],
)
def test_what_is_wrong(name: str, content: str | None, words: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ProjectError, match=words) as err:
        read_labelled(tmp_path / name)
    assert err.value.hint
