"""Files in, the same rows out with what the model says of them."""

import csv
import gzip
import json
import shutil
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import spacy
from spacy.training import Example

import components.code  # noqa: F401
from scripts.cli.errors import ProjectError
from scripts.scoring.model import Model
from scripts.scoring.run import score_files
from scripts.scoring.settings import Settings
from tests.components.helpers import TRAIN, one_hot
from tests.scoring.conftest import Score, made_up, rows_of, texts


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    """In the format of the path's ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = gzip.open if path.suffix == ".gz" else open
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=37)
    elif name.endswith(".jsonl"):
        with opened(path, "wt", encoding="utf8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    else:
        with opened(path, "wt", encoding="utf8", newline="") as file:
            writer = csv.DictWriter(file, rows[0], delimiter="\t" if ".tsv" in name else ",")
            writer.writeheader()
            writer.writerows(rows)
    return path


@pytest.mark.parametrize(
    "name", ["a.parquet", "a.jsonl", "a.jsonl.gz", "a.csv", "a.tsv", "a.csv.gz"]
)
def test_every_kind_of_file_gives_the_same(
    name: str, tmp_path: Path, score: Score, bow: Path
) -> None:
    rows = made_up(120)
    rows[51]["text"] = 'A "quoted" text, with\nlines and a comma'
    found = score(write(tmp_path / name, rows))
    assert texts(found) == texts(rows)
    assert [int(row["id"]) for row in found] == list(range(120))
    nlp = spacy.load(bow)
    for row in found:
        cats = nlp(row["text"]).cats
        assert row["cats"] == pytest.approx(cats, abs=1e-6)
        assert row["label"] == max(row["cats"], key=row["cats"].get)
        assert row["score"] == row["cats"][row["label"]]
    files = sorted(path.name for path in (tmp_path / "scores").glob("*.parquet"))
    assert files == ["a-00000.parquet", "a-00001.parquet", "a-00002.parquet"]
    sizes = [pq.read_metadata(tmp_path / "scores" / file).num_rows for file in files]
    assert sizes == [50, 50, 20]


def test_a_folder_is_read_by_pandas_as_one_table(tmp_path: Path, score: Score) -> None:
    write(tmp_path / "in" / "b" / "x.jsonl", made_up(60))
    write(tmp_path / "in" / "a.parquet", made_up(30, seed=1))
    write(tmp_path / "in" / ".hidden.csv", made_up(1))
    score(tmp_path / "in")
    table = pd.read_parquet(tmp_path / "scores")
    assert len(table) == 90
    assert set(table.columns) == {"id", "text", "label", "score", "cats"}
    names = sorted(
        str(p.relative_to(tmp_path / "scores"))
        for p in (tmp_path / "scores").rglob("[!._]*.parquet")
    )
    assert names == ["a-00000.parquet", "b/x-00000.parquet", "b/x-00001.parquet"]
    assert len(score(f"{tmp_path}/in/*/*.jsonl", "other")) == 60


def test_rows_without_a_text_are_kept_and_counted(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model.nlp, "max_length", 100)
    values = ["Shares fell.", None, "", "  ", 5, ["x"], "x" * 101, "half \ud800 a character"]
    rows = [{"text": value, "n": i} for i, value in enumerate(values)]
    write(tmp_path / "a.jsonl", rows)
    _, totals = score_files(str(tmp_path / "a.jsonl"), tmp_path / "out", model, Settings("text"))
    found = rows_of(tmp_path / "out")
    assert [row["n"] for row in found] == list(range(8))
    assert [row["label"] is not None for row in found] == [True, *[False] * 6, True]
    assert all(
        (row["cats"] is None) == (row["label"] is None) == (row["score"] is None) for row in found
    )
    assert texts(found)[4:6] == ["5", '["x"]']
    assert totals.rows == 8
    assert totals.why == {
        "without text": 3,
        "with a number, a list or an object in place of a text": 2,
        "with more than 100 characters": 1,
    }
    assert sum(totals.labels.values()) == 2


def test_several_labels(tmp_path: Path, bow_multi: Path) -> None:
    write(tmp_path / "a.jsonl", [*made_up(20), {"text": None}])
    multi = Model(str(bow_multi))
    _, totals = score_files(str(tmp_path / "a.jsonl"), tmp_path / "out", multi, Settings("text"))
    *found, last = rows_of(tmp_path / "out")
    assert {len(row["labels"]) for row in found} >= {0, 1}
    assert totals.labels[""] == sum(not row["labels"] for row in found)
    for row in found:
        assert row["labels"] == [k for k, v in row["cats"].items() if v >= multi.threshold]
        assert row["scores"] == [row["cats"][label] for label in row["labels"]]
    assert last["labels"] is last["scores"] is last["cats"] is None


def test_columns_that_are_there_already(tmp_path: Path, score: Score) -> None:
    write(tmp_path / "a.csv", [{"text": "Shares fell.", "label": "gold"}])
    (row,) = score(tmp_path / "a.csv")
    assert row["label"] == "gold"
    assert row["predicted_label"] in row["predicted_cats"]
    (row,) = score(tmp_path / "a.csv", "kept", keep=("text",))
    assert list(row) == ["text", "label", "score", "cats"]
    score(tmp_path / "a.csv", "in")
    with pytest.raises(ProjectError, match="has a column 'predicted_cats'"):
        score(tmp_path / "in", "again")


def test_types_that_change_within_a_file(tmp_path: Path, score: Score) -> None:
    rows = [{"text": "x", "a": 1, "b": 1, "c": {"k": 1}, "e": {}}] * 1500
    rows += [{"text": "y", "a": 2.5, "b": "two", "c": {"l": "x"}, "d": [2**70], "e": {}}]
    found = score(write(tmp_path / "a.jsonl", rows), rows_per_part=1000)
    assert found[0] == found[1499]
    first = {name: found[0][name] for name in "abcde"}
    last = {name: found[-1][name] for name in "abcde"}
    assert first == {"a": 1.0, "b": "1", "c": {"k": 1, "l": None}, "d": None, "e": "{}"}
    assert last == {"a": 2.5, "b": "two", "c": {"k": None, "l": "x"}, "d": f"[{2**70}]", "e": "{}"}


@pytest.mark.parametrize(
    ("files", "column", "expected"),
    [
        ({"a.jsonl": {"id": None}, "b.jsonl": {"id": "x7"}}, "id", [None, "x7"]),
        ({"a.jsonl": {"id": 1}, "b.jsonl": {"id": "x7"}}, "id", ["1", "x7"]),
        ({"a.jsonl": {"a": 1}, "b.jsonl": {"b": 2.5}}, "b", [None, 2.5]),
        ({"a.jsonl": {"id": 1}, "b.jsonl": {"id": 2.5}}, "id", [1, 2.5]),
        ({"a.jsonl": {"id": 2**53 + 1}, "b.jsonl": {"id": 0.5}}, "id", [f"{2**53 + 1}", "0.5"]),
        ({"a.csv": {"a": "1"}, "b.csv": {"b": "2"}}, "b", [None, "2"]),
        ({"a.csv": {"a": "1"}, "b.jsonl": {"a": 2, "b": {"k": 1}}}, "a", ["1", "2"]),
        ({"a.jsonl": {"m": {"k": 1}}, "b.jsonl": {"m": {"l": "x"}}}, "m",
         [{"k": 1, "l": None}, {"k": None, "l": "x"}]),
    ],
)  # fmt: skip
def test_files_that_differ_are_one_table(
    files: dict[str, dict[str, object]],
    column: str,
    expected: list[object],
    tmp_path: Path,
    score: Score,
) -> None:
    for name, row in files.items():
        write(tmp_path / "in" / name, [{**row, "text": "Shares fell."}] * 120)
    score(tmp_path / "in")
    found = pd.read_parquet(tmp_path / "scores")[column]
    assert [None if value != value else value for value in found[::120]] == expected


def test_files_that_cannot_be_one_table_say_so(tmp_path: Path, model: Model) -> None:
    def unlike() -> list[str]:
        plan, _ = score_files(
            str(tmp_path / "in"), tmp_path / "out", model, Settings("text", batch_size=16)
        )
        return plan.unlike

    write(tmp_path / "in" / "b.jsonl", [{"text": "x", "id": 1}])
    write(tmp_path / "in" / "c.parquet", [{"text": "y", "id": 2}])
    assert unlike() == []
    write(tmp_path / "in" / "d.jsonl", [{"text": "x", "id": None}])  # that one adapts itself
    assert unlike() == []
    write(tmp_path / "in" / "a.jsonl", [{"text": "x", "id": "x7", "more": True}])
    assert sorted(unlike()) == ["id", "more"]
    rows = {row["text"]: row["id"] for row in rows_of(tmp_path / "out")[:1]}
    assert rows == {"x": "x7"}


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([2**60 + 1, 0.5], [f"{2**60 + 1}", "0.5"]),
        ([0.5, 2**60 + 1], ["0.5", f"{2**60 + 1}"]),
        ([[2**60 + 1], [0.5]], [f"[{2**60 + 1}]", "[0.5]"]),
        ([{"k": 2**60 + 1}, {"k": 0.5}], [f'{{"k": {2**60 + 1}}}', '{"k": 0.5}']),
        ([{"k": 2**60 + 1}, {"l": 0.5}], [{"k": 2**60 + 1, "l": None}, {"k": None, "l": 0.5}]),
        ([2**60 + 1, None], [2**60 + 1, None]),
        ([2**53, 0.5], [2.0**53, 0.5]),
        ([[2], [0.5]], [[2.0], [0.5]]),
    ],
)
def test_no_digit_of_a_large_number_is_lost(
    ids: list[object], expected: list[object], tmp_path: Path, score: Score
) -> None:
    rows = [{"text": "x", "id": ids[0]}] * 1000 + [{"text": "x", "id": ids[1]}]
    found = score(write(tmp_path / "a.jsonl", rows), rows_per_part=1000)
    assert [found[0]["id"], found[-1]["id"]] == expected
    assert found[999] == found[0]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_encodings_also_in_a_later_part(encoding: str, tmp_path: Path, score: Score) -> None:
    path = tmp_path / "a.csv"
    lines = ["id;text", *(f"{i};Café «{i}» – Übung" for i in range(120))]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    found = score(path, encoding="cp1252" if encoding == "cp1252" else "")
    assert texts(found) == [f"Café «{i}» – Übung" for i in range(120)]
    for part in (tmp_path / "scores").glob("a-00001.parquet"):
        part.unlink()
    assert score(path, encoding="cp1252" if encoding == "cp1252" else "") == found


def test_a_row_of_blank_cells_is_a_row_and_a_blank_line_none(tmp_path: Path, score: Score) -> None:
    (tmp_path / "a.csv").write_text("id,text\n1,Shares fell.\n,\n\n2,He won.\n")
    assert [row["id"] for row in score(tmp_path / "a.csv")] == ["1", None, "2"]


@pytest.mark.parametrize("name", ["_mine.csv", ".mine.csv"])
def test_a_hidden_file_is_scored_by_its_name(name: str, tmp_path: Path, score: Score) -> None:
    path = write(tmp_path / "in" / name, made_up(3))
    assert len(score(path)) == 3
    assert len(pd.read_parquet(tmp_path / "scores")) == 3  # which leaves hidden files out
    with pytest.raises(ProjectError, match="no file that can be scored"):
        score(tmp_path / "in", "other")


def test_an_installed_package(tmp_path: Path, bow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `spacy package` lays it out and pip writes it down."""
    package = tmp_path / "site" / "en_under_test"
    shutil.copytree(bow, package / "en_under_test-0.0.0")
    shutil.copy(bow / "meta.json", package / "meta.json")
    (package / "__init__.py").write_text(
        "from pathlib import Path\nfrom spacy.util import load_model_from_init_py\n"
        "def load(**options): return load_model_from_init_py(__file__, **options)\n"
    )
    meta = json.loads((package / "meta.json").read_text())
    (package / "meta.json").write_text(
        json.dumps({**meta, "name": "under_test", "version": "0.0.0"})
    )
    info = tmp_path / "site" / "en_under_test-0.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: en_under_test\nVersion: 0.0.0\n")
    (info / "entry_points.txt").write_text("[spacy_models]\nen_under_test = en_under_test\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    for name in ("en_under_test", "en-under-test", "under-test"):
        model = Model(name)
        assert (model.name, model.folder) == ("en_under_test", package)
        assert model.labels == Model(str(bow)).labels
    monkeypatch.delitem(sys.modules, "en_under_test")


def test_an_empty_file_has_an_empty_output(tmp_path: Path, score: Score) -> None:
    (tmp_path / "a.jsonl").write_text("\n")
    write(tmp_path / "b.parquet", made_up(1))
    pq.write_table(pq.read_table(tmp_path / "b.parquet").slice(0, 0), tmp_path / "b.parquet")
    assert score(f"{tmp_path}/*.*") == []
    assert len(list((tmp_path / "scores").glob("*.parquet"))) == 2
    assert score(f"{tmp_path}/*.*", "kept", keep=("id",)) == []


def test_a_classy_pipeline_in_parts_of_any_kind(
    tmp_path: Path, encoder_folder: Path, headlines: list[dict[str, str]]
) -> None:
    """What a part holds does not depend on the parts before: an embedding that is kept from them
    differs in its last digits."""
    nlp = spacy.blank("en")
    nlp.add_pipe(
        "classy_textcat",
        config={"encoder": {"@misc": "onnx_encoder.v1", "path": str(encoder_folder)}},
    )
    examples = [Example.from_dict(nlp.make_doc(t), {"cats": c}) for t, c in one_hot(TRAIN)]
    nlp.initialize(lambda: examples)
    nlp.to_disk(tmp_path / "model")
    rows = [{"text": row["text"]} for row in headlines[:60]]
    write(tmp_path / "a.parquet", rows + rows[::-2])
    model = Model(str(tmp_path / "model"), threads=2, batch_size=16)
    settings = Settings("text", rows_per_part=30, batch_size=16)
    score_files(str(tmp_path / "a.parquet"), tmp_path / "out", model, settings)
    whole = rows_of(tmp_path / "out")
    for part in (1, 2):
        (tmp_path / "out" / f"a-0000{part}.parquet").unlink()
    again = Model(str(tmp_path / "model"), threads=1, batch_size=16)
    score_files(str(tmp_path / "a.parquet"), tmp_path / "out", again, settings)
    assert rows_of(tmp_path / "out") == whole
    assert {row["label"] for row in whole} == {"business", "sport", "tech"}
