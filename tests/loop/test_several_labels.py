"""Texts with any number of labels, none included: the whole way, and what refuses them."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import srsly

from scripts.cli.errors import ProjectError
from scripts.data.docbins import given, read_docs, write_rows
from scripts.loop.annotate import annotate
from scripts.loop.settings import Settings, load_settings
from scripts.loop.step import step
from scripts.pull import main as pull
from scripts.records.answers import Answers
from scripts.records.convert import NONE, QUESTION
from scripts.records.dataset import BOT, LoopDataset
from scripts.report import main as report
from scripts.seed import main as seed
from scripts.simulate import main as simulate
from scripts.train import main as train
from tests.loop_fixtures import context_of, new_name, opened
from tests.small_data import prepare_corpus

LABELS = {
    "business": "companies and markets",
    "sports": "matches and players",
    "quote": "somebody says something",
}


def several(text: str, topic: list[str]) -> list[str]:
    """Its topic, if it is not tech, and whether there is a quotation: none, one or two labels."""
    return [label for label in topic if label in LABELS] + ["quote"] * ("'" in text)


@pytest.fixture
def corpus(headlines: list[dict[str, str]], tmp_path: Path) -> Path:
    """The headlines, prepared from lists of labels."""
    rows = [{"text": h["text"], "label": several(h["text"], [h["label"]])} for h in headlines]
    assert {len(row["label"]) for row in rows} == {0, 1, 2}
    return prepare_corpus(rows, tmp_path, LABELS)


@pytest.fixture
def args(overrides: list[str], corpus: Path, pipelines: Path) -> list[str]:
    pipeline = pipelines / "textcat_multilabel.cfg"
    return [*overrides, "--paths.corpus", str(corpus), "--paths.pipeline", str(pipeline)]


@pytest.fixture
def several_labels(args: list[str]) -> Callable[..., Settings]:
    return lambda *more: load_settings(Path("configs/loop.cfg"), [*args, *map(str, more)])


def test_none_one_and_two_labels_go_the_whole_way(
    args: list[str],
    several_labels: Callable[..., Settings],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """simulate, pull, train, evaluate, report: the commands themselves."""
    more = ["--loop.seed_size", "20", "--loop.budget", "30"]
    context = context_of([*args, *more])
    simulate(context)
    said = capsys.readouterr().out
    assert "The budget of 30 answers is spent" in said
    assert "estimated exact match (an answer is right if all its labels are)" in said
    assert "points of exact match" in said
    with opened(several_labels()) as (loop, gold):
        labelled = Answers(loop[0].answers()).labelled
        assert len(labelled) == 30
        assert {len(a.labels) for a in labelled} == {0, 1, 2}
        assert all(sorted(a.labels) == sorted(gold[a.id]) for a in labelled)
        for record in list(loop[0].dataset.records())[20:]:
            suggestion = record.suggestions[QUESTION]
            assert suggestion.value == [NONE] or set(suggestion.value) <= set(LABELS)
            assert len(suggestion.score) == len(suggestion.value)

    pull(context, tmp_path / "train.spacy")
    docs = read_docs(tmp_path / "train.spacy")
    assert {tuple(doc.cats) for doc in docs} == {tuple(LABELS)}
    assert sorted(len(given(doc)) for doc in docs) == sorted(len(a.labels) for a in labelled)

    train(context, tmp_path / "train.spacy", tmp_path / "model")
    command = [sys.executable, "-m", "spacy", "evaluate", str(tmp_path / "model")]
    command += [str(tmp_path / "corpus" / "test.spacy"), "--code", "components/code.py"]
    subprocess.run([*command, "--output", str(tmp_path / "test.json")], check=True)
    scores = json.loads((tmp_path / "test.json").read_text())

    capsys.readouterr()
    report(context, tmp_path / "steps.csv")
    said = capsys.readouterr().out
    assert "Exact   Micro F   Macro F" in said
    assert "accuracy" not in said.lower()
    last = list(csv.DictReader((tmp_path / "steps.csv").open()))[-1]
    assert float(last["micro_f"]) == pytest.approx(scores["cats_micro_f"])
    assert float(last["macro_f"]) == pytest.approx(scores["cats_macro_f"])
    assert 0.3 < float(last["exact_match"]) < float(last["micro_f"])


def test_nothing_but_none_so_far_trains_nothing(several_labels: Callable[..., Settings]) -> None:
    chosen = several_labels()
    with opened(chosen) as (loop, _):
        dataset, learner, pool = loop
        step(*loop, chosen)
        annotate(dataset, {id_: [] for id_ in pool.ids}, list(LABELS))
        assert {a.labels for a in dataset.answers()} == {()}
        result = step(*loop, chosen)  # more of the cold start
        assert (result.trained_on, result.asked) == (0, 6)
        first = {a.id for a in dataset.answers()[:6]}
        annotate(dataset, {id_: ["sports"] for id_ in pool.ids}, list(LABELS))
        assert step(*loop, chosen).trained_on == 12  # one label, and texts without it
        probs = learner.predict(learner.embed(pool.texts))
        without = np.array([id_ in first for id_ in pool.ids])
        assert probs[without, 1].mean() < probs[~without, 1].mean()


def test_the_machine_answers_none_and_is_checked(several_labels: Callable[..., Settings]) -> None:
    chosen = several_labels(
        "--loop.seed_size", 20, "--loop.promise.rule", "fixed", "--loop.promise.certainty", 0
    )
    with opened(chosen) as (loop, gold):
        dataset, _, pool = loop
        step(*loop, chosen)
        annotate(dataset, gold, list(LABELS))
        result = step(*loop, chosen)
        assert (result.asked, result.validated) == (5, len(pool.ids) - 25)
        machine = Answers(dataset.answers()).machine
        assert () in {a.machine for a in machine}
        for a in machine:
            assert [(vote.user, vote.labels) for vote in a.votes] == [(BOT, a.machine)]
        annotate(dataset, gold, list(LABELS))
        step(*loop, chosen)
        checked = [a for a in dataset.answers() if a.source == "audit"]
        assert len(checked) == 10  # both batches after the first
        assert None not in {a.machine for a in checked}
        assert all(a.drawn is not None for a in checked)


def test_none_beside_a_label_is_asked_again(several_labels: Callable[..., Settings]) -> None:
    chosen = several_labels()
    with opened(chosen) as (loop, gold):
        dataset = loop[0]
        step(*loop, chosen)
        first = dataset.pull()[0]
        dataset.respond(first, [NONE, "quote"], "anna")
        annotate(dataset, gold, list(LABELS), username="ben", limit=6)
        found = {a.id: a for a in dataset.pull()}
        assert found[first.id].status == "tied"
        step(*loop, chosen)
        assert f"{first.id}-2" in {a.id for a in dataset.pull()}


def test_a_simulation_says_why_it_ends_early(args: list[str], corpus: Path) -> None:
    gold = list(srsly.read_jsonl(corpus / "oracle.jsonl"))
    pool = {row["id"]: row["text"] for row in srsly.read_jsonl(corpus / "pool.jsonl")}
    kept = [row if n % 2 else {**row, "labels": None} for n, row in enumerate(gold)]
    srsly.write_jsonl(corpus / "oracle.jsonl", kept)
    with pytest.raises(ProjectError, match="left without a gold label") as error:
        simulate(context_of(args))
    text = error.value.hint.splitlines()[0].partition("'")[2][:-1]
    found = {row["id"] for row in kept if pool[row["id"]].startswith(text)}
    assert all(row["labels"] is None for row in kept if row["id"] in found)


def test_lists_are_refused_where_a_text_has_one_label(
    overrides: list[str], corpus: Path, pipelines: Path, tmp_path: Path
) -> None:
    one = context_of([*overrides, "--paths.corpus", str(corpus)])
    with pytest.raises(ProjectError, match=r"Text \d+ of the prepared pool has ") as error:
        simulate(one)
    assert "textcat_multilabel.cfg" in error.value.hint
    for row in (gold := list(srsly.read_jsonl(corpus / "oracle.jsonl"))):
        row["labels"] = ["quote"]
    srsly.write_jsonl(corpus / "oracle.jsonl", gold)
    with pytest.raises(ProjectError, match="The prepared data has texts with several labels"):
        simulate(one)  # those of the test set

    srsly.write_json(corpus / "meta.json", {"name": "old"})
    rows = [{"text": "Shares fell.", "label": ["business"]}]
    rows.append({"text": "'We won', he says.", "label": ["sports", "quote"]})
    srsly.write_jsonl(tmp_path / "examples.jsonl", rows)
    with pytest.raises(ProjectError, match=r"Text 2 of .* has 2 labels \(sports, quote\)"):
        seed(one, str(tmp_path / "examples.jsonl"))
    srsly.write_jsonl(tmp_path / "examples.jsonl", rows[:1])
    seed(one, str(tmp_path / "examples.jsonl"))
    with pytest.raises(ProjectError, match=r"Text \d+ of .*test.spacy has "):
        report(one, tmp_path / "steps.csv")
    write_rows([{"text": "x", "labels": []}], list(LABELS), tmp_path / "train.spacy")
    with pytest.raises(ProjectError, match=r"Text 1 of .*train.spacy has none of the labels"):
        train(one, tmp_path / "train.spacy", tmp_path / "model")


def test_the_data_set_and_the_pipeline_must_agree(
    several_labels: Callable[..., Settings], settings: Callable[..., Settings]
) -> None:
    chosen = several_labels()
    with opened(chosen) as (loop, _):
        client, labels = loop[0].client, dict(loop[1].labels)
        one = chosen.argilla.model_copy(update={"multi_label": False})
        with pytest.raises(ProjectError, match=r"takes any number .* exactly one label a text"):
            LoopDataset.open(client, one, labels, None)
    chosen = settings("--argilla.dataset", new_name())
    with opened(chosen) as (loop, _):
        labels = dict(loop[1].labels)
        many = chosen.argilla.model_copy(update={"multi_label": True})
        with pytest.raises(ProjectError, match=r"takes exactly one .* any number of labels"):
            LoopDataset.open(client, many, labels, None)
        with pytest.raises(ProjectError, match=f"cannot be called '{NONE}'"):
            fresh = many.model_copy(update={"dataset": f"{many.dataset}-2"})
            LoopDataset.open(client, fresh, {**labels, NONE: NONE}, 384)


def test_the_pipeline_alone_says_multi_label_and_threshold(
    several_labels: Callable[..., Settings],
    settings: Callable[..., Settings],
    pipelines: Path,
    tmp_path: Path,
) -> None:
    assert several_labels().argilla.multi_label
    with pytest.raises(ProjectError, match="multi_label is no setting any more"):
        settings("--argilla.multi_label", "true")
    config = (pipelines / "textcat_multilabel.cfg").read_text()
    cfg = tmp_path / "high.cfg"
    cfg.write_text(config.replace("threshold = 0.5", "threshold = 0.9999"))
    chosen = several_labels("--paths.pipeline", cfg)
    with opened(chosen) as (loop, gold):
        assert loop[1].label_threshold == 0.9999
        step(*loop, chosen)
        # From names alone nothing is that sure, nor that there is nothing.
        assert not any(list(record.suggestions) for record in loop[0].dataset.records())
        annotate(loop[0], gold, list(LABELS))
        step(*loop, chosen)
        found = [r.suggestions[QUESTION] for r in list(loop[0].dataset.records())[6:]]
        assert [s.value for s in found] == [[NONE]] * 5
    cfg.write_text(config.replace("multi_label = true", ""))
    with pytest.raises(ProjectError, match="does not say whether a text can have several"):
        several_labels("--paths.pipeline", cfg)
    with pytest.raises(ProjectError, match="There is no pipeline config"):
        several_labels("--paths.pipeline", tmp_path / "nowhere.cfg")
