"""prepare over what was prepared before: nothing that people made is lost without being asked."""

from pathlib import Path

import pytest
import srsly

from scripts.cli.errors import ProjectError
from scripts.data.corpus import Pool, read_meta, read_pool, text_id
from scripts.data.docbins import read_texts, write_rows
from scripts.prepare import main

LABELS = "sport,tech"


def write(path: Path, n: int = 100, label: bool = False) -> Path:
    rows = [
        {"text": f"{path.stem} {i}"} | ({"label": f"l{i % 2}"} if label else {}) for i in range(n)
    ]
    srsly.write_jsonl(path, rows)
    return path


def prepare(source: Path | str, corpus: Path, **options: object) -> tuple[Pool, list[str]]:
    """The pool, and the texts that are held out for people."""
    main(str(source), corpus, **{"labels": LABELS, **options})  # type: ignore[arg-type]
    held_out = srsly.read_jsonl(corpus / "held_out.jsonl")
    return read_pool(corpus), [row["text"] for row in held_out]


def label_test_set(corpus: Path, texts: list[str]) -> bytes:
    """As `weasel run test-set` writes it."""
    rows = [{"text": text, "labels": ["sport"]} for text in texts]
    write_rows(rows, LABELS.split(","), corpus / "test.spacy")
    return (corpus / "test.spacy").read_bytes()


def contents(corpus: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in corpus.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("texts", "asked", "held_out"), [(1000, 100, 100), (100, 100, 20), (100, 5, 5), (3, 100, 0)]
)
def test_no_more_is_held_out_than_people_will_be_asked(
    tmp_path: Path, texts: int, asked: int, held_out: int
) -> None:
    data = write(tmp_path / "data.jsonl", texts)
    pool, test = prepare(data, tmp_path / "corpus", test_labels=asked, test_size=0.5)
    assert (len(pool), len(test)) == (texts - held_out, held_out)
    assert test != sorted(test) or held_out < 2  # a random sample, in a random order


def test_the_same_data_again_keeps_the_labelled_test_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, corpus = write(tmp_path / "data.jsonl"), tmp_path / "corpus"
    before, held_out = prepare(data, corpus, test_labels=10)
    labelled = label_test_set(corpus, held_out)
    # With another seed, and with more texts in the file: the texts of the test stay out of the
    # pool, and those of the pool, which people may have labelled, do not come into the test.
    write(data, 300)
    after, again = prepare(data, corpus, test_labels=20, seed=1)
    assert (corpus / "test.spacy").read_bytes() == labelled
    assert "stays as it is" in capsys.readouterr().out
    assert again[:10] == held_out
    assert len(again) == 20
    assert not set(again) & set(after.texts)
    assert set(before.ids) <= set(after.ids)
    # Asked for, all is drawn anew.
    prepare(data, corpus, overwrite="true", test_labels=20, seed=1)
    assert not (corpus / "test.spacy").exists()


@pytest.mark.parametrize("options", [{}, {"seed": 3}, {"test_size": 0.2}, {"test_size": 70}])
def test_gold_data_again_keeps_its_test_set_and_its_pool(
    tmp_path: Path, options: dict[str, float]
) -> None:
    data, corpus = write(tmp_path / "data.jsonl", label=True), tmp_path / "corpus"

    def prepared(**options: float) -> tuple[list[str], list[str]]:
        main(str(data), corpus, label_column="label", **options)  # type: ignore[arg-type]
        return read_pool(corpus).texts, read_texts(corpus / "test.spacy")[0]

    pool, test = prepared()
    assert (pool, test) == prepared(**options) or options
    write(data, 160, label=True)
    more_pool, more_test = prepared(**options)
    assert set(pool) < set(more_pool)
    assert set(test) < set(more_test)
    assert len(more_pool) + len(more_test) == 160
    main(str(data), corpus, label_column="label", overwrite="true", seed=4)
    assert set(read_pool(corpus).texts) & set(test)


def test_data_that_got_gold_labels_is_tested_on_what_was_held_out(tmp_path: Path) -> None:
    data, corpus = write(tmp_path / "data.jsonl", label=True), tmp_path / "corpus"
    pool, held_out = prepare(data, corpus, labels="l0,l1")
    main(str(data), corpus, label_column="label")
    assert set(read_texts(corpus / "test.spacy")[0]) == set(held_out)
    assert set(read_pool(corpus).texts) == set(pool.texts)


