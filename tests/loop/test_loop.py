"""The loop against the real Argilla server: nothing here is simulated but the people."""

import itertools
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import argilla as rg
import httpx
import pytest
import spacy
import srsly
from spacy.tokens import DocBin

from scripts.cli.errors import ProjectError
from scripts.data.corpus import Pool, labels_mark
from scripts.data.docbins import read_texts, write_docs
from scripts.finish import main as finish_command
from scripts.loop.annotate import annotate
from scripts.loop.finish import finish
from scripts.loop.replay import replay, worth
from scripts.loop.review import reopen
from scripts.loop.settings import Settings
from scripts.loop.step import GIVE_MOST, show, step
from scripts.pull import main as pull
from scripts.records.answers import Answer, Answers
from scripts.records.convert import QUESTION, TEXT, VECTOR
from scripts.records.dataset import BOT, ORACLE, LoopDataset
from scripts.simulate import main as simulate
from tests.loop_fixtures import Loop, context_of, new_name, opened


def answer(loop: Loop, gold: dict[str, list[str]], **options: Any) -> int:
    return annotate(loop[0], gold, list(loop[1].labels), **options)


def test_seed_answers_train_query_and_again(settings: Callable[..., Settings]) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        dataset, _, pool = loop
        first = step(*loop, chosen)
        assert (first.iteration, first.asked, first.trained_on) == (0, 6, 0)

        before = dataset.pull()
        again = step(*loop, chosen)
        assert "6 records to be answered" in again.why
        assert dataset.pull() == before

        assert answer(loop, gold) == 6
        second = step(*loop, chosen)
        assert (second.iteration, second.asked, second.trained_on) == (1, 5, 6)

        answer(loop, gold, limit=2)
        assert "3 records to be answered" in step(*loop, chosen).why
        assert step(*loop, chosen, now=True).trained_on == 8

        answers = dataset.pull()
        assert len({a.id for a in answers}) == len(answers) == 16
        assert {a.id for a in answers} <= set(pool.ids)
        for a in answers:
            if a.status == "labelled":
                assert list(a.labels) == gold[a.id]
                assert [vote.user for vote in a.votes] == [ORACLE]


