"""The whole pool in Argilla: what is logged and brought up to date, and that labels found there
teach and prove nothing."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import argilla as rg
import httpx
import pytest
import spacy
from spacy.tokens import DocBin

from scripts.loop.annotate import annotate
from scripts.loop.assess import assess
from scripts.loop.browse import browse
from scripts.loop.finish import finish
from scripts.loop.found import take_found
from scripts.loop.replay import replay
from scripts.loop.review import review
from scripts.loop.settings import Settings, load_settings
from scripts.loop.step import GIVE_MOST, step
from scripts.pull import main as pull
from scripts.records import schema as loop_records
from scripts.records.answers import Answer, Answers
from scripts.records.convert import NONE, QUESTION, TEXT, VECTOR, to_value
from scripts.records.dataset import BOT, LoopDataset
from scripts.records.pool_dataset import find_pool, pool_name
from scripts.records.schema import find
from tests.loop.test_live import hear, running
from tests.loop_fixtures import Loop, context_of, new_name, opened


def pool_records(dataset: LoopDataset, **options: Any) -> dict[str, rg.Record]:
    found = find_pool(dataset)
    assert found is not None
    return {str(record.id): record for record in found.records(**options)}


def say(
    dataset: LoopDataset,
    id_: str,
    labels: list[str] | str | None,
    user: str = "anna",
    status: str = "submitted",
) -> None:
    """What the page of the pool sends when a person answers there, or changes an answer."""
    found = find_pool(dataset)
    assert found is not None
    chosen = [labels] if isinstance(labels, str) else labels
    value = to_value(chosen, dataset.settings.multi_label) if chosen else None
    _send(dataset, found, id_, {QUESTION: {"value": value}} if value else {}, user, status)


def correct(dataset: LoopDataset, id_: str, label: str, user: str = "anna") -> None:
    """The same in the loop's data set."""
    _send(dataset, dataset.dataset, id_, {QUESTION: {"value": label}}, user, "submitted")


def _send(
    dataset: LoopDataset, there: rg.Dataset, id_: str, values: Any, user: str, status: str
) -> None:
    (record,) = there.records(rg.Query(filter=("id", "==", id_)), with_responses=False)
    reply = dataset.client.http_client.post(
        "/api/v1/me/responses/bulk",
        json={"items": [{"status": status, "values": values, "record_id": str(record._server_id)}]},
        headers={"X-Argilla-Api-Key": dataset.user(user)["api_key"]},
    )
    assert reply.json()["items"][0]["item"], reply.text


def answer_of(dataset: LoopDataset, id_: str) -> Answer:
    return {a.text_id: a for a in dataset.answers()}[id_]


def begun(loop: Loop, chosen: Settings, gold: dict[str, list[str]], steps: int = 1) -> None:
    """Steps that are answered."""
    for _ in range(steps):
        step(*loop, chosen)
        annotate(loop[0], gold, list(loop[1].labels))


def open_ids(loop: Loop) -> list[str]:
    asked = {a.text_id for a in loop[0].answers()}
    return [id_ for id_ in loop[2].ids if id_ not in asked]


