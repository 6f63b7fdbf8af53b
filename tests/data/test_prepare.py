"""prepare: texts from files, folders and the hub's format into a pool and a test set."""

import json
import zlib
from pathlib import Path

import pytest
import spacy
import srsly
import typer
from datasets import ClassLabel, Dataset, Features, Value
from spacy.tokens import DocBin
from typer.testing import CliRunner

from scripts.cli.errors import ProjectError
from scripts.data.corpus import read_gold, read_labels, read_pool, text_id
from scripts.data.docbins import read_docs, write_rows
from scripts.data.labels import read_label_spec
from scripts.data.preparing import twins
from scripts.data.rows import Table, to_rows
from scripts.data.sources import from_dataset, load
from scripts.prepare import main

TEXTS = [f"text number {i}" for i in range(20)]
LABELS = ["sport" if i % 2 else "R&D / tech" for i in range(20)]


@pytest.fixture(params=["csv", "tsv", "jsonl", "parquet", "spacy"])
def data_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"data.{request.param}"
    data = Dataset.from_dict({"text": TEXTS, "label": LABELS})
    if request.param in ("csv", "tsv"):
        data.to_csv(path, sep="\t" if request.param == "tsv" else ",", index=False)
    elif request.param == "jsonl":
        data.to_json(path)
    elif request.param == "parquet":
        data.to_parquet(path)
    else:
        docs = []
        for text, label in zip(TEXTS, LABELS, strict=True):
            doc = spacy.blank("en").make_doc(text)
            doc.cats = {name: float(name == label) for name in set(LABELS)}
            docs.append(doc)
        DocBin(docs=docs).to_disk(path)
    return path


def prepare(source: Path | str, out: Path, **options: object) -> None:
    defaults = {"text_column": "text", "label_column": "label", "labels": "", "split": "train"}
    main(str(source), out, **{**defaults, "test_size": 0.25, "seed": 0, **options})


def test_every_format_gives_the_same_pool_and_test_set(data_file: Path, tmp_path: Path) -> None:
    prepare(data_file, tmp_path / "corpus")
    pool = read_pool(tmp_path / "corpus")
    gold = read_gold(tmp_path / "corpus")
    test = list(
        DocBin().from_disk(tmp_path / "corpus" / "test.spacy").get_docs(spacy.blank("en").vocab)
    )
    assert len(pool) == 15
    assert len(test) == 5
    assert sorted(pool.texts + [doc.text for doc in test]) == sorted(TEXTS)
    assert pool.ids == [text_id(text) for text in pool.texts]
    assert list(read_labels(tmp_path / "corpus")) == ["R&D / tech", "sport"]
    for doc in test:
        expected = LABELS[TEXTS.index(doc.text)]
        assert doc.cats == {name: float(name == expected) for name in ("R&D / tech", "sport")}
    for id_, text in zip(pool.ids, pool.texts, strict=True):
        assert gold[id_] == [LABELS[TEXTS.index(text)]]


def test_a_folder_has_one_class_a_sub_folder(tmp_path: Path) -> None:
    for i, (text, label) in enumerate(zip(TEXTS, LABELS, strict=True)):
        folder = tmp_path / "data" / label.replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i}.txt").write_text(text)
    prepare(tmp_path / "data", tmp_path / "corpus")
    assert list(read_labels(tmp_path / "corpus")) == ["R&D - tech", "sport"]


def test_a_local_folder_in_the_format_of_the_hub(tmp_path: Path) -> None:
    features = Features({"text": Value("string"), "label": ClassLabel(names=["sport", "tech"])})
    rows = {"text": TEXTS, "label": [i % 2 for i in range(20)]}
    for split, part in (("train", slice(0, 16)), ("test", slice(16, 20))):
        data = Dataset.from_dict({k: v[part] for k, v in rows.items()}, features=features)
        path = tmp_path / "hub" / "data" / f"{split}-00000-of-00001.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        data.to_parquet(path)
    prepare(tmp_path / "hub", tmp_path / "corpus", test_size=4)
    pool = read_pool(tmp_path / "corpus")
    assert len(pool) == 12
    assert set(pool.texts) < set(TEXTS[:16])
    assert list(read_labels(tmp_path / "corpus")) == ["sport", "tech"]
    with pytest.raises(ProjectError, match="cannot be loaded"):
        prepare(tmp_path / "hub", tmp_path / "other", split="validation")


