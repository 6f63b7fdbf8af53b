"""The command `report` on real data and the real server."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.data.corpus import Pool, read_gold
from scripts.loop.annotate import annotate
from scripts.loop.learner import Learner
from scripts.loop.settings import Settings, load_settings
from scripts.loop.step import step
from scripts.records.answers import Answer
from scripts.report import main as report
from scripts.reporting.texts import contradictions
from scripts.simulate import main as simulate
from tests.loop_fixtures import context_of, opened
from tests.reporting.made_up import Page
from tests.small_data import TOPICS, prepare_corpus

TEST, POOL = 60, 120


def run_report(args: list[str], folder: Path) -> tuple[list[dict[str, str]], Page]:
    """The rows of the table that it writes, and the page."""
    context = context_of(args)
    report(context, folder / "steps.csv")
    rows = list(csv.DictReader((folder / "steps.csv").open()))
    return rows, Page((folder / "report.html").read_text(encoding="utf8"))


def matrix(page: Page) -> tuple[int, int]:
    """Texts on the diagonal of the confusion matrix, and in all of it."""
    cells = [(a["class"], n) for a, n in page.cells if a.get("class") in ("right", "wrong")]
    numbers = [(kind, 0 if n == "·" else int(n)) for kind, n in cells]
    return sum(n for kind, n in numbers if kind == "right"), sum(n for _, n in numbers)


def test_the_page_says_what_the_table_says(overrides: list[str], tmp_path: Path) -> None:
    args = [*overrides, "--loop.batch_size", "12", "--loop.promise.error", "0.3"]
    context = context_of(args)
    simulate(context)
    rows, page = run_report(args, tmp_path)
    cells = [text for _, text in page.cells]
    for row in rows:
        for name in ("accuracy", "macro_f", "estimate", "estimate_low"):
            if row[name]:
                assert any(f"{float(row[name]):.3f}" in cell for cell in cells)
    last = rows[-1]
    right, n = matrix(page)
    assert n == TEST
    assert right / n == pytest.approx(float(last["accuracy"]))
    tiles = page.text["b"]
    assert tiles[0] == f"≤ {100 * float(last['promised']):.1f}\N{NO-BREAK SPACE}%"
    assert tiles[1] == last["people"] == "30"
    assert sum(map(int, tiles[1:4])) == POOL
    assert tiles[4:] == [f"{float(last['estimate']):.3f}", f"{float(last['accuracy']):.3f}"]
    assert f"macro F {float(last['macro_f']):.3f}" in page.words
    assert len(page.all("circle")) == POOL
    assert len([c for c in page.all("circle") if "people" in c["class"]]) == 30
    # The same answers by other settings.
    promised = f"at most {tiles[0][2:]} of all labels are wrong, those by people and by machine"
    assert promised in page.words
    precision = ["--loop.promise.kind", "precision", "--loop.promise.error", "0.6"]
    _, page = run_report([*args[:-2], *precision], tmp_path)
    most = page.text["b"][0][2:]
    assert f"at most {most} of the machine's labels are wrong, whatever" in page.words
    assert "of the machine's labels wrong: promised" in page.words
    assert "of all labels wrong: promised" not in page.words
    _, page = run_report([*args, "--loop.promise.rule", "fixed"], tmp_path)
    assert "Nothing is promised: [loop.promise] rule is fixed." in page.words


def test_few_labels_or_none(
    overrides: list[str], settings: Callable[..., Settings], tmp_path: Path
) -> None:
    with opened(settings()) as (loop, gold):
        step(*loop, settings())
        rows, page = run_report(overrides, tmp_path)
        assert [row["people"] for row in rows] == ["0"]
        for words in ("Nothing is promised yet.", "There is no trained model", "6 wait for people"):
            assert words in page.words
        assert matrix(page) == (0, 0)
        # All the same label: still nothing to learn from.
        annotate(loop[0], {id_: ["tech"] for id_ in gold}, list(TOPICS), limit=2)
        _, page = run_report(overrides, tmp_path)
        assert "Nothing is promised yet." in page.words
        assert page.text["b"][1] == "2"
        annotate(loop[0], gold, list(TOPICS))
        _, page = run_report(overrides, tmp_path)
        assert matrix(page)[1] == TEST


def test_without_a_test_set_people_s_labels_are_all_there_is(
    overrides: list[str], small_corpus: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_corpus, tmp_path / "corpus")
    (tmp_path / "corpus" / "test.spacy").unlink()
    args = [*overrides, "--paths.corpus", str(tmp_path / "corpus")]
    chosen = load_settings(Path("configs/loop.cfg"), args)
    with opened(chosen) as (loop, gold):
        step(*loop, chosen)
        annotate(loop[0], gold, list(TOPICS))
        rows, page = run_report(args, tmp_path)
    assert rows[-1]["accuracy"] == ""
    assert "There is no test set. On the 6 texts that people labelled" in page.words
    assert matrix(page)[1] == 6
    assert "Accuracy on the test set" not in page.words


def test_several_labels(
    headlines: list[dict[str, str]], overrides: list[str], pipelines: Path, tmp_path: Path
) -> None:
    rows = [{"text": h["text"], "label": [h["label"]] * (h["label"] != "tech")} for h in headlines]
    corpus = prepare_corpus(rows, tmp_path, {"business": "companies", "sports": "matches"})
    pipeline = str(pipelines / "textcat_multilabel.cfg")
    args = [*overrides, "--paths.corpus", str(corpus), "--paths.pipeline", pipeline]
    chosen = load_settings(Path("configs/loop.cfg"), [*args, "--loop.seed_size", "20"])
    with opened(chosen) as (loop, _):
        step(*loop, chosen)
        annotate(loop[0], read_gold(corpus), ["business", "sports"])
        table, page = run_report(args, tmp_path)
    last = table[-1]
    said = f"exact match {float(last['exact_match']):.3f}, micro F {float(last['micro_f']):.3f}"
    assert f"{said}, macro F {float(last['macro_f']):.3f}, calibration error" in page.words
    assert matrix(page) == (0, 0)
    assert "none of the labels" in page.words
    assert "accuracy" not in page.words.replace("target_accuracy", "").lower()


def test_near_duplicates_with_other_labels_are_found(pipelines: Path, tmp_path: Path) -> None:
    texts = ["The team won the final", "The team WON the final", "Shares fell in London"]
    said = [("sports",), ("tech",), ("business",)]
    answers = [
        Answer(str(n), text, status, labels, 0, "seed")
        for n, (text, status, labels) in enumerate(
            zip(texts, ["labelled", "machine", "labelled"], said, strict=True)
        )
    ]
    pool = Pool([], [])
    learner = Learner(pipelines / "textcat.cfg", tmp_path / "cache", TOPICS, pool)
    learner.train([])
    probs = learner.predict(learner.embed(texts))
    ((first, second),) = contradictions(answers, probs, learner)
    assert (first.text, second.text) == (texts[0], texts[1])
    assert (first.given, second.given, second.by) == (said[0], said[1], "machine")