def test_the_pool_is_there_to_search_filter_and_sort(settings: Callable[..., Settings]) -> None:
    chosen = settings()
    with opened(chosen) as (loop, _gold):
        dataset, learner, pool = loop
        done = browse(*loop, chosen)
        assert (done.there, done.logged, done.updated) == (0, len(pool), 0)
        records = pool_records(dataset, with_vectors=True)
        assert list(records) == pool.ids
        for id_, text in zip(pool.ids, pool.texts, strict=True):
            record = records[id_]
            assert record.fields[TEXT] == text
            assert record.metadata["state"] == "open"
            assert "people" not in record.metadata
            suggestion = record.suggestions[QUESTION]
            assert suggestion.agent == "classy_textcat-zero-shot-000"
            assert suggestion.value == record.metadata["model"]
            assert suggestion.score == pytest.approx(record.metadata["score"], abs=1e-4)
            assert record.vectors[VECTOR] == pytest.approx(learner.embed([text])[0], abs=1e-6)
        found = find_pool(dataset)
        assert found is not None
        assert "whole pool" in str(found.guidelines)
        assert "These texts are asked" in str(dataset.dataset.guidelines)
        assert {q.name for q in found.settings.questions} == {QUESTION, "note"}
        sure = found.records(
            rg.Query(filter=[("metadata.model", "==", "sports"), ("metadata.score", ">=", 0.5)])
        )
        expected = {
            r.id
            for r in records.values()
            if (r.metadata["model"], r.metadata["score"] >= 0.5) == ("sports", True)
        }
        assert {r.id for r in sure} == expected
        assert 0 < len(expected) < len(pool)
        first = records[pool.ids[0]]
        near = list(found.records(rg.Query(similar=rg.Similar(VECTOR, first)), limit=5))
        assert first.id not in {record.id for record, _ in near}
        again = browse(*loop, chosen)
        assert (again.there, again.logged, again.updated) == (len(pool), 0, 0)


def test_refresh_writes_what_changed_and_no_response(settings: Callable[..., Settings]) -> None:
    chosen = settings("--loop.promise.rule", "fixed", "--loop.promise.certainty", 0.9)
    with opened(chosen) as (loop, gold):
        dataset, _, pool = loop
        assert browse(*loop, chosen, first=100).logged == 100
        before = pool_records(dataset)
        # Said in the pool, and not yet in the loop's data set.
        say(dataset, pool.ids[0], gold[pool.ids[0]])
        say(dataset, pool.ids[1], "tech", status="draft")
        begun(loop, chosen, gold, steps=3)
        step(*loop, chosen)
        discarded = next(a for a in dataset.answers() if a.status == "waiting")
        dataset.client.http_client.post(
            f"/api/v1/records/{discarded.server_id}/responses",
            json={"status": "discarded", "values": {}},
        ).raise_for_status()

        assert browse(*loop, chosen, first=110).updated == 0
        done = browse(*loop, chosen, refresh=True)
        assert (done.there, done.logged) == (110, len(pool) - 110)
        assert 0 < done.updated <= 110
        after = pool_records(dataset)
        states = {"labelled": "people", "tied": "waiting"}
        said = {a.text_id: a for a in dataset.answers()}
        for id_, record in after.items():
            a = said.get(id_)
            status = a.status if a else "open"
            assert record.metadata["state"] == states.get(status, status)
            people = a.labels[0] if a and a.status == "labelled" else None
            assert record.metadata.get("people") == people
            blind = a and a.status == "waiting" and a.source == "audit"
            assert ("model" in record.metadata, bool(list(record.suggestions))) == (
                (False, False) if blind else (True, True)
            )
            if id_ in before and record.updated_at == before[id_].updated_at:
                moved = record.metadata["score"] - before[id_].metadata["score"]
                assert abs(moved) < 0.05
        assert {"open", "waiting", "people", "discarded"} <= {
            r.metadata["state"] for r in after.values()
        }
        for id_ in pool.ids[:2]:
            (response,) = after[id_].responses[QUESTION]
            assert response.status == ("submitted" if id_ == pool.ids[0] else "draft")
        assert browse(*loop, chosen, refresh=True).updated == 0


def test_texts_that_wait_unswayed_come_without_a_suggestion(
    settings: Callable[..., Settings],
) -> None:
    chosen = settings("--loop.promise.rule", "fixed", "--loop.promise.certainty", 0)
    with opened(chosen) as (loop, gold):
        dataset = loop[0]
        browse(*loop, chosen)
        begun(loop, chosen, gold)
        step(*loop, chosen)  # what it asks now, the machine would answer
        browse(*loop, chosen, refresh=True)
        records = pool_records(dataset)
        audits = [a.text_id for a in dataset.answers() if a.source == "audit"]
        assert len(audits) == 5
        for id_, record in records.items():
            assert ("model" in record.metadata) == (id_ not in audits)
            assert bool(list(record.suggestions)) == (id_ not in audits)
        states = [r.metadata["state"] for r in records.values()]
        assert states.count("machine") == min(len(loop[2]) - 11, GIVE_MOST)
        annotate(dataset, gold, list(loop[1].labels))
        browse(*loop, chosen, refresh=True)
        records = pool_records(dataset)
        assert all(list(records[id_].suggestions) for id_ in audits)


