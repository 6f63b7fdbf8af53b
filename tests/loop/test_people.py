"""Teams, wrong answers and unlabelled data: what people do to the loop."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spacy
import srsly
from spacy.tokens import DocBin

from scripts.cli.errors import ProjectError
from scripts.data.corpus import Pool, text_id
from scripts.data.docbins import read_texts
from scripts.loop.annotate import annotate
from scripts.loop.finish import finish
from scripts.loop.machine import TEAM
from scripts.loop.progress import agreement
from scripts.loop.review import review
from scripts.loop.settings import Settings
from scripts.loop.step import step
from scripts.records.answers import Answers
from scripts.records.convert import doc_to_record
from scripts.records.held_out import open_test_set
from scripts.records.schema import SOURCES
from scripts.seed import main as seed
from scripts.test_set import main as label_held_out
from tests.loop.test_browse import correct
from tests.loop_fixtures import context_of, opened


def test_in_a_team_the_machine_answers_in_the_file_alone(settings: Callable[..., Settings]) -> None:
    chosen = settings(
        "--argilla.min_submitted", 2, "--loop.promise.rule", "fixed", "--loop.promise.certainty", 0
    )
    with opened(chosen) as (loop, gold):
        dataset, learner, pool = loop
        for _ in range(2):
            result = step(*loop, chosen)
            for person in ("anna", "ben"):
                annotate(dataset, gold, list(learner.labels), username=person)
        assert (result.asked, result.validated) == (5, 0)
        assert TEAM in result.notes
        found = dataset.answers()
        assert {a.status for a in found} == {"labelled"}
        # Checked unswayed all the same.
        assert [a.source for a in found] == ["seed"] * 6 + ["audit"] * 5
        assert all(a.machine for a in found[6:])
        done = finish(*loop, chosen)
        assert (done.given, done.by("machine")) == (0, len(pool.ids) - 11)
        assert len(dataset.answers()) == 11


def test_two_people_a_record_and_a_tie_goes_back_to_both(
    settings: Callable[..., Settings],
) -> None:
    chosen = settings("--argilla.min_submitted", 2)
    with opened(chosen) as (loop, gold):
        dataset, learner, _ = loop
        labels = list(learner.labels)
        step(*loop, chosen)
        assert annotate(dataset, gold, labels, username="anna") == 6
        assert (
            "6 records to be answered" in step(*loop, chosen).why
        )  # one answer each is not enough
        assert annotate(dataset, gold, labels, username="ben", limit=5) == 5
        last = next(a for a in dataset.pull() if a.status == "waiting")
        wrong = next(label for label in labels if label not in gold[last.id])
        dataset.respond(last, [wrong], "ben")

        answers = Answers(dataset.answers())
        assert [a.id for a in answers.tied] == [last.id]
        assert 0 < agreement(answers, learner) < 1
        result = step(*loop, chosen)
        assert (result.trained_on, result.asked) == (5, 6)
        again = next(a for a in dataset.pull() if a.id == f"{last.id}-2")
        assert (again.text, again.status, again.source) == (last.text, "waiting", "review")

        for person in ("anna", "ben"):
            annotate(dataset, gold, labels, username=person)
        found = {a.id: a for a in dataset.answers()}
        assert list(found[last.id].labels) == gold[last.id]
        assert {a.status for a in found.values()} == {"labelled"}
        # nobody's first answer was touched
        first = next(a for a in dataset.pull() if a.id == last.id)
        assert first.status == "tied"


def test_a_tie_goes_back_when_no_other_text_is_left(settings: Callable[..., Settings]) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        dataset, learner, pool = loop
        labels = list(learner.labels)
        step(*loop, chosen)
        annotate(dataset, gold, labels, username="anna")
        first = dataset.pull()[0]
        wrong = next(label for label in labels if label not in gold[first.id])
        dataset.respond(first, [wrong], "ben")
        asked = [row for row, id_ in enumerate(pool.ids) if id_ in {a.id for a in dataset.pull()}]
        small = Pool([pool.ids[row] for row in asked], [pool.texts[row] for row in asked])
        result = step(dataset, learner, small, chosen)
        assert (result.asked, result.waiting, result.finished) == (1, 1, False)
        assert "nothing is left to label" in " ".join(result.notes)
        annotate(dataset, gold, labels, username="ben")
        assert step(dataset, learner, small, chosen).finished


def test_answers_that_come_while_a_step_runs_are_kept(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        dataset, learner, _ = loop
        step(*loop, chosen)
        annotate(dataset, gold, list(learner.labels), limit=4)
        predict = learner.predict

        def predict_while_people_answer(embeddings: np.ndarray) -> np.ndarray:
            monkeypatch.undo()
            annotate(dataset, gold, list(learner.labels))
            return predict(embeddings)

        monkeypatch.setattr(learner, "predict", predict_while_people_answer)
        step(*loop, chosen, now=True)
        found = Answers(dataset.answers())
        assert len(found.labelled) == 6
        assert len(found.waiting) == 5


def test_wrong_answers_are_found_and_asked_again(settings: Callable[..., Settings]) -> None:
    chosen = settings("--loop.seed_size", 40, "--loop.budget", 0)
    with opened(chosen) as (loop, gold):
        dataset, learner, _ = loop
        labels = list(learner.labels)
        step(*loop, chosen)
        with pytest.raises(ProjectError, match="has a label by people yet"):
            review(dataset, learner, 0.3)
        annotate(dataset, gold, labels, noise=0.2)
        wrong = {a.id for a in dataset.answers() if list(a.labels) != gold[a.id]}
        assert len(wrong) >= 4
        asked = {found.answer.id for found in review(dataset, learner, 0.3)}
        assert len(asked) <= 12
        assert len(asked & wrong) >= len(wrong) / 2
        with pytest.raises(ProjectError, match=f"{len(asked)} texts asked again"):
            review(dataset, learner, 0.2)

        annotate(dataset, gold, labels)
        left = {a.id for a in dataset.answers() if list(a.labels) != gold[a.id]}
        assert left == wrong - asked
        assert asked.isdisjoint(found.answer.id for found in review(dataset, learner, 0.3))


def test_an_answer_can_be_corrected_on_either_record_of_a_text_that_was_asked_again(
    settings: Callable[..., Settings],
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        dataset = loop[0]
        step(*loop, chosen)
        annotate(dataset, gold, list(loop[1].labels), username="anna")
        first = dataset.pull()[0]
        dataset.push([dataset.again(first, 1)])
        again = next(a for a in dataset.pull() if a.round == 2)
        for record, label in ((again, "tech"), (first, "business"), (again, "sports")):
            correct(dataset, record.id, label)
            found = next(a for a in dataset.answers() if a.id == first.id)
            assert found.labels == (label,)


def test_examples_that_the_user_has_are_labels_from_the_start(
    overrides: list[str],
    settings: Callable[..., Settings],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chosen = settings()
    examples = [{"text": "The striker scored twice.", "label": "sports"}]
    examples += [{"text": "Shares fell after the merger.", "label": "business"}]
    srsly.write_jsonl(tmp_path / "examples.jsonl", examples)
    for _ in range(2):  # twice does no harm
        seed(context_of(overrides), str(tmp_path / "examples.jsonl"))
    with opened(chosen) as (loop, _):
        found = loop[0].answers()
        assert [(a.text, a.labels, a.status) for a in found] == [
            (row["text"], (row["label"],), "labelled") for row in examples
        ]
        result = step(*loop, chosen)
        assert (result.trained_on, result.asked) == (2, chosen.loop.seed_size)
    more = [{"text": "The keeper saved it.", "label": " Sports"}, {"text": "Hm.", "label": None}]
    srsly.write_jsonl(tmp_path / "more.jsonl", [*more, {"text": "Hm, too.", "label": ""}])
    seed(context_of(overrides), str(tmp_path / "more.jsonl"))
    with opened(chosen) as (loop, _):
        labelled = Answers(loop[0].answers()).labelled
        assert len(labelled) == 3  # not the two without a label
        assert ("The keeper saved it.", ("sports",)) in [(a.text, a.labels) for a in labelled]
    # Of texts that wait, or that the machine has answered; and none of the test set.
    with opened(chosen) as (loop, _):
        dataset = loop[0]
        waiting = Answers(dataset.answers()).waiting
        machine = doc_to_record(loop[1].nlp.make_doc("By machine."), iteration=1, source="auto")
        dataset.push([dataset.machine_response(machine, ["tech"])])
    tested = read_texts(chosen.paths.corpus / "test.spacy")[0][0]
    texts = [waiting[0].text, waiting[1].text, "By machine.", tested]
    srsly.write_jsonl(tmp_path / "these.jsonl", [{"text": t, "label": "sports"} for t in texts])
    capsys.readouterr()
    seed(context_of(overrides), str(tmp_path / "these.jsonl"))
    said = capsys.readouterr().out
    assert "Left out, as the pipeline is tested on them: 1 text" in said
    assert "3 examples put into Argilla, 0 were answered there already" in said
    with opened(chosen) as (loop, _):
        after = {a.text: a for a in loop[0].answers()}
        assert [after[text].labels for text in texts[:3]] == [("sports",)] * 3
        assert (after["By machine."].status, after["By machine."].machine) == (
            "labelled",
            ("tech",),
        )
        assert replace(after[texts[0]], votes=(), labels=(), status="waiting") == waiting[0]
        assert tested not in after
    srsly.write_jsonl(
        tmp_path / "these.jsonl",
        [{"text": t, "label": "sports"} for t in [*texts[1:3], "One more."]],
    )
    seed(context_of(overrides), str(tmp_path / "these.jsonl"))
    assert "1 example put into Argilla, 2 were answered" in capsys.readouterr().out
    srsly.write_jsonl(tmp_path / "other.jsonl", [{"text": "x", "label": "unheard of"}])
    with pytest.raises(ProjectError, match="unheard of"):
        seed(context_of(overrides), str(tmp_path / "other.jsonl"))


def test_in_a_team_examples_are_one_answer_which_is_said(
    overrides: list[str],
    settings: Callable[..., Settings],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    team = ["--argilla.min_submitted", "2"]
    srsly.write_jsonl(tmp_path / "one.jsonl", [{"text": "He scored.", "label": "sports"}])
    seed(context_of([*overrides, *team]), str(tmp_path / "one.jsonl"))
    assert "they count after 1 more answer by others" in capsys.readouterr().out
    with opened(settings(*team)) as (loop, _):
        assert [a.status for a in loop[0].answers()] == ["waiting"]


def test_a_label_with_a_comma_comes_back_from_argilla_in_one_piece(
    overrides: list[str], settings: Callable[..., Settings], tmp_path: Path
) -> None:
    elsewhere = [*overrides, "--paths.corpus", str(tmp_path / "corpus")]
    shutil.copytree(overrides[overrides.index("--paths.corpus") + 1], tmp_path / "corpus")
    names = {"business, money": "business", "sports, games": "sports"}
    srsly.write_json(tmp_path / "corpus" / "labels.json", names)
    examples = [{"text": f"Text {name}.", "label": name} for name in names]
    srsly.write_jsonl(tmp_path / "examples.jsonl", examples)
    seed(context_of(elsewhere), str(tmp_path / "examples.jsonl"))
    with opened(settings("--paths.corpus", tmp_path / "corpus")) as (loop, _):
        assert {a.labels for a in loop[0].answers()} == {(name,) for name in names}


def test_people_label_a_test_set_where_the_data_has_none(
    overrides: list[str],
    settings: Callable[..., Settings],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    corpus = tmp_path / "corpus"
    chosen = settings("--paths.corpus", corpus)
    shutil.copytree(overrides[overrides.index("--paths.corpus") + 1], corpus)
    gold_test = list(DocBin().from_disk(corpus / "test.spacy").get_docs(spacy.blank("en").vocab))

    def test_set() -> str:
        label_held_out(context_of([*overrides, "--paths.corpus", str(corpus)]), 5)
        return capsys.readouterr().out

    with pytest.raises(ProjectError, match=r"There is no .*held_out.jsonl"):
        test_set()
    (corpus / "test.spacy").unlink()
    with opened(chosen) as (loop, gold):
        dataset, learner, _ = loop
        labels, rows = list(learner.labels), []
        for doc in gold_test:
            rows.append({"id": text_id(doc.text), "text": doc.text})
            gold[rows[-1]["id"]] = [label for label, value in doc.cats.items() if value]
        srsly.write_jsonl(corpus / "held_out.jsonl", rows)
        said = test_set()
        assert "0 labelled, 5 waiting, 0 discarded" in said
        assert not (corpus / "test.spacy").exists()

        # its records wait, and the loop goes on
        assert step(*loop, chosen).asked == 6
        annotate(dataset, gold, labels)
        assert review(dataset, learner, 0.5) is not None
        annotate(dataset, gold, labels)
        assert step(*loop, chosen).trained_on == 6
        assert not {row["id"] for row in rows} & {a.text_id for a in dataset.pull()}

        held_out = open_test_set(dataset.client, chosen.argilla, learner.labels)
        assert held_out.dataset.name == f"{chosen.argilla.dataset}-test"
        assert f"Label at {held_out.url}" in said.splitlines()
        assert "test the model" in str(held_out.dataset.guidelines)
        records = list(held_out.dataset.records())
        assert [r.fields["text"] for r in records] == [row["text"] for row in rows[:5]]
        assert not any(list(r.suggestions) or r.metadata.to_dict() for r in records)

        annotate(held_out, gold, labels, limit=3)
        discarded = next(a for a in held_out.pull() if a.status == "waiting")
        dataset.client.http_client.post(
            f"/api/v1/records/{discarded.server_id}/responses",
            json={"status": "discarded", "values": {}},
        ).raise_for_status()
        assert "3 labelled, 1 waiting, 1 discarded" in test_set()
        docs = list(DocBin().from_disk(corpus / "test.spacy").get_docs(spacy.blank("en").vocab))
        assert [doc.text for doc in docs] == [row["text"] for row in rows[:3]]
        for doc, right in zip(docs, gold_test, strict=False):
            assert doc.cats == right.cats
        assert not list(corpus.glob("*.part"))


def test_held_out_texts_that_an_older_version_put_into_the_loop_are_not_trained_on(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings()
    monkeypatch.setattr("scripts.records.schema.SOURCES", [*SOURCES, "test"])
    with opened(chosen) as (loop, _):
        dataset, learner, _ = loop
        record = doc_to_record(learner.nlp.make_doc("held out"), iteration=0, source="test")
        dataset.push([dataset.my_response(record, ["tech"])])
        assert [answer.labels for answer in dataset.pull()] == [("tech",)]
        assert dataset.answers() == []