def test_empty_texts_and_exact_duplicates_are_dropped_and_counted() -> None:
    data = Table(
        {"text": ["a", " a ", "", "  ", None, "b", "b"], "label": [*list("xyxyx"), None, "y"]}
    )
    rows, dropped = to_rows(data, "text", "label")
    # The second b brings the label that the first one lacks.
    assert [(row["text"], row["labels"]) for row in rows] == [("a", ["x"]), ("b", ["y"])]
    assert (dropped.empty, dropped.duplicate) == (3, 2)
    assert dropped.contradicting == ["row 2 (y, kept: x): a"]


@pytest.mark.parametrize("label_column", ["label", ""])
def test_held_out_texts_that_are_as_good_as_in_the_pool_are_counted(
    label_column: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = [
        f"Shares {word}" for word in ("fell", "FELL", " fell ", "fell 7", "fell https://t.co/x")
    ]
    for texts, said in ((same, True), ([f"Shares {name}" for name in "abcde"], False)):
        rows = [{"text": text, "label": "xy"[n % 2]} for n, text in enumerate(texts)]
        srsly.write_jsonl(tmp_path / "a.jsonl", rows)
        prepare(
            tmp_path / "a.jsonl", tmp_path / "corpus", label_column=label_column, labels="x,y",
            test_size=3, test_labels=1, overwrite="true",
        )  # fmt: skip
        assert ("in the pool (all but case" in capsys.readouterr().out) == said
    rows = [{"text": text} for text in [*same, "1", "2"]]
    assert twins(rows[:1] + rows[5:6], rows[1:5] + rows[6:]) == 4


def test_class_names_and_missing_labels_of_a_hub_data_set() -> None:
    features = Features({"text": Value("string"), "label": ClassLabel(names=["neg", "pos"])})
    data = Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, 0, -1]}, features=features)
    rows, _ = to_rows(from_dataset(data), "text", "label")
    assert [row["labels"] for row in rows] == [["pos"], ["neg"], None]


def test_labels_as_argilla_1_exported_them(tmp_path: Path) -> None:
    predictions = [[{"label": label, "score": 1.0}] for label in LABELS]
    path = tmp_path / "news" / "data" / "train-00000-of-00001.parquet"
    path.parent.mkdir(parents=True)
    Dataset.from_dict({"text": TEXTS, "prediction": predictions}).to_parquet(path)
    prepare(tmp_path / "news", tmp_path / "corpus", label_column="prediction")
    assert set(map(tuple, read_gold(tmp_path / "corpus").values())) == {(x,) for x in LABELS}


