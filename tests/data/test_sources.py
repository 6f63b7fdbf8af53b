"""Files as people have them: other delimiters, encodings and columns than one would wish."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import srsly
from datasets import Dataset, DatasetDict

from scripts.cli.errors import ProjectError
from scripts.data.corpus import read_meta, read_pool
from scripts.data.labels import check_names, one_spelling
from scripts.data.rows import MOST_CHARACTERS, Table, as_labels, to_rows
from scripts.data.sources import load
from scripts.prepare import main

ROWS = [("Café, „Zürich“; 5 €", "Sport"), ('He said "no"', "Tech"), ("two\nlines", "Sport")]


def to_csv(delimiter: str) -> str:
    lines = [("text", "label"), *ROWS]
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in line] for line in lines]
    return "\r\n".join(delimiter.join(line) for line in quoted)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-8-sig", "utf-8"),
        ("utf-16", ""),
        ("cp1252", "cp1252"),
    ],
)
def test_delimiters_and_encodings(tmp_path: Path, delimiter: str, encoding: str, said: str) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(to_csv(delimiter).encode(encoding))
    table = load(str(path), "train", "text", "label", said)
    assert table.columns["text"] == [text for text, _ in ROWS]
    assert table.columns["label"] == [label for _, label in ROWS]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_cells_of_a_csv_file_are_what_is_written_there(tmp_path: Path, end: str) -> None:
    path = tmp_path / "data.csv"
    path.write_text(f" text ,label,more{end}a,1,{end}b,NA,x{end}{end}c{end}None,,{end}", newline="")
    table = load(str(path), "train", "text", "label")
    assert table.columns["text"] == ["a", "b", "c", "None"]
    assert table.columns["label"] == ["1", "NA", None, None]


def test_rows_of_blank_cells_are_counted_and_shift_no_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text(",\n\ntext,label\n,\n \t,\n\na,x\nb \0,x\nc,y\n,\nd,y\n")
    main(str(tmp_path / "a.csv"), tmp_path / "corpus", label_column="label")
    said = capsys.readouterr().out
    assert "7, of which dropped: exact duplicates 0, empty 3" in " ".join(said.split())
    assert "row 4 has a NUL character" in said


def test_columns_without_a_name_are_not_the_same_column(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("text,label,,\na,b,,\n")
    assert list(load(str(path), "train", "text", "label").columns)[:2] == ["text", "label"]


def test_a_tab_separated_file_without_quoting(tmp_path: Path) -> None:
    path = tmp_path / "data.tsv"
    path.write_text('text\tlabel\n"No," he said, "no\ta\nit is 5" long\tb\n')
    table = load(str(path), "train", "text", "label")
    assert table.columns["text"] == ['"No," he said, "no', 'it is 5" long']


@pytest.mark.parametrize("name", ["data.json", "data.jsonl"])
def test_json_as_a_list_and_a_line_each(tmp_path: Path, name: str) -> None:
    rows = [{"text": "a\u2028b", "label": ["x", "y"]}, {"text": "c", "label": "x"}, {"text": "d"}]
    dump = json.dumps(rows, ensure_ascii=False)
    if name == "data.jsonl":
        dump = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (tmp_path / name).write_text(dump, encoding="utf8")
    found, _ = to_rows(load(str(tmp_path / name), "train", "text", "label"), "text", "label")
    assert [row["labels"] for row in found] == [["x", "y"], ["x"], None]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "a.csv",
            "text\ncaf\xe9 au lait\n".encode("latin-1"),
            ["line 2", "--vars.encoding", "café"],
        ),
        ("a.jsonl", '{"text": "caf\xe9"}\n'.encode("latin-1"), ["line 1", "--vars.encoding"]),
        ("a.csv", "text\nabc\n".encode("utf-16-le"), ["NUL", "--vars.encoding utf-16-le"]),
        ("a.csv", b"text,label\none, two,x\n", ["Row 1", "3 cells", "must be in quotes"]),
        (
            "a.csv",
            b'text,label\n"open,x\nb,y\n',
            ["its quotes do not match", "Up to line 3", "JSONL"],
        ),
        ("a.csv", b"", ["is empty"]),
        ("a.csv", b"text,text,label\na,b,x\n", ["has two columns 'text'", "Rename"]),
        ("a.jsonl", b"[" * 100_000, ["cannot be read"]),
        ("a.jsonl", b'{"text": ' + b"[" * 100_000, ["cannot be read", "line 1"]),
        ("a.csv", b"first,second\na,b\n", ["no column 'text'", "first, second", "first line"]),
        ("a.csv", b"text,label\n17,a\n2.5,b\n-3e5,a\n", ["'text' holds numbers", "text_column"]),
        ("a.jsonl", b'{"text": 17}\n{"text": 18}', ["'text' holds numbers"]),
        ("a.jsonl", b'{"text": ["a", "b"]}', ["'text' holds lists"]),
        ("a.jsonl", b'{"text": "a"}\n{"te', ["cannot be read", "line 2"]),
        ("a.jsonl", b'{"text": "a"}\n5\n', ["line 2 is no object"]),
        ("a.parquet", b"", ["cannot be read"]),
        ("a.spacy", b"no", ["cannot be read"]),
    ],
)
def test_what_cannot_be_read_says_how_to_go_on(
    tmp_path: Path, name: str, content: bytes, words: list[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ProjectError) as caught:
        main(str(tmp_path / name), tmp_path / "corpus", labels="a,b")
    for word in words:
        assert word in f"{caught.value.title}\n{caught.value.hint}"
    assert not (tmp_path / "corpus").exists()


def test_an_encoding_that_is_none_and_a_wrong_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text\ncaf\xe9\n")
    for encoding, words in (("utf9", "no encoding 'utf9'"), ("ascii", "is not ascii")):
        with pytest.raises(ProjectError, match=words):
            load(str(tmp_path / "a.csv"), "train", "text", "", encoding)


def test_texts_that_cannot_be_used_are_left_out_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [f"text {i}" for i in range(20)]
    texts += ["w" * MOST_CHARACTERS, "long " * 1_000_000, "nul \0", "half \ud83d"]
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(json.dumps({"text": t, "label": t[:1]}) for t in texts))
    main(str(path), tmp_path / "corpus", label_column="label", labels="t,w,l,n,h", test_size=0.5)
    out = capsys.readouterr().out
    assert "Texts left out, as they cannot be used: 3" in out
    assert "row 22 has 4,999,999 characters, at most 1,000,000 can be read: long long" in out
    assert "row 23 has a NUL character" in out
    assert "row 24 has half a character" in out
    pool = read_pool(tmp_path / "corpus")
    assert len(pool) in (10, 11)


def test_blank_cells_and_empty_lists() -> None:
    for blank in (None, "", "  ", float("nan"), [None], [""], {"label": None}):
        assert as_labels(blank, None) is None
    assert as_labels([], None) == []
    assert as_labels([" a ", "a", {"label": "b", "score": 1.0}], None) == ["a", "b"]
    assert as_labels(1.0, None) == ["1"]  # whole numbers beside missing ones
    assert as_labels(-1, None) == ["-1"]  # a label, where classes have no names
    assert as_labels([0, 1], ["neg", "pos"]) == ["neg", "pos"]


def test_labels_as_spacy_writes_them_in_cats() -> None:
    assert as_labels({"a": 1.0, "b": 0.0}, None) == ["a"]
    assert as_labels({"a": 1, "b": True, "c": 0.4, "d": None}, None) == ["a", "b"]
    assert as_labels({"a": 0, "b": 0}, None) == []
    for blank in ({}, {"a": None, "b": None}):  # Parquet gives each row all names
        assert as_labels(blank, None) is None
    for other in ({"name": "a"}, [{"name": "a"}]):
        with pytest.raises(ProjectError, match=r"no label, such as {'name': 'a'}"):
            as_labels(other, None)


def test_labels_that_differ_in_case_or_spaces_only() -> None:
    def rows() -> list[dict[str, object]]:
        labels = [["sports"], ["Sports"], ["Sports"], ["sPorts", "Sports"], ["US "], ["us"], None]
        return [{"labels": label} for label in labels]

    table = rows()
    assert one_spelling(table, []) == {
        "sports": ("Sports", 1), "sPorts": ("Sports", 1), "us": ("US ", 1)
    }  # fmt: skip
    assert [row["labels"] for row in table[:4]] == [["Sports"]] * 4
    table = rows()
    became = one_spelling(table, ["sports", "US ", "us"])  # both were named: they stay apart
    assert {new for new, _ in became.values()} == {"sports"}
    assert [row["labels"] for row in table[4:]] == [["US "], ["us"], None]


def test_labels_in_two_spellings_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"text": f"t {i}", "label": ["Sports", "Tech", "sports "][i % 3]} for i in range(30)]
    srsly.write_jsonl(tmp_path / "data.jsonl", rows)
    main(str(tmp_path / "data.jsonl"), tmp_path / "corpus", label_column="label")
    assert "'sports' (texts: 10) is 'Sports'" in capsys.readouterr().out
    assert srsly.read_json(tmp_path / "corpus" / "labels.json") == {
        "Sports": "Sports",
        "Tech": "Tech",
    }
    assert read_meta(tmp_path / "corpus")["multi_label"] is False


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["one"], "at least two labels"),
        ([str(i) for i in range(501)], "501 labels; Argilla takes at most 500"),
        (["a", "b" * 201], "has 201 characters"),
        (["a", "nul\0"], "has a NUL character"),
        (["a", "", "b"], "label '' is blank"),
        (["a", " "], "label ' ' is blank"),
    ],
)
def test_labels_that_argilla_does_not_take(names: list[str], words: str) -> None:
    with pytest.raises(ProjectError, match=words):
        check_names(names)


def test_a_label_may_have_a_comma(tmp_path: Path) -> None:
    rows = [{"text": f"t {i}", "label": [["a, b"], ["a", "b"], ["c"]][i % 3]} for i in range(30)]
    srsly.write_jsonl(tmp_path / "data.jsonl", rows)
    main(str(tmp_path / "data.jsonl"), tmp_path / "corpus", label_column="label")
    assert list(srsly.read_json(tmp_path / "corpus" / "labels.json")) == ["a", "a, b", "b", "c"]


def test_a_folder_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    (tmp_path / "data" / "a" / "1.txt").write_bytes(b"caf\xe9")
    with pytest.raises(ProjectError, match=r"1.txt is not UTF-8"):
        load(str(tmp_path / "data"), "train", "text", "label")
    table = load(str(tmp_path / "data"), "train", "text", "label", "latin-1")
    assert table == Table({"text": ["café"], "label": ["a"]})


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("train.jsonl", '{"text": "a"}\n' * 3 + '{"text": \n', "JSON parse error"),
        ("train.csv", "text,label\na,b\nc,d,e\n", "Expected 2 fields in line 3, saw 3"),
        ("train.jsonl", "", "FOLDER/FILE"),
    ],
)
def test_a_damaged_file_in_a_folder_of_the_hubs_format(
    tmp_path: Path, name: str, content: str, words: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ProjectError, match="is damaged, empty or unlike") as caught:
        load(str(tmp_path), "train", "text", "label")
    assert words in caught.value.hint


@pytest.mark.parametrize("name", ["Data.CSV", "b.Csv"])
def test_an_ending_in_capitals(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("text,label\na,b\n")
    for source in (tmp_path, tmp_path / name):
        assert load(str(source), "train", "text", "label").columns == {
            "text": ["a"],
            "label": ["b"],
        }


def test_wrong_input_is_named_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    code = (
        "import sys; sys.argv = ['prepare', *sys.argv[1:]]\n"
        "from scripts.prepare import main; from scripts.cli.app import run\n"
        "try: run(main)\n"
        "finally: print(sorted({'spacy', 'torch', 'datasets', 'sklearn'} & set(sys.modules)))"
    )
    for arguments in (["--help"], [str(tmp_path / "data.csv"), str(tmp_path / "corpus")]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
        )
        assert done.stdout.rstrip().endswith("[]"), done.stdout + done.stderr


def test_a_folder_of_csv_files_has_what_the_file_alone_has(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,label\nNA,None\nn/a,null\na,nan\nb,\nc,x\n")
    alone = load(str(tmp_path / "train.csv"), "train", "text", "label")
    assert load(str(tmp_path), "train", "text", "label") == alone
    assert alone.columns["label"] == ["None", "null", "nan", None, "x"]
    (tmp_path / "train.csv").write_text("text,label\na,01\nb,1\nc,\nd,2.0\n")
    table = load(str(tmp_path), "train", "text", "label")
    assert table.columns["label"] == ["01", "1", None, "2.0"]


def test_what_datasets_has_saved(tmp_path: Path) -> None:
    saved = Dataset.from_dict({"text": ["a", "b"], "label": ["x", "y"]}).class_encode_column(
        "label"
    )
    saved.save_to_disk(str(tmp_path / "one"))
    DatasetDict(dev=saved).save_to_disk(str(tmp_path / "splits"))
    for folder, split in (("one", "train"), ("splits", "dev")):
        table = load(str(tmp_path / folder), split, "text", "label")
        rows, _ = to_rows(table, "text", "label")
        assert [row["labels"] for row in rows] == [["x"], ["y"]]
    with pytest.raises(ProjectError, match="cannot be loaded") as caught:
        load(str(tmp_path / "splits"), "train", "text", "label")
    assert "no split 'train'. Its splits are: dev." in caught.value.hint