def test_a_killed_run_goes_on_and_logs_nothing_twice(
    settings: Callable[..., Settings], overrides: list[str]
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, _):
        dataset, _, pool = loop
        killed = subprocess.Popen([sys.executable, "-m", "scripts.browse", *overrides])
        try:
            while not (found := find_pool(dataset)) or not list(found.records(limit=1)):
                assert killed.poll() is None
                time.sleep(0.05)
        finally:
            os.kill(killed.pid, signal.SIGKILL)
            killed.wait()
        # The server may still be at it.
        made = itertools.pairwise(iter(lambda: (time.sleep(1), len(pool_records(dataset)))[1], -1))
        size = next(after for before, after in made if before == after)
        done = browse(*loop, chosen)
        assert (done.there, done.logged) == (size, len(pool) - size)
        assert list(pool_records(dataset)) == pool.ids


def test_it_is_cut_off_at_any_request_and_goes_on(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, send = settings(), httpx.Client.send

    class Cut(Exception):
        pass

    def cut(self: httpx.Client, request: httpx.Request, **kwargs: Any) -> httpx.Response:
        response = send(self, request, **kwargs)
        if request.url.path.endswith("/bulk"):
            raise Cut
        return response

    monkeypatch.setattr("scripts.loop.browse.BATCH", 50)
    with opened(chosen) as (loop, gold):
        dataset, _, pool = loop
        for there in (50, 100, len(pool)):
            monkeypatch.setattr(httpx.Client, "send", cut)
            with pytest.raises(Cut):
                browse(*loop, chosen)
            monkeypatch.setattr(httpx.Client, "send", send)
            assert list(pool_records(dataset)) == pool.ids[:there]
        assert browse(*loop, chosen).logged == 0

        # And so does the copying of what was found.
        begun(loop, chosen, gold)
        for id_ in open_ids(loop)[:3]:
            say(dataset, id_, gold[id_])
        monkeypatch.setattr(httpx.Client, "send", cut)
        with pytest.raises(Cut):
            step(*loop, chosen)
        monkeypatch.setattr(httpx.Client, "send", send)
        assert step(*loop, chosen).trained_on == 9
        assert len(dataset.pull()) == 6 + 3 + 5


def test_a_label_found_there_teaches_at_the_next_step_and_proves_nothing(
    settings: Callable[..., Settings], overrides: list[str], tmp_path: Path
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        dataset, learner, pool = loop
        browse(*loop, chosen)
        begun(loop, chosen, gold, steps=2)
        one, other, left = open_ids(loop)[:3]
        say(dataset, one, gold[one])
        say(dataset, other, None, status="discarded")
        say(dataset, left, gold[left], status="draft")
        result = step(*loop, chosen)
        assert (result.iteration, result.trained_on) == (2, 12)
        assert "2 answers from the data set of the pool" in result.notes
        found = answer_of(dataset, one)
        assert (found.status, list(found.labels), found.source) == ("labelled", gold[one], "found")
        assert (found.iteration, found.drawn) == (1, None)
        assert [vote.user for vote in found.votes] == ["anna"]
        assert (answer_of(dataset, other).status, left in open_ids(loop)) == ("discarded", True)
        (kept,) = dataset.dataset.records(
            rg.Query(filter=("id", "==", one)), with_vectors=True, with_suggestions=False
        )
        assert kept.vectors[VECTOR] == pytest.approx(learner.embed([found.text])[0], abs=1e-6)

        # Nothing new: nothing is written, and a step waits as before.
        before = dataset.pull()
        assert take_found(dataset) == 0
        assert "5 records to be answered" in step(*loop, chosen).why
        assert dataset.pull() == before

        annotate(dataset, gold, list(learner.labels))
        answers = Answers(dataset.answers())
        assert answers.by_people == 6 + 5 + 5 + 2
        draws = assess(answers, learner, pool, chosen.loop).draws
        assert draws is not None
        assert len(draws) == 10
        assert draws.pool == len(pool) - 1

        # Never asked, by any of the steps to come.
        while not step(*loop, chosen).finished:
            annotate(dataset, gold, list(learner.labels))
        assert {a.round for a in dataset.answers() if a.text_id in (one, other)} == {1}

        rows = replay(dataset.answers(), learner, pool, None, chosen.loop, gold)
        assert [row.people for row in rows] == [6, 12, 17, 22, 27, 29]
        done = finish(*loop, chosen)
        assert (done.by("people"), done.by("discarded")) == (29, 1)
        for row in done.texts:
            if row["text"] == found.text:
                assert (row["label"], row["by"]) == (gold[one][0], "people")

        # What comes after the last step is in what is trained and released all the same.
        say(dataset, left, gold[left])
        pull(context_of(overrides), tmp_path / "train.spacy")
        docs = list(DocBin().from_disk(tmp_path / "train.spacy").get_docs(spacy.blank("en").vocab))
        texts = dict(zip(pool.ids, pool.texts, strict=True))
        assert {texts[one], texts[left]} <= {doc.text for doc in docs}
        assert len(docs) == 30


def test_before_any_question_labels_found_are_where_the_loop_begins(
    settings: Callable[..., Settings],
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        dataset, learner, pool = loop
        browse(*loop, chosen)
        some = [next(id_ for id_ in pool.ids if gold[id_] == [name]) for name in learner.labels]
        for id_ in some:
            say(dataset, id_, gold[id_])
        result = step(*loop, chosen)
        assert (result.trained_on, result.asked) == (len(some), chosen.loop.seed_size)
        assert {a.iteration for a in dataset.answers() if a.source == "found"} == {0}


def test_a_waiting_text_that_is_answered_in_the_pool_is_answered(
    settings: Callable[..., Settings],
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        dataset, learner, _ = loop
        labels = list(learner.labels)
        browse(*loop, chosen)
        begun(loop, chosen, gold)
        step(*loop, chosen)
        asked = Answers(dataset.answers()).waiting
        for a in asked:
            say(dataset, a.text_id, gold[a.text_id])
        # Drawn by a known chance, wherever it was answered.
        assert step(*loop, chosen).trained_on == 11
        for a in asked:
            now = answer_of(dataset, a.text_id)
            assert (now.status, now.source, now.drawn) == ("labelled", "query", a.drawn)
            assert now.drawn is not None

        # Asked again: what is said in the pool before that is no answer to it, what is said
        # after it is.
        first = asked[0]
        wrong = next(label for label in labels if [label] != gold[first.text_id])
        dataset.push([dataset.again(answer_of(dataset, first.text_id), 1)])
        assert take_found(dataset) == 0
        assert answer_of(dataset, first.text_id).status == "waiting"
        say(dataset, first.text_id, wrong)
        assert take_found(dataset) == 1
        again = {a.id: a for a in dataset.pull()}
        assert list(again[first.id].labels) == gold[first.text_id]
        assert again[f"{first.id}-2"].labels == (wrong,)
        assert answer_of(dataset, first.text_id).labels == (wrong,)


def test_the_machine_makes_way_for_a_label_found(settings: Callable[..., Settings]) -> None:
    chosen = settings("--loop.promise.rule", "fixed", "--loop.promise.certainty", 0)
    with opened(chosen) as (loop, gold):
        dataset, learner, _ = loop
        browse(*loop, chosen)
        begun(loop, chosen, gold)
        step(*loop, chosen)
        one = Answers(dataset.answers()).machine[0]
        other = next(label for label in learner.labels if (label,) != one.machine)
        say(dataset, one.text_id, other)
        annotate(dataset, gold, list(learner.labels))
        assert step(*loop, chosen).trained_on == 12
        now = answer_of(dataset, one.text_id)
        assert (now.status, now.labels, now.drawn) == ("labelled", (other,), None)
        # Withdrawn as a whole, people's labels stay.
        off = settings("--argilla.dataset", chosen.argilla.dataset, "--loop.promise.rule", "off")
        annotate(dataset, gold, list(learner.labels))
        step(*loop, off)
        assert answer_of(dataset, one.text_id).labels == (other,)
        assert not Answers(dataset.answers()).machine


def test_of_one_persons_answers_the_newer_counts(settings: Callable[..., Settings]) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        dataset, learner, _ = loop
        a, b, c = list(learner.labels)
        browse(*loop, chosen)
        begun(loop, chosen, gold)
        id_ = open_ids(loop)[0]

        def label() -> tuple[str, ...]:
            return answer_of(dataset, id_).labels

        say(dataset, id_, a)
        assert (take_found(dataset), label()) == (1, (a,))
        say(dataset, id_, b)  # in the pool again
        assert (take_found(dataset), label()) == (1, (b,))
        correct(dataset, id_, c)  # and now in the loop's own
        assert (take_found(dataset), label()) == (0, (c,))
        say(dataset, id_, None, status="discarded")
        assert (take_found(dataset), answer_of(dataset, id_).status) == (1, "discarded")
        # Another person's is another vote, never instead of hers.
        say(dataset, id_, a, user="ben")
        assert take_found(dataset) == 1
        assert {vote.user for vote in answer_of(dataset, id_).votes} == {"anna", "ben"}


def test_who_changes_an_answer_while_it_is_copied_is_heard(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    from scripts.loop import found

    chosen, upsert = settings(), found.upsert
    with opened(chosen) as (loop, _gold):
        dataset, learner, _ = loop
        a, b, _ = list(learner.labels)
        browse(*loop, chosen, first=10)
        id_ = loop[2].ids[0]
        say(dataset, id_, a)

        def meanwhile(*arguments: Any) -> None:
            monkeypatch.setattr(found, "upsert", upsert)
            say(dataset, id_, b)  # older than the copy that is made now
            upsert(*arguments)

        monkeypatch.setattr(found, "upsert", meanwhile)
        take_found(dataset)
        assert answer_of(dataset, id_).labels == (b,)
        assert take_found(dataset) == 0


def test_review_sees_labels_found_and_reset_takes_the_pool_too(
    settings: Callable[..., Settings], overrides: list[str]
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        dataset, learner, _ = loop
        browse(*loop, chosen)
        begun(loop, chosen, gold, steps=4)
        ids = open_ids(loop)
        wrong = {id_: next(x for x in learner.labels if [x] != gold[id_]) for id_ in ids[:2]}
        for id_, label in wrong.items():
            say(dataset, id_, label)
        asked = {one.answer.text_id for one in review(dataset, learner, 0.5)}
        assert asked & set(wrong)

        say(dataset, ids[3], gold[ids[3]])
        command = [sys.executable, "-m", "scripts.reset", *overrides, "--yes"]
        said = subprocess.check_output(command, text=True, stderr=subprocess.STDOUT)
        assert f"'{pool_name(chosen.argilla.dataset)}', goes with it" in said
        assert f"({6 + 15 + 3} labelled texts)" in said
        assert find_pool(dataset) is None
        assert find(dataset.client, chosen.argilla)[1] is None


def test_a_data_set_of_before_learns_the_new_source(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings()
    with monkeypatch.context() as before:
        before.setattr(loop_records, "SOURCES", ["seed", "query", "audit", "auto", "review"])
        with opened(chosen) as (loop, gold):
            begun(loop, chosen, gold)
            assert "found" not in loop[0].dataset.settings.metadata["source"].options
    for _ in range(2):
        with opened(chosen) as (loop, gold):
            dataset = loop[0]
            options = dataset.dataset.settings.metadata["source"].options
            assert options == loop_records.SOURCES
            assert [a.source for a in dataset.answers()] == ["seed"] * 6
            seeds = dataset.dataset.records(rg.Query(filter=("metadata.source", "==", "seed")))
            assert len(list(seeds)) == 6
    with opened(chosen) as (loop, gold):
        browse(*loop, chosen, first=40)
        id_ = next(id_ for id_ in open_ids(loop) if id_ in loop[2].ids[:40])
        say(loop[0], id_, gold[id_])
        assert step(*loop, chosen).trained_on == 7


def test_a_label_that_the_loop_does_not_know_stays_where_it_is(
    settings: Callable[..., Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, _gold):
        dataset, _, pool = loop
        browse(*loop, chosen, first=10)
        say(dataset, pool.ids[0], "sports")
        say(dataset, pool.ids[1], "tech")
        dataset.dataset.settings.questions[QUESTION].labels = ["business", "sports"]
        assert take_found(dataset) == 1
        assert "1 answer left in" in capsys.readouterr().out


def test_in_a_team_a_label_found_waits_for_a_second_person(
    settings: Callable[..., Settings],
) -> None:
    chosen = settings("--argilla.min_submitted", 2)
    with opened(chosen) as (loop, gold):
        dataset, _, pool = loop
        browse(*loop, chosen, first=10)
        id_ = pool.ids[0]
        say(dataset, id_, gold[id_])
        assert take_found(dataset) == 1
        assert answer_of(dataset, id_).status == "waiting"
        say(dataset, id_, gold[id_], user="ben")
        assert take_found(dataset) == 1
        assert (answer_of(dataset, id_).status, answer_of(dataset, id_).source) == (
            "labelled",
            "found",
        )


def test_several_labels_or_none_are_shown_and_found(
    overrides: list[str], pipelines: Path, small_corpus: Path
) -> None:
    pipeline = pipelines / "textcat_multilabel.cfg"
    chosen = load_settings(
        Path("configs/loop.cfg"),
        [*overrides, "--paths.pipeline", str(pipeline), "--argilla.dataset", new_name()],
    )
    with opened(chosen) as (loop, gold):
        dataset = loop[0]
        browse(*loop, chosen)
        begun(loop, chosen, gold)
        one, none = open_ids(loop)[:2]
        say(dataset, one, ["sports", "business"])
        say(dataset, none, [NONE])
        assert step(*loop, chosen).trained_on == 8
        assert answer_of(dataset, one).labels == ("business", "sports")
        assert (answer_of(dataset, none).labels, answer_of(dataset, none).status) == (
            (),
            "labelled",
        )
        assert take_found(dataset) == 0
        browse(*loop, chosen, refresh=True)
        records = pool_records(dataset)
        assert records[one].metadata["people"] == ["business", "sports"]
        assert records[none].metadata["people"] == [NONE]
        for record in records.values():
            suggestion = record.suggestions[QUESTION]
            assert sorted(suggestion.value) == sorted(record.metadata["model"])
        found = find_pool(dataset)
        assert found is not None
        query = rg.Query(filter=("metadata.people", "==", "sports"))
        assert {r.id for r in found.records(query)} >= {one}
        assert browse(*loop, chosen, refresh=True).updated == 0
        assert BOT not in {v.user for a in dataset.answers() for v in a.votes}


def test_the_command_says_where_to_search(overrides: list[str]) -> None:
    command = [sys.executable, "-m", "scripts.browse", *overrides, "--first", "7"]
    said = subprocess.check_output(command, text=True)
    assert "-pool': 7 texts put there, 0 were there already" in said
    assert "/annotation-mode" in said
    said = subprocess.check_output([*command[:-1], "9", "--refresh", "true"], text=True)
    assert "2 texts put there, 7 were there already, 0 of them brought up to date" in said


def test_live_hears_what_is_answered_in_the_pool(
    settings: Callable[..., Settings], overrides: list[str]
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        dataset = loop[0]
        browse(*loop, chosen, first=10)
        with running(*overrides, "--every", "600") as live:
            hear(live, "Step 0")
            id_ = next(id_ for id_ in open_ids(loop) if id_ in loop[2].ids[:10])
            say(dataset, id_, gold[id_])
            for _ in range(60):
                if id_ not in open_ids(loop):
                    break
                time.sleep(0.5)
            assert answer_of(dataset, id_).source == "found"