def test_a_step_says_first_what_it_asks_and_where(
    settings: Callable[..., Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        url = loop[0].url
        show(step(*loop, chosen), url)
        said = capsys.readouterr().out
        first = said.index("Step 0: 6 texts to label (typical of the pool")
        assert first < said.index(url)
        show(step(*loop, chosen), url)
        said = capsys.readouterr().out
        assert "6 records to be answered, and the next step is due when all are" in said
        assert url in said
        answer(loop, gold)
        show(step(*loop, chosen))
        said = capsys.readouterr().out
        assert "Step 1: 5 texts to label" in said
        assert "trained on 6 answers" in said
        assert "the machine may not answer anything yet at 90 % confidence" in said
        assert "http" not in said


def test_a_record_carries_what_annotators_need(settings: Callable[..., Settings]) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        dataset, learner, _ = loop
        step(*loop, chosen)
        answer(loop, gold)
        step(*loop, chosen)
        records = list(dataset.dataset.records(with_vectors=True))
        assert [r.metadata["iteration"] for r in records] == [0] * 6 + [1] * 5
        for record in records[6:]:
            suggestion = record.suggestions[QUESTION]
            assert suggestion.value in learner.labels
            assert 0 < suggestion.score <= 1
            assert suggestion.agent == "classy_textcat-trained-001"
            assert 0 <= record.metadata["uncertainty"] <= 1
            assert record.metadata["source"] == "query"
            assert 0 < record.metadata["chance"] < 1
            assert 110 <= record.metadata["open"] <= 114  # one draw after the other
            assert record.metadata["anywhere"] == chosen.loop.draw.anywhere
            expected = learner.embed([record.fields[TEXT]])[0]
            assert record.vectors[VECTOR] == pytest.approx(expected, abs=1e-6)


def test_discards_are_never_trained_on_nor_asked_again_and_drafts_wait(
    settings: Callable[..., Settings], recwarn: pytest.WarningsRecorder
) -> None:
    chosen = settings("--loop.seed_size", 12)
    with opened(chosen) as (loop, gold):
        dataset = loop[0]
        step(*loop, chosen)
        tech = {QUESTION: {"value": "tech"}}
        said = [("discarded", tech), ("discarded", {}), ("draft", tech), ("draft", {})]
        records = dataset.pull()[:4]
        for one, (status, values) in zip(records, said, strict=True):
            dataset.client.http_client.post(
                f"/api/v1/records/{one.server_id}/responses",
                json={"status": status, "values": values},
            ).raise_for_status()
        assert answer(loop, gold) == 10  # the drafts are another user's: they still wait
        result = step(*loop, chosen)
        assert result.trained_on == 10
        found = {a.id: a for a in dataset.pull()}
        assert [found[one.id].status for one in records] == ["discarded"] * 2 + ["labelled"] * 2
        assert len(found) == 17
        assert not [one for one in recwarn if "user_id" in str(one.message)]  # the SDK's


def everything(settings: Callable[..., Settings], certainty: float = 0, **more: object) -> Settings:
    """Settings with which the machine answers all above a certainty."""
    given = {"loop.promise.rule": "fixed", "loop.promise.certainty": certainty, **more}
    return settings(*itertools.chain(*((f"--{k}", v) for k, v in given.items())))


def test_the_machine_answers_and_people_overrule_it(settings: Callable[..., Settings]) -> None:
    chosen = everything(settings)
    with opened(chosen) as (loop, gold):
        dataset, learner, pool = loop
        assert step(*loop, chosen).validated == 0  # nothing, before people have said anything
        answer(loop, gold)
        result = step(*loop, chosen)
        # above a certainty of 0, all that people are not asked: as many as one step gives
        assert (result.asked, result.validated) == (5, GIVE_MOST)
        left = len(pool.ids) - 11 - GIVE_MOST
        assert f"{left} more answers by machine at the next steps" in result.notes
        machine = Answers(dataset.pull()).machine
        assert len(machine) == result.validated
        assert {vote.user for a in machine for vote in a.votes} == {BOT}
        status = {r.id: r.status for r in dataset.dataset.records()}
        assert all(status[a.id] == "completed" for a in machine)

        overruled = machine[0]
        other = next(label for label in learner.labels if (label,) != overruled.machine)
        dataset.respond(overruled, [other], ORACLE)
        found = {a.id: a for a in dataset.pull()}[overruled.id]
        assert (found.status, found.labels, found.machine) == (
            "labelled",
            (other,),
            overruled.machine,
        )
        assert found.drawn is None  # nobody drew it: it proves nothing

        dataset.push([dataset.doubted(machine[1])])
        found = {a.id: a for a in dataset.pull()}[machine[1].id]
        assert (found.status, found.source, found.machine) == (
            "waiting",
            "review",
            machine[1].machine,
        )
        record = next(r for r in dataset.dataset.records() if r.id == machine[1].id)
        assert record.status == "pending"

        answer(loop, gold)
        assert len(reopen(dataset, learner, 9)) == 9
        assert len(Answers(dataset.answers()).waiting) == 9


def test_answers_that_may_not_stand_are_withdrawn_but_never_a_persons(
    settings: Callable[..., Settings],
) -> None:
    chosen = everything(settings)
    with opened(chosen) as (loop, gold):
        dataset, learner, pool = loop
        step(*loop, chosen)
        answer(loop, gold)
        step(*loop, chosen)
        answer(loop, gold)
        machine = Answers(dataset.pull()).machine
        late = machine[0]
        pull = dataset.pull

        def meanwhile() -> list[Answer]:
            """A person answers after the step has looked, and before it takes back."""
            found = pull()
            if late.id in {a.id for a in found if a.status == "machine"}:
                dataset.respond(late, gold[late.id], ORACLE)
            return found

        dataset.pull = meanwhile  # type: ignore[method-assign]
        nothing = settings(
            "--argilla.dataset", chosen.argilla.dataset, "--loop.promise.rule", "off"
        )
        result = step(dataset, learner, pool, nothing)
        dataset.pull = pull  # type: ignore[method-assign]
        assert result.withdrawn == len(machine) - 5  # without those that are asked
        assert result.validated == 0
        found = {a.id: a for a in dataset.pull()}
        assert found[late.id].status == "labelled"
        assert not Answers(list(found.values())).machine
        assert len(found) == 6 + 5 + 5 + (late.source == "auto")


def test_what_the_machine_has_answered_is_checked_without_a_hint(
    settings: Callable[..., Settings],
) -> None:
    chosen = everything(settings)
    with opened(chosen) as (loop, gold):
        dataset = loop[0]
        for _ in range(2):
            step(*loop, chosen)
            answer(loop, gold)
        said = {a.id for a in Answers(dataset.pull()).machine}
        assert step(*loop, chosen).asked == 5
        checked = [a for a in dataset.pull() if a.iteration == 2 and a.status == "waiting"]
        assert {a.source for a in checked} == {"audit"}
        assert {a.id for a in checked} & said
        assert all(a.machine for a in checked)  # a draft, which counts for nothing
        assert all(a.drawn is not None for a in checked)
        blind = [r for r in dataset.dataset.records() if r.metadata["source"] == "audit"]
        assert len(blind) == 10  # both batches after the first
        assert all(not list(record.suggestions) for record in blind)
        assert answer(loop, gold) == 5
        assert {a.status for a in dataset.pull() if a.source == "audit"} == {"labelled"}


def cut_short(path: Path, rows: object) -> None:
    path.write_text('{"text": "')
    raise OSError("full")


def test_the_end_is_a_data_set_with_a_promise(
    settings: Callable[..., Settings],
    overrides: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    more = ["--loop.promise.error", "0.3", "--loop.promise.confidence", "0.7"]
    chosen = settings(*more)
    with opened(chosen) as (loop, gold):
        dataset, learner, pool = loop
        with pytest.raises(ProjectError, match="nothing to finish yet"):
            finish(dataset, learner, pool, chosen)
        while not (result := step(*loop, chosen)).finished:
            answer(loop, gold)
        assert any("confidence" in note for note in result.notes) or result.why
        done = finish(dataset, learner, pool, chosen)
        assert done.by("people") == 30
        assert 0 < done.by("machine") == len(Answers(dataset.answers()).machine)
        assert done.by("people") + done.by("machine") + done.by("open") == len(pool.ids)
        assert done.machine.promise is not None
        assert done.machine.promise.bound <= 0.3
        assert done.machine.proving == 24  # the first six were chosen
        again = finish(dataset, learner, pool, chosen)
        assert (again.given, again.texts) == (0, done.texts)
        finish_command(context_of(overrides + more), tmp_path / "finished.jsonl")
        rows = list(srsly.read_jsonl(tmp_path / "finished.jsonl"))
        assert [row["text"] for row in rows] == pool.texts
        assert all((row["label"] is None) == (row["by"] == "open") for row in rows)
        by_people = {a.text: a.labels for a in Answers(dataset.answers()).labelled}
        assert {r["text"]: (r["label"],) for r in rows if r["by"] == "people"} == by_people
        # Where the disk is full in the middle of it, what was there stays.
        with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
            patch.setattr(srsly, "write_jsonl", cut_short)
            finish_command(context_of(overrides + more), tmp_path / "finished.jsonl")
        assert list(srsly.read_jsonl(tmp_path / "finished.jsonl")) == rows
        # A pipeline that is trained on what `pull` writes is told from others by its labels.
        pull(context_of(overrides + more), tmp_path / "train.spacy")
        promise = srsly.read_json(tmp_path / "promise.json")
        assert promise["labels_mark"] == labels_mark(*read_texts(tmp_path / "train.spacy"))
        assert (promise["people"], promise["proving"]) == (30, 24)
        assert "with 70 % confidence at most 30 % of all labels are wrong" in promise["words"]
        # Where the machine may answer nothing there is none to put into a package.
        more = ["--loop.promise.error", "0.001"]
        finish_command(context_of(overrides + more), tmp_path / "finished.jsonl")
        assert not (tmp_path / "promise.json").exists()


def test_the_machines_answers_teach_where_that_is_set_and_are_no_answers_by_people(
    settings: Callable[..., Settings], overrides: list[str], tmp_path: Path
) -> None:
    more = {"loop.use_machine_labels": "true"}
    chosen = everything(settings, **more)
    with opened(chosen) as (loop, gold):
        step(*loop, chosen)
        answer(loop, gold)
        assert step(*loop, chosen).trained_on == 6  # there were none by machine yet
        answer(loop, gold)
        result = step(*loop, chosen)
        assert (result.people, result.trained_on) == (11, 11 + GIVE_MOST)
        found = Answers(loop[0].answers())
        pull(context_of([*overrides, "--loop.use_machine_labels", "true"]), tmp_path / "all.spacy")
        docs = DocBin().from_disk(tmp_path / "all.spacy").get_docs(spacy.blank("en").vocab)
        by = Counter(doc.user_data["by"] for doc in docs)
        assert by == {"people": 11, "machine": len(found.machine)}
        assert finish(*loop, chosen).by("people") == 11


def test_the_budget_and_the_pool_have_an_end(settings: Callable[..., Settings]) -> None:
    chosen = settings("--loop.budget", 8)
    with opened(chosen) as (loop, gold):
        step(*loop, chosen)
        answer(loop, gold)
        assert step(*loop, chosen).asked == 2
        answer(loop, gold)
        assert "budget of 8 answers is spent" in step(*loop, chosen).why
        small = Pool(loop[2].ids[:9], loop[2].texts[:9])
        endless = settings("--loop.budget", 0, "--argilla.dataset", chosen.argilla.dataset)
        while not (result := step(loop[0], loop[1], small, endless)).why:
            answer(loop, gold)
        assert result.why == "every text of the pool has been asked"


def test_labels_come_out_as_spacy_reads_them_and_the_report_replays(
    settings: Callable[..., Settings], overrides: list[str], tmp_path: Path
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        for _ in range(3):
            step(*loop, chosen)
            answer(loop, gold)
        test = read_texts(chosen.paths.corpus / "test.spacy")
        rows = replay(loop[0].pull(), loop[1], loop[2], test, chosen.loop, gold)
        assert [row.people for row in rows] == [6, 11, 16]
        assert rows[-1].accuracy is not None
        assert rows[-1].accuracy > 0.5  # three topics: chance is a third
        # As `spacy evaluate` counts: of labels that no test text has, F is 0.
        first = [i for i, labels in enumerate(test[1]) if labels == test[1][0]]
        alone = [test[0][i] for i in first], [test[1][i] for i in first]
        *_, last = replay(loop[0].pull(), loop[1], loop[2], alone, chosen.loop, gold)
        assert last.macro_f is not None
        assert 0 < last.macro_f <= 1 / 3
        brought = worth(rows, loop[1], loop[2], gold, test)
        assert [what.split()[0] for what, _ in brought] == ["no", "6", "16", "6", "16"]
        assert [score for _, score in brought[1:3]] == [rows[0].accuracy, rows[-1].accuracy]
        assert brought[-1][1] > brought[-2][1] > 1 / 3  # random labels bring something too
        assert len(worth(rows, loop[1], loop[2], {}, test)) == 3
        pull(context_of(overrides), tmp_path / "train.spacy")
        docs = list(DocBin().from_disk(tmp_path / "train.spacy").get_docs(spacy.blank("en").vocab))
        assert len(docs) == 16
        for doc in docs:
            right = [label for label, value in doc.cats.items() if value == 1.0]
            assert right == gold[next(a.id for a in loop[0].pull() if a.text == doc.text)]
            assert set(doc.cats) == set(loop[1].labels)
        # One that the pipeline would be tested on is left out.
        corpus = shutil.copytree(chosen.paths.corpus, tmp_path / "corpus")
        write_docs(docs[:1], corpus / "test.spacy")
        pull(context_of([*overrides, "--paths.corpus", str(corpus)]), tmp_path / "train.spacy")
        assert set(read_texts(tmp_path / "train.spacy")[0]) == {doc.text for doc in docs[1:]}


def test_the_report_says_of_a_step_what_it_said_also_when_a_text_was_asked_again(
    settings: Callable[..., Settings],
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        dataset, learner, pool = loop
        for _ in range(3):
            step(*loop, chosen)
            answer(loop, gold)
        before = replay(dataset.answers(), learner, pool, None, chosen.loop, {})
        assert before[-1].estimate is not None

        answers = Answers(dataset.answers())
        first = next(a for a in answers.labelled if not a.asked_in)
        dataset.push([dataset.again(first, answers.next_iteration)])
        answer(loop, gold)
        assert max(a.round for a in dataset.answers()) == 2
        assert replay(dataset.answers(), learner, pool, None, chosen.loop, {}) == before


class Cut(Exception):
    """The process is killed here."""


def test_a_step_killed_at_any_request_happens_whole_or_not_at_all(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cuts the connection at the n-th request of a step that changes anything, before or after the
    server has it, for every n (what only reads is between two of these); then runs the step again.
    All ways end with the same records and labels."""
    send = httpx.Client.send
    made = 0
    cut_at, after = -1, False

    def counted(self: httpx.Client, request: httpx.Request, **kwargs: Any) -> httpx.Response:
        nonlocal made
        if request.method == "GET" or request.url.path.endswith("/search"):
            return send(self, request, **kwargs)
        made += 1
        if made == cut_at and not after:
            raise Cut
        response = send(self, request, **kwargs)
        if made == cut_at:
            raise Cut
        return response

    monkeypatch.setattr(httpx.Client, "send", counted)

    def state(dataset: LoopDataset) -> list[tuple]:
        return sorted(
            (a.id, a.status, a.labels, a.iteration, a.source, a.machine or (), a.drawn or ())
            for a in dataset.pull()
        )

    def take(loop: Loop, chosen: Settings) -> None:
        """A step on part of the pool, which is quick to write."""
        step(loop[0], loop[1], Pool(loop[2].ids[:40], loop[2].texts[:40]), chosen)

    def prepared() -> Settings:
        """Before a step that takes back answers by machine."""
        name = new_name()
        chosen = everything(settings, **{"argilla.dataset": name})
        with opened(chosen) as (loop, gold):
            for _ in range(2):
                take(loop, chosen)
                answer(loop, gold)
        return everything(settings, 0.9, **{"argilla.dataset": name})

    for _ in range(2):  # the first of all steps makes the bot's user, with one more request
        made = -1000
        whole = prepared()
        with opened(whole) as (loop, _):
            made = 0
            take(loop, whole)
            requests = made
            expected = state(loop[0])
    assert requests == 2  # answers by machine withdrawn, and the questions
    assert 16 < len(expected) < 40

    for cut_at, after in itertools.product(range(1, requests + 1), (False, True)):  # noqa: B007
        made = -1000
        chosen = prepared()
        with opened(chosen) as (loop, _):
            made = 0
            with pytest.raises(Cut):
                take(loop, chosen)
        made = -1000
        with opened(chosen) as (loop, _):  # as on another machine: nothing is left but Argilla
            take(loop, chosen)
            assert state(loop[0]) == expected


def test_a_simulation_cut_after_every_write_ends_as_an_uncut_one(
    settings: Callable[..., Settings], overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ["--loop.promise.rule", "fixed", "--loop.promise.certainty", "0.8"]
    more += ["--loop.budget", "16"]

    def run(name: str) -> None:
        simulate(context_of(overrides + more + ["--argilla.dataset", name]))

    def state(name: str) -> list[tuple]:
        with opened(settings(*more, "--argilla.dataset", name)) as (loop, _):
            return sorted((a.id, a.labels, a.source, a.drawn or ()) for a in loop[0].pull())

    whole, pieces = new_name(), new_name()
    run(whole)
    send = httpx.Client.send

    def cut(self: httpx.Client, request: httpx.Request, **kwargs: Any) -> httpx.Response:
        response = send(self, request, **kwargs)
        path = request.url.path
        written = request.method != "GET" and ("bulk" in path or path.endswith("/responses"))
        if written or request.method == "DELETE":
            raise Cut
        return response

    monkeypatch.setattr(httpx.Client, "send", cut)
    cuts = 0
    while True:
        try:
            run(pieces)
            break
        except Cut:
            cuts += 1
    monkeypatch.setattr(httpx.Client, "send", send)
    assert cuts > 16  # every answer, and every batch
    assert state(pieces) == state(whole)
    assert "auto" in {source for _, _, source, _ in state(whole)}


def test_other_labels_or_another_data_set_of_the_same_name_are_refused(
    settings: Callable[..., Settings],
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, _):
        client, labels = loop[0].client, dict(loop[1].labels)
        with pytest.raises(ProjectError, match="has the labels"):
            LoopDataset.open(client, chosen.argilla, {**labels, "new": "new"}, 384)
        several = chosen.argilla.model_copy(update={"min_submitted": 3})
        with pytest.raises(ProjectError, match="asks 1 people"):
            LoopDataset.open(client, several, labels, 384)
        theirs = new_name()
        rg.Dataset(
            name=theirs,
            settings=rg.Settings(
                fields=[rg.TextField(name="other")], questions=[rg.TextQuestion(name="why")]
            ),
            client=client,
        ).create()
        other = chosen.argilla.model_copy(update={"dataset": theirs})
        with pytest.raises(ProjectError, match="not made by this project"):
            LoopDataset.open(client, other, labels, 384)
        nowhere = chosen.argilla.model_copy(update={"workspace": "nowhere"})
        with pytest.raises(ProjectError, match="no workspace 'nowhere'"):
            LoopDataset.open(client, nowhere, labels, 384)