def test_the_split_is_stratified_and_the_same_for_the_same_seed(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    Dataset.from_dict({"text": TEXTS, "label": LABELS}).to_csv(data, index=False)
    for name, seed in (("one", 1), ("again", 1), ("two", 2)):
        prepare(data, tmp_path / name, seed=seed, test_size=10)
    pools = {name: (tmp_path / name / "pool.jsonl").read_text() for name in ("one", "again", "two")}
    assert pools["one"] == pools["again"]
    assert pools["one"] != pools["two"]
    assert sorted(map(tuple, read_gold(tmp_path / "one").values())).count(("sport",)) == 5


def test_unlabelled_data_has_a_pool_and_held_out_texts_but_no_gold(tmp_path: Path) -> None:
    srsly.write_jsonl(tmp_path / "data.jsonl", [{"body": text} for text in TEXTS])
    prepare(
        tmp_path / "data.jsonl",
        tmp_path / "corpus",
        text_column="body",
        label_column="",
        labels="sport, tech",
    )
    assert len(read_pool(tmp_path / "corpus")) == 16
    assert len(list(srsly.read_jsonl(tmp_path / "corpus" / "held_out.jsonl"))) == 4
    assert read_labels(tmp_path / "corpus") == {"sport": "sport", "tech": "tech"}
    assert not (tmp_path / "corpus" / "test.spacy").exists()
    with pytest.raises(ProjectError, match="no gold labels"):
        read_gold(tmp_path / "corpus")


def test_label_descriptions_come_from_a_json_file(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text(json.dumps({"a": "about a", "b": "about b"}))
    assert read_label_spec(str(tmp_path / "labels.json"), "x") == {"a": "about a", "b": "about b"}
    (tmp_path / "list.json").write_text('["a", "b"]')
    assert read_label_spec(str(tmp_path / "list.json"), "x") == {"a": "a", "b": "b"}
    assert set(read_label_spec("", "bbc_news")) >= {"sports", "tech"}
    (tmp_path / "wrong.json").write_text("5")
    with pytest.raises(ProjectError, match="has no labels"):
        read_label_spec(str(tmp_path / "wrong.json"), "x")


def test_the_default_data_set_comes_with_a_package() -> None:
    data = load("bbc_news", "train", "text", "label")
    assert len(data) == 2225
    assert set(data.columns["label"]) == set(read_label_spec("", "bbc_news"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "missing.csv"}, "no file missing.csv"),
        ({"text_column": "txt"}, "no column 'txt'"),
        ({"label_column": "lab"}, "no column 'lab'"),
        ({"labels": "sport,politics"}, "labels that the settings don't have: R&D / tech"),
        ({"label_column": ""}, "at least two labels"),
        ({"labels": "missing.json"}, "no labels file"),
        ({"test_size": 1000}, "cannot be split"),
        ({"test_size": float("nan")}, "test set of nan"),
        ({"test_size": -1}, "test set of -1"),
        ({"source": "empty.csv"}, "pool is empty"),
        ({"source": "data.docx"}, "ending that is not known"),
        ({"source": "damaged.parquet"}, "cannot be read"),
        ({"source": "someone/no-such-data-set"}, "someone/no-such-data-set"),
    ],
)
def test_bad_input_gives_a_plain_message(
    options: dict[str, object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # As with the environment variable HF_HUB_OFFLINE=1: no waiting for a network that is not there
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    Dataset.from_dict({"text": TEXTS, "label": LABELS}).to_csv("data.csv", index=False)
    Dataset.from_dict({"text": [""], "label": ["a"]}).to_csv("empty.csv", index=False)
    Path("data.docx").write_text("x")
    Path("damaged.parquet").write_text("x")
    source = str(options.pop("source", "data.csv"))
    with pytest.raises(ProjectError) as caught:
        prepare(source, tmp_path / "corpus", **options)
    assert message in caught.value.title
    assert caught.value.hint
    assert not (tmp_path / "corpus" / "pool.jsonl").exists()


def test_a_seed_below_zero_is_named(tmp_path: Path) -> None:
    app = typer.Typer(rich_markup_mode=None)
    app.command()(main)
    for seed in (-1, 2**32):
        said = CliRunner().invoke(app, ["x.csv", str(tmp_path), "--seed", str(seed)])
        assert said.exit_code == 2
        assert "--seed" in said.output


def test_what_is_no_spacy_file(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text('{"a": "a"}')
    write_rows([{"text": "x", "labels": ["a"]}], ["a", "b"], tmp_path / "cut.spacy")
    whole = (tmp_path / "cut.spacy").read_bytes()
    (tmp_path / "cut.spacy").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "other.spacy").write_bytes(zlib.compress(b"\x01"))
    for name in ("labels.json", "cut.spacy", "other.spacy"):
        with pytest.raises(ProjectError, match=f"{name} cannot be read as .spacy"):
            read_docs(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_docs(tmp_path / "none.spacy")