def test_other_data_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    mine, other, corpus = tmp_path / "mine.jsonl", tmp_path / "other.jsonl", tmp_path / "corpus"
    _, held_out = prepare(write(mine), corpus)
    label_test_set(corpus, held_out)
    before = contents(corpus)
    for source in (write(other), "bbc_news"):
        labels = "" if source == "bbc_news" else LABELS
        with pytest.raises(ProjectError, match="holds other data") as caught:
            prepare(source, corpus, labels=labels)
        assert str(mine) in caught.value.hint
        assert "--vars.overwrite true" in caught.value.hint
        assert contents(corpus) == before
    with pytest.raises(ProjectError, match="with other settings") as caught:
        prepare(mine, corpus, labels="sport,politics")
    assert "asked for: sport, politics\n" in caught.value.hint
    assert contents(corpus) == before
    write(mine, label=True)
    with pytest.raises(ProjectError, match="with other settings") as caught:
        prepare(mine, corpus, text_column="label")
    assert caught.value.hint.startswith("text_column: text; asked for: label\nAsk for what it was")
    with pytest.raises(ProjectError, match="with other settings") as caught:
        prepare(mine, corpus, labels="l0,l1,sport,tech", label_column="label")
    assert "no gold labels in the data" in caught.value.hint
    assert contents(corpus) == before
    (corpus / "embeddings").mkdir()
    pool, _ = prepare(other, corpus, overwrite="true")
    assert all(text.startswith("other") for text in pool.texts)
    assert read_meta(corpus)["name"] == "other"
    # The cache is of use for any data; all else belonged to the other data set.
    left = {path.name for path in corpus.iterdir()}
    assert left == {"embeddings", "held_out.jsonl", "labels.json", "meta.json", "pool.jsonl"}


def test_the_same_file_by_another_path_is_the_same_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "data.jsonl")
    prepare("data.jsonl", Path("corpus"))
    prepare(tmp_path / "data.jsonl", Path("corpus"))


def test_data_of_the_same_name_would_share_their_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    one, other = (write(tmp_path / folder / "train.jsonl") for folder in ("a", "b"))
    prepare(one, tmp_path / "corpus")
    prepare(one, tmp_path / "corpus", overwrite="true")
    assert "called 'train' in Argilla" not in capsys.readouterr().out
    prepare(other, tmp_path / "corpus", overwrite="true")
    assert "is called 'train' in Argilla too" in capsys.readouterr().out


def test_settings_can_be_mended_while_nobody_has_labelled(tmp_path: Path) -> None:
    data, corpus = write(tmp_path / "data.jsonl", label=True), tmp_path / "corpus"
    prepare(data, corpus, labels="sport,tec")
    prepare(data, corpus, labels="sport,tech")
    main(str(data), corpus, label_column="label")
    assert (corpus / "test.spacy").exists()
    assert not (corpus / "held_out.jsonl").exists()


def test_a_gold_test_set_is_none_that_people_labelled(tmp_path: Path) -> None:
    data, corpus = write(tmp_path / "data.jsonl", label=True), tmp_path / "corpus"
    main(str(data), corpus, label_column="label")
    (corpus / "train.spacy").write_bytes(b"pulled")
    prepare(data, corpus)
    assert not (corpus / "test.spacy").exists()
    assert not (corpus / "oracle.jsonl").exists()
    assert (corpus / "train.spacy").exists()  # of the same data


def test_the_demo_gives_way_to_own_data(tmp_path: Path) -> None:
    main("bbc_news", tmp_path / "corpus", label_column="label")
    prepare(write(tmp_path / "data.jsonl"), tmp_path / "corpus")
    assert not (tmp_path / "corpus" / "oracle.jsonl").exists()
    assert not (tmp_path / "corpus" / "test.spacy").exists()


def test_what_fails_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, corpus = write(tmp_path / "data.jsonl", label=True), tmp_path / "corpus"
    main(str(data), corpus, label_column="label")
    before = contents(corpus)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    write(data, 200, label=True)
    monkeypatch.setattr("scripts.data.docbins.write_rows", full)
    with pytest.raises(OSError, match="No space"):
        main(str(data), corpus, label_column="label")
    assert contents(corpus) == before
    assert not (corpus / ".prepare").exists()


def test_several_labels_a_text_and_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [["a", "b"], ["b"], [], None, ""]
    rows = [{"text": f"text {i}", "label": given[i % 5]} for i in range(50)]
    srsly.write_jsonl(tmp_path / "data.jsonl", rows)
    corpus = tmp_path / "corpus"
    main(str(tmp_path / "data.jsonl"), corpus, label_column="label")
    gold = {row["id"]: row["labels"] for row in srsly.read_jsonl(corpus / "oracle.jsonl")}
    texts, labels = read_texts(corpus / "test.spacy")
    gold |= dict(zip(map(text_id, texts), labels, strict=True))
    # Exactly those with an answer, and "none of the labels" is one.
    assert gold == {
        text_id(row["text"]): row["label"] for row in rows if isinstance(row["label"], list)
    }
    assert read_meta(corpus)["multi_label"] is True
    out = capsys.readouterr().out
    assert "Labelled texts: 30, with several labels: 10, with none: 10" in out
    assert "configs/textcat_multilabel.cfg" in out
    # .spacy keeps the difference between none of the labels and no answer.
    main(str(corpus / "test.spacy"), tmp_path / "again", label_column="label", labels="a,b")
    assert read_meta(tmp_path / "again")["multi_label"] is True
    assert (
        len(read_pool(tmp_path / "again")) + len(read_texts(tmp_path / "again/test.spacy")[0]) == 15
    )
