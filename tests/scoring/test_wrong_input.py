"""What cannot be scored ends in a plain message that names the file and the line."""

import gzip
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.cli.errors import ProjectError
from scripts.scoring.model import Model
from scripts.scoring.run import score_files
from scripts.scoring.settings import Settings
from tests.scoring.conftest import Score, made_up

GOOD = b'{"text": "Shares fell."}\n'
WRONG = {
    "a.jsonl": [
        (GOOD * 70 + b'{"text": \n' + GOOD, r"a.jsonl, line 71 is no JSON"),
        (GOOD + b"\n[1]\n", "line 3 is no object"),
        (b'[\n{"text": "x"}]', "line 1 is no JSON"),
        (GOOD * 400 + b'{"text": "caf\xe9"}\n', r"a.jsonl is not UTF-8: see line 401"),
        (b'{"body": "x"}\n', "has no column 'text'"),
    ],
    "a.csv": [
        (b"id,text\n1,x\n2,y,z\n", "a.csv, line 3 has 3 cells"),
        (b'id,text\n1,"x\ny"\n2,"y" z\n', "a.csv, line 4 cannot be read"),
        (b"", "a.csv is empty"),
        (b"id,body\n1,x\n", "has no column 'text'"),
        (b"text,text\n1,x\n", "two columns 'text'"),
        (b'id,"text\n' + b"1,Shares fell.\n" * 20_000, "a.csv, line 1 cannot be read as CSV"),
    ],
    "a.jsonl.gz": [
        (gzip.compress(GOOD * 5000)[:-20], "a.jsonl.gz is damaged or cut off"),
        (GOOD, "a.jsonl.gz is damaged or cut off after line 0"),
    ],
    "a.parquet": [(b"PAR1 and nothing more PAR1", "a.parquet cannot be read as Parquet")],
    "a.json": [(GOOD, "no file that can be scored")],
}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [(name, content, words) for name, cases in WRONG.items() for content, words in cases],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_file(name: str, content: bytes, words: str, tmp_path: Path, score: Score) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ProjectError, match=words):
        score(tmp_path / name)


@pytest.mark.parametrize("encoding", ["utf9", "hex"])
def test_an_encoding_that_is_none(encoding: str, tmp_path: Path, score: Score) -> None:
    (tmp_path / "a.jsonl").write_bytes(GOOD)
    with pytest.raises(ProjectError, match=f"no encoding '{encoding}'"):
        score(tmp_path / "a.jsonl", encoding=encoding)


def test_a_missing_column_names_those_that_are_there(tmp_path: Path, score: Score) -> None:
    pq.write_table(pa.table({"id": [1], "body": ["x"]}), tmp_path / "a.parquet")
    with pytest.raises(ProjectError, match="no column 'text'") as err:
        score(tmp_path / "a.parquet")
    assert "id, body" in err.value.hint
    with pytest.raises(ProjectError, match="'id' holds int64, not texts"):
        score(tmp_path / "a.parquet", column="id")
    with pytest.raises(ProjectError, match="no column 'extra'") as err:
        score(tmp_path / "a.parquet", column="body", keep=("extra",))
    assert "score_keep" in err.value.hint
    with pytest.raises(ProjectError, match="There is no file or folder"):
        score(tmp_path / "nowhere.csv")


def test_parquet_with_a_name_twice(tmp_path: Path, score: Score) -> None:
    for names in (["text", "text"], ["text", "id", "id"]):
        table = pa.Table.from_arrays([pa.array(["x"])] * len(names), names=names)
        pq.write_table(table, tmp_path / "a.parquet")
        with pytest.raises(ProjectError, match=f"has two columns '{names[-1]}'"):
            score(tmp_path / "a.parquet")


def test_parquet_that_is_damaged_further_on_keeps_what_was_done(
    tmp_path: Path, score: Score
) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.Table.from_pylist(made_up(200)), path, row_group_size=50,
        compression="none", use_dictionary=False,
    )  # fmt: skip
    start = pq.read_metadata(path).row_group(2).column(1).data_page_offset
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * 40)
    times = path.stat()
    with pytest.raises(ProjectError, match=r"a.parquet cannot be read as Parquet"):
        score(path)
    there = sorted(file.name for file in (tmp_path / "scores").iterdir())
    assert there == [".lock", "_scored.json", "a-00000.parquet", "a-00001.parquet"]
    path.write_bytes(whole)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert len(score(path)) == 200


def test_a_resume_refuses_what_would_be_mixed(
    tmp_path: Path, score: Score, bow_multi: Path
) -> None:
    path = tmp_path / "in" / "a.parquet"
    path.parent.mkdir()
    pq.write_table(pa.Table.from_pylist(made_up(120)), path)
    before = score(path.parent)
    with pytest.raises(ProjectError, match="begun with rows_per_part 50, not 60"):
        score(path.parent, rows_per_part=60)
    with pytest.raises(ProjectError, match=r"begun with keep \(\), not \('text',\)"):
        score(path.parent, keep=("text",))
    other = Settings("text", rows_per_part=50, batch_size=16)
    with pytest.raises(ProjectError, match="begun with another model"):
        score_files(str(path.parent), tmp_path / "scores", Model(str(bow_multi)), other)
    pq.write_table(pa.Table.from_pylist(made_up(5)), path.parent / "b.parquet")
    assert score(path.parent)[:120] == before  # a file more is welcome
    (path.parent / "b.parquet").unlink()
    with pytest.raises(ProjectError, match=r"begun with b.parquet, which is not there now"):
        score(path.parent)
    pq.write_table(pa.Table.from_pylist(made_up(120, seed=1)), path)
    pq.write_table(pa.Table.from_pylist(made_up(5)), path.parent / "b.parquet")
    with pytest.raises(ProjectError, match=r"parquet has changed since .* was begun"):
        score(path.parent)


def test_other_folders_and_other_pipelines(tmp_path: Path, score: Score) -> None:
    pq.write_table(pa.Table.from_pylist(made_up(5)), tmp_path / "a.parquet")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    with pytest.raises(ProjectError, match=r"holds other files than scores: mine.txt"):
        score(tmp_path / "a.parquet", "full")
    for name in ("no_such_package", "numpy", str(tmp_path)):  # numpy is no pipeline
        with pytest.raises(ProjectError, match=f"no trained pipeline '{name}'") as err:
            Model(name)
        assert "--vars.score_model" in err.value.hint
    (tmp_path / "a.csv").write_text("text\nx\n")
    with pytest.raises(
        ProjectError, match=r"a.csv and a.parquet would both become a-00000.parquet"
    ):
        score(f"{tmp_path}/a.*", "clash")


def test_a_damaged_pipeline_is_named(tmp_path: Path, bow: Path) -> None:
    shutil.copytree(bow, tmp_path / "bow")
    (tmp_path / "bow" / "vocab" / "vectors").write_bytes(b"")
    with pytest.raises(ProjectError, match="bow' cannot be loaded"):
        Model(str(tmp_path / "bow"))


def test_a_damaged_part_is_named(tmp_path: Path, score: Score) -> None:
    pq.write_table(pa.Table.from_pylist(made_up(120)), tmp_path / "a.parquet")
    score(tmp_path / "a.parquet")
    part = tmp_path / "scores" / "a-00001.parquet"
    part.write_bytes(part.read_bytes()[:500])
    with pytest.raises(ProjectError, match=r"a-00001.parquet is damaged or gone"):
        score(tmp_path / "a.parquet")
