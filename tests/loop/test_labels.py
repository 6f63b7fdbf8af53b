"""Labels change while people label: every kind of change, compared record by record."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import argilla as rg
import pytest
import srsly

from scripts.cli.errors import ProjectError
from scripts.data.corpus import read_labels
from scripts.data.docbins import read_docs
from scripts.data.label_changes import plan
from scripts.labels import main as labels
from scripts.loop.annotate import annotate
from scripts.loop.browse import browse
from scripts.loop.found import take_found
from scripts.loop.labels import effects, places
from scripts.loop.settings import Settings
from scripts.loop.step import step
from scripts.records.answers import Answers
from scripts.records.convert import NONE, QUESTION
from scripts.records.copy import create, settings_of
from scripts.records.dataset import BOT, ORACLE, LoopDataset
from scripts.records.held_out import ask, open_test_set
from scripts.records.pool_dataset import PoolDataset
from scripts.records.relabel import relabel_settings
from scripts.records.rest import data_sets
from scripts.records.swap import Place, swap, take_late
from tests.loop.test_browse import answer_of, correct, open_ids, say
from tests.loop_fixtures import context_of, opened
from tests.records.snapshots import Said, get, snapshot


@pytest.fixture
def own(overrides: list[str], tmp_path: Path) -> list[str]:
    """Overrides, with a corpus of the test's own, as the change is made in it too."""
    there = Path(overrides[overrides.index("--paths.corpus") + 1])
    corpus = tmp_path / "corpus"
    shutil.copytree(there, corpus, ignore=shutil.ignore_patterns("embed*", "*-labels-*"))
    return [*overrides, "--paths.corpus", str(corpus)]


@pytest.fixture
def chosen(own: list[str], settings: Callable[..., Settings]) -> Callable[..., Settings]:
    return lambda *more: settings(*own, *more)


def change(own: list[str], *words: str, **options: Any) -> None:
    labels(context_of(own), list(words), yes=True, **options)


def backup_of(client: rg.Argilla, name: str) -> str:
    workspace = client.workspaces("argilla")
    (found,) = [n for n in data_sets(client, str(workspace.id)) if n.startswith(f"{name}-before-")]
    return found


def discard(dataset: LoopDataset, server_id: str, values: dict[str, Any] | None = None) -> None:
    dataset.client.http_client.post(
        f"/api/v1/records/{server_id}/responses",
        json={"status": "discarded", "values": values or {}},
    ).raise_for_status()


def draft(dataset: LoopDataset, server_id: str, label: str) -> None:
    dataset.client.http_client.post(
        f"/api/v1/records/{server_id}/responses",
        json={"status": "draft", "values": {QUESTION: {"value": label}}},
    ).raise_for_status()


def labelled(
    loop: tuple[LoopDataset, Any, Any], gold: dict[str, list[str]], chosen: Settings
) -> None:
    """Two steps answered, the machine has answered too; and a third batch with a draft and a
    discard that has a value, where the rest waits."""
    names = list(loop[1].labels)
    for _ in range(2):
        step(*loop, chosen)
        annotate(loop[0], gold, names)
    step(*loop, chosen)
    annotate(loop[0], gold, names, limit=1)
    waiting = [a for a in loop[0].pull() if a.status == "waiting"]
    draft(loop[0], waiting[0].server_id, "tech")
    discard(loop[0], waiting[1].server_id, {QUESTION: {"value": "tech"}})
    discard(loop[0], waiting[2].server_id)


MACHINE = ("--loop.promise.rule", "fixed", "--loop.promise.certainty", 0.8)


def expect(before: dict[str, Said], became: dict[str, str | None]) -> dict[str, Said]:
    """What the change should make of the records, one label a text, said another way than in the
    code."""
    after: dict[str, Said] = {}
    for id_, record in before.items():
        responses: dict[str, tuple[str, dict[str, str]]] = {}
        for user, (status, values) in record["responses"].items():
            values = dict(values)
            if QUESTION in values and became.get(values[QUESTION], "-") is None:
                if status != "discarded":
                    continue
                del values[QUESTION]
            elif QUESTION in values:
                values[QUESTION] = became.get(values[QUESTION], values[QUESTION])
            responses[user] = (status, values)
        bot = record["responses"].get(BOT, ("", {}))[0]
        if len(record["responses"]) == 1 and bot == "submitted" and not responses:
            continue
        suggestions = {
            name: (now, score, agent)
            for name, (value, score, agent) in record["suggestions"].items()
            if (now := became.get(value, value)) is not None
        }
        submitted = [user for user, (status, _) in responses.items() if status == "submitted"]
        after[id_] = {
            **record,
            "responses": responses,
            "suggestions": suggestions,
            "status": "completed" if submitted else "pending",
        }
    return after


@pytest.mark.parametrize(
    ("words", "into", "became", "names"),
    [
        (["add", "politics"], "", {}, ["business", "sports", "tech", "politics"]),
        (
            ["rename", "tech", "computers"],
            "",
            {"tech": "computers"},
            ["business", "sports", "computers"],
        ),
        (
            ["merge", "tech", "business"],
            "business",
            {"tech": "business"},
            ["business", "sports"],
        ),
        (["retire", "tech"], "", {"tech": None}, ["business", "sports"]),
        (
            ["split", "tech", "gadgets", "networks"],
            "",
            {"tech": None},
            ["business", "sports", "gadgets", "networks"],
        ),
    ],
    ids=["add", "rename", "merge", "retire", "split"],
)
def test_every_change_record_by_record_and_the_loop_goes_on(
    chosen: Callable[..., Settings],
    own: list[str],
    words: list[str],
    into: str,
    became: dict[str, str | None],
    names: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = chosen(*MACHINE)
    name = now.argilla.dataset
    with opened(now) as (loop, gold):
        client = loop[0].client
        labelled(loop, gold, now)
        test_set = open_test_set(client, now.argilla, loop[1].labels)
        ask(test_set, [{"id": "a" * 16, "text": "Chips"}, {"id": "b" * 16, "text": "Goals"}])
        for answer, label in zip(test_set.pull(), ("tech", "sports"), strict=True):
            test_set.respond(answer, [label], "anna")
        before = {place: snapshot(client, place) for place in (name, f"{name}-test")}
        machine = [
            r["responses"][BOT][1][QUESTION]
            for r in before[name][1].values()
            if list(r["responses"]) == [BOT]
        ]
        assert "tech" in machine  # else nothing is seen of what becomes of it
        assert len(set(machine)) > 1
    docs = read_docs(now.paths.corpus / "test.spacy")

    change(own, *words, into=into)

    said = capsys.readouterr().out
    assert list(read_labels(now.paths.corpus)) == names
    for place, (_, records) in before.items():
        there, found = snapshot(client, place)
        assert there == names
        right = expect(records, became)
        assert list(found) == list(right)  # in the old order
        for id_ in right:
            assert found[id_] == right[id_], id_
        kept = snapshot(client, backup_of(client, place))
        assert kept == before[place]  # nothing of what was said is gone
    asked = sum(
        record["responses"].get(ORACLE, ("", {}))[1].get(QUESTION) in became
        and became[record["responses"][ORACLE][1][QUESTION]] is None
        for record in before[name][1].values()
    )
    assert (f"the loop: {asked} texts asked again" in said) == bool(asked)
    assert ("no answer changes" in said) == (not became)
    files = list(now.paths.corpus.glob(f"{name}-labels-*.jsonl"))
    assert len(files) == bool(asked)

    left = read_docs(now.paths.corpus / "test.spacy")
    gone = None in became.values()
    tech = sum(doc.cats["tech"] for doc in docs)
    assert len(left) == len(docs) - (tech if gone else 0)
    assert {tuple(doc.cats) for doc in left} == {tuple(names)}
    assert {sum(doc.cats.values()) for doc in left} == {1}

    # The loop goes on: with the new labels, and each draw keeps its chance.
    with opened(now) as (loop, gold):
        dataset, learner, _ = loop
        assert list(learner.labels) == names
        assert f"Label at {dataset.url}" in said.splitlines()  # in the order of the loop
        answers = Answers(dataset.answers())
        chances = {a.id: a.drawn for a in answers.all}
        assert all(
            chances[id_].chance == record["metadata"]["chance"]
            for id_, record in before[name][1].items()
            if id_ in chances and "chance" in record["metadata"]
        )
        assert f"{len(answers.waiting)} record" in step(*loop, now).why
        new = names[-1] if gone else names[0]
        for answer in answers.waiting:
            dataset.respond(answer, gold.get(answer.id) or [new], ORACLE)
        result = step(*loop, now)
        assert result.trained_on == len(answers.labelled) + len(answers.waiting)
        assert learner.predict(learner.embed(["a text"])).shape == (1, len(names))


def test_a_rename_again_and_again_and_what_is_written_under_the_labels(
    chosen: Callable[..., Settings], own: list[str]
) -> None:
    """A second change begins from the data set that the first one made."""
    now = chosen()
    with opened(now) as (loop, gold):
        for _ in range(2):
            step(*loop, now)
            annotate(loop[0], gold, list(loop[1].labels))
        before = loop[0].dataset.guidelines
    change(own, "rename", "tech", "gadgets")
    change(own, "rename", "gadgets", "devices", description=["things with a plug"])
    change(own, "add", "politics", description=["elections"])
    labels_now = {
        "business": "companies and markets",
        "sports": "matches and players",
        "devices": "things with a plug",
        "politics": "elections",
    }
    assert read_labels(now.paths.corpus) == labels_now
    with opened(now) as (loop, _):
        lines = "\n- **devices**: things with a plug\n- **politics**: elections"
        assert loop[0].dataset.guidelines == before.replace("\n- **tech**: computers", lines)
        assert [a.status for a in loop[0].answers()] == ["labelled"] * 11
        names = data_sets(loop[0].client, str(loop[0].dataset.workspace.id))
    kept = [n for n in names if n.startswith(f"{now.argilla.dataset}-")]
    assert len(kept) == 3
    assert "Label there" in names[kept[0]]["guidelines"]

    # The promise follows: a text that is asked again goes on proving by its old draw.
    change(own, "retire", "business")
    with opened(now) as (loop, _):
        waiting = [a for a in loop[0].answers() if a.status == "waiting"]
        assert len(waiting) == sum(gold[a.id] == ["business"] for a in loop[0].answers())
        assert {a.drawn is None for a in waiting} == {a.source == "seed" for a in waiting}
        for answer in waiting:
            loop[0].respond(answer, ["politics"], ORACLE)
        result = step(*loop, now)
        assert result.trained_on == 11
        assert "from 5 draws" in " ".join(result.notes)


def test_late_answers_and_what_people_say_of_a_text_twice(
    chosen: Callable[..., Settings], own: list[str]
) -> None:
    """Two people a text. One has the old data set on screen and goes on."""
    now = chosen("--argilla.min_submitted", 2)
    two = [*own, "--argilla.min_submitted", "2"]
    with opened(now) as (loop, _):
        dataset, client = loop[0], loop[0].client
        step(*loop, now)
        first, merged, split, taken, twice, open_ = dataset.pull()
        for answer, by_anna, by_ben in (
            (merged, "tech", "business"),  # a tie, of which the merge makes one answer
            (split, "sports", "sports"),
            (taken, "sports", "tech"),
            (twice, "tech", "sports"),
        ):
            dataset.respond(answer, [by_anna], "anna")
            dataset.respond(answer, [by_ben], "ben")
        dataset.respond(first, ["tech"], "anna")
        # Asked again after the tie: anna thinks again, ben does not.
        dataset.push([dataset.again(twice, 1)])
        again = next(a for a in dataset.pull() if a.round == 2)
        dataset.respond(again, ["business"], "anna")
        dataset.respond(again, ["sports"], "ben")
        assert {a.id for a in Answers(dataset.answers()).tied} == {merged.id, taken.id, twice.id}

    change(two, "merge", "tech", "business", into="work")
    with opened(now) as (loop, _):
        found = {a.id: a for a in loop[0].answers()}
        assert (found[merged.id].status, found[merged.id].labels) == ("labelled", ("work",))
        assert found[taken.id].status == "tied"
        assert found[first.id].status == "waiting"

    # In the old one anna changes her mind, and both answer what was open; in the new one ben does.
    old = LoopDataset(client, client.datasets(backup_of(client, now.argilla.dataset)), now.argilla)
    old.respond(open_, ["business"], "anna")
    old.respond(open_, ["sports"], "ben")
    (mine,) = _responses(old, taken.id, "anna")
    key = {"X-Argilla-Api-Key": old.user("anna")["api_key"]}
    later = {"status": "submitted", "values": {QUESTION: {"value": "tech"}}}
    client.http_client.put(f"/api/v1/responses/{mine}", json=later, headers=key).raise_for_status()
    with opened(now) as (loop, _):
        new = next(a for a in loop[0].pull() if a.id == open_.id)
        assert {v.user: v.labels for v in new.votes} == {"anna": ("work",), "ben": ("sports",)}
        found = {a.id: a for a in loop[0].answers()}
        assert (found[taken.id].status, found[taken.id].labels) == ("labelled", ("work",))
        # Later, in the new one: it is not undone by the old one's.
        (mine,) = _responses(loop[0], open_.id, "ben")
        key = {"X-Argilla-Api-Key": old.user("ben")["api_key"]}
        later["values"] = {QUESTION: {"value": "work"}}
        client.http_client.put(
            f"/api/v1/responses/{mine}", json=later, headers=key
        ).raise_for_status()
    old.respond(first, ["tech"], "ben")
    with opened(now) as (loop, _):
        found = {a.id: a for a in loop[0].answers()}
        assert (found[open_.id].status, found[open_.id].labels) == ("labelled", ("work",))
        assert (found[first.id].status, found[first.id].labels) == ("labelled", ("work",))

    # A label that goes: what its people said since counts, and no more is asked than has to be.
    change(two, "add", "politics")
    change(two, "retire", "sports")
    with opened(now) as (loop, _):
        found = {a.id: a for a in loop[0].answers()}
        assert found[twice.id].status == "waiting"  # ben has said nothing else
        votes = {v.user: v.labels for v in found[twice.id].votes}
        assert votes == {"anna": ("work",)}
        assert found[split.id].status == "waiting"
        assert found[split.id].votes == ()
        assert {found[a.id].status for a in (first, merged, taken, open_)} == {"labelled"}


def test_late_answers_after_labels_have_changed_twice(
    chosen: Callable[..., Settings], own: list[str]
) -> None:
    """Somebody still has the first data set on screen. What is said later in the last one, or was
    in the second, stays."""
    now = chosen()
    with opened(now) as (loop, _):
        first, client = loop[0], loop[0].client
        step(*loop, now)
        between, late, gone, later, earlier, twice = first.pull()
        first.respond(twice, ["sports"], "anna")
    change(own, "rename", "tech", "gadgets")
    first.respond(between, ["tech"], "anna")
    with opened(now) as (loop, _):
        correct(loop[0], twice.id, "gadgets")  # it goes, and what she said before stays gone
    first.respond(earlier, ["business"], "anna")
    change(own, "split", "gadgets", "phones", "devices")
    first.respond(late, ["sports"], "anna")
    first.respond(gone, ["tech"], "anna")
    first.respond(later, ["sports"], "anna")
    last = LoopDataset(client, client.datasets(now.argilla.dataset), now.argilla)
    correct(last, later.id, "devices")
    with opened(now) as (loop, _):
        found = {answer.id: answer.labels for answer in loop[0].answers()}
        assert [found[a.id] for a in (late, later, earlier)] == [
            ("sports",),
            ("devices",),
            ("business",),
        ]
        assert [found[a.id] for a in (between, gone, twice)] == [(), (), ()]
        workspace = str(loop[0].dataset.workspace.id)
        assert take_late(client, str(loop[0].dataset.id), workspace) == 0


def _responses(dataset: LoopDataset, external_id: str, username: str) -> list[str]:
    user = dataset.user(username)["id"]
    return [
        said["id"]
        for record in get(
            dataset.client, f"/datasets/{dataset.dataset.id}/records", include="responses"
        )
        if record["external_id"] == external_id
        for said in record["responses"]
        if said["user_id"] == user
    ]


# Runs the command, and kills its process as the power would: right after a request (or before one,
# or before a file is put in its place) that has these words.
KILLED = """
import os, signal, sys
from pathlib import Path
from scripts.records import copy, rest, swap
when, words = sys.argv[1].split(" ", 1)
sys.argv = ["labels", *sys.argv[2:]]
request, replace = rest.request, Path.replace

def killed(client, method, path, **options):
    said = f"{method} {path} {options.get('json')}"
    if method != "GET" and words in said and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    reply = request(client, method, path, **options)
    if method != "GET" and words in said and when == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return reply

def no_replace(self, target):
    if when == "file" and Path(target).name == words:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)

rest.request = copy.request = swap.request = killed
Path.replace = no_replace
from scripts.cli.app import run
from scripts.labels import main
run(main)
"""


def run(own: list[str], *words: str, kill: str = "") -> tuple[int, str]:
    code = ["-m", "scripts.labels"] if not kill else ["-c", KILLED, kill]
    done = subprocess.run(
        [sys.executable, *code, *words, *own],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout


def test_killed_anywhere_it_ends_as_if_it_had_not_been(
    chosen: Callable[..., Settings], own: list[str], tmp_path: Path
) -> None:
    """Killed again and again, each time further on; and between the kills somebody answers."""
    now = chosen(*MACHINE)
    name = now.argilla.dataset
    with opened(now) as (loop, gold):
        dataset, client = loop[0], loop[0].client
        labelled(loop, gold, now)
        test_set = open_test_set(client, now.argilla, loop[1].labels)
        ask(test_set, [{"id": "a" * 16, "text": "Chips"}, {"id": "b" * 16, "text": "Goals"}])
        test_set.respond(test_set.pull()[0], ["tech"], "anna")
        waiting = [a for a in dataset.pull() if a.status == "waiting"]
    names_before = ("business", "sports", "tech")
    change_ = ["split", "tech", "gadgets", "tech"]
    kills = [
        "after POST /datasets ",  # the first of them is made, and not published
        "after /records/bulk",
        f"after 'name': '{name}-test-before-",
        f"after 'name': '{name}-test'",
        "before /records/bulk",
        f"after 'name': '{name}-before-",  # there is no data set of the name
        f"after 'name': '{name}'",
        "file test.spacy",
        "file labels.json",
    ]
    extra = ["business", "sports", "tech"]
    shutil.copytree(now.paths.corpus, tmp_path / "clone")
    for number, kill in enumerate(kills):
        code, said = run(own, *([] if number else [*change_, "--yes"]), kill=kill)
        assert code == -signal.SIGKILL, (kill, said)
        assert ("Finishing a change" in said) == bool(number)
        with pytest.raises(ProjectError, match="is not finished"), opened(now):
            pass
        if "-before-" in kill and "-test" not in kill:  # another machine makes none in its place
            clone = chosen(*MACHINE, "--paths.corpus", tmp_path / "clone")
            with pytest.raises(ProjectError, match="are being changed"), opened(clone):
                pass
        if number in (1, 4) and extra:  # in the old one, which is still in place
            dataset.respond(waiting.pop(), [extra.pop(0)], "anna")
    before = snapshot(client, backup_of(client, name))[1]
    code, said = run(own)  # shows the labels, when what was begun is done
    assert code == 0, said
    assert "Finishing a change that was begun: 'tech' is split into 'gadgets', 'tech'" in said
    assert "python -m scripts.labels rename" in said

    names, found = snapshot(client, name)
    assert names == ["business", "sports", "gadgets", "tech"] == list(read_labels(now.paths.corpus))
    assert found == expect(before, {"tech": None})
    assert sum("anna" in record["responses"] for record in found.values()) == 2
    there = data_sets(client, str(client.workspaces("argilla").id))
    assert len([n for n in there if n.startswith(name)]) == 4
    assert snapshot(client, f"{name}-test")[1]["a" * 16]["responses"] == {}
    kept = [n for n in there if n.startswith(f"{name}-test-before")]
    assert snapshot(client, kept[0])[1]["a" * 16]["responses"]
    assert not list(now.paths.corpus.glob("*.part"))
    assert not list(now.paths.corpus.glob("labels_change*"))
    with opened(now) as (loop, _):
        waiting = Answers(loop[0].answers()).waiting
        assert f"{len(waiting)} record" in step(*loop, now).why
    # On another machine, whose files do not know of it yet: the same change, nothing is copied.
    srsly.write_json(now.paths.corpus / "labels.json", dict.fromkeys(names_before, "x"))
    with pytest.raises(ProjectError, match="has the labels business, sports, gadgets, tech"):
        opened(now).__enter__()
    code, said = run(own, *change_, "--yes")
    assert (code, "it is called" in said) == (0, False)
    assert snapshot(client, name)[1] == found
    with opened(now):
        pass


def test_somebody_answers_while_it_runs(
    chosen: Callable[..., Settings], own: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each request of the copy, and right before the names change."""
    from scripts.records import swap

    now = chosen()
    with opened(now) as (loop, gold):
        dataset, client = loop[0], loop[0].client
        step(*loop, now)
        waiting = dataset.pull()
        copy, patch = swap.copy_records, swap._patch

        def answers_come(*arguments: Any, **options: Any) -> int:
            done = copy(*arguments, **options)
            if len(waiting) > 2:
                dataset.respond(answer := waiting.pop(), gold[answer.id], ORACLE)
            return done

        def and_at_the_last_moment(*arguments: Any, **what: Any) -> Any:
            while waiting:
                dataset.respond(answer := waiting.pop(), gold[answer.id], ORACLE)
            done = patch(*arguments, **what)
            return done

        monkeypatch.setattr(swap, "copy_records", answers_come)
        monkeypatch.setattr(swap, "_patch", and_at_the_last_moment)
        change(own, "rename", "tech", "computers")
        assert not waiting
        monkeypatch.undo()
        before = snapshot(client, backup_of(client, now.argilla.dataset))[1]
        found = snapshot(client, now.argilla.dataset)[1]
        assert found == expect(before, {"tech": "computers"})
        assert all(ORACLE in record["responses"] for record in found.values())


def test_the_pools_data_set_follows(chosen: Callable[..., Settings], own: list[str]) -> None:
    """Its suggestions too, and the metadata that people filter by."""
    now = chosen()
    with opened(now) as (loop, _):
        dataset, learner, _ = loop
        client = dataset.client
        found = PoolDataset.open(dataset, learner.labels, learner.dim, None).own
        name = str(found.dataset.name)
        labels_ = ["business", "tech", "sports", "tech"]
        found.push(
            [
                rg.Record(
                    id=f"{n:016x}",
                    fields={"text": f"text {n}"},
                    metadata={"model": label, "people": labels_[0], "state": "open"},
                    vectors={"embedding": [n, *[1.0] * (learner.dim - 1)]},
                    suggestions=[rg.Suggestion(QUESTION, label, score=0.5, agent="m-1")],
                )
                for n, label in enumerate(labels_)
            ]
        )
        found.respond(found.pull()[1], ["tech"], "anna")
        found.respond(found.pull()[2], ["sports"], "anna")
    change(own, "rename", "sports", "games")
    change(own, "retire", "tech")
    names, records = snapshot(client, name)
    assert names == ["business", "games"]
    rest = {"people": "business", "state": "open"}
    assert [
        (
            record["suggestions"].get(QUESTION, (None,))[0],
            record["metadata"],
            record["responses"],
        )
        for record in records.values()
    ] == [
        ("business", {"model": "business", **rest}, {}),
        (None, rest, {}),
        ("games", {"model": "games", **rest}, {"anna": ("submitted", {QUESTION: "games"})}),
        (None, rest, {}),
    ]
    # The loop has what was said there, too, and asks again where the label is gone.
    with opened(now) as (loop, _):
        found = {a.id: (a.status, a.labels, a.source) for a in loop[0].answers()}
    waiting, labelled = ("waiting", (), "found"), ("labelled", ("games",), "found")
    assert found == {f"{1:016x}": waiting, f"{2:016x}": labelled}


def test_the_newer_answer_counts_wherever_it_was_given(
    chosen: Callable[..., Settings], own: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is copied is of now, so the order of what one person said in two data sets is taken
    from before: also where the change is cut short between the two."""
    now = chosen()
    with opened(now) as (loop, _):
        dataset = loop[0]
        step(*loop, now)
        browse(*loop, now)
        in_pool, in_loop = (answer.id for answer in dataset.pull()[:2])
        correct(dataset, in_pool, "sports")
        say(dataset, in_pool, "business")
        say(dataset, in_loop, "business")
        correct(dataset, in_loop, "sports")
        alone = open_ids(loop)[0]
        say(dataset, alone, "tech")

    def labels_of(*ids: str) -> list[tuple[str, ...]]:
        with opened(now) as (loop, _):
            assert take_found(loop[0]) == 0
            return [answer_of(loop[0], id_).labels for id_ in ids]

    change(own, "add", "politics")
    assert labels_of(in_pool, in_loop, alone) == [("business",), ("sports",), ("tech",)]

    from scripts.loop import labels as changing

    def cut_short(place: Place, *arguments: Any) -> str:
        if place.name == now.argilla.dataset:
            raise KeyboardInterrupt
        return swap(place, *arguments)

    monkeypatch.setattr(changing, "swap", cut_short)
    with pytest.raises(KeyboardInterrupt):
        change(own, "rename", "politics", "state")
    monkeypatch.setattr(changing, "swap", swap)
    change(own, "rename", "politics", "state")
    assert labels_of(in_pool, in_loop, alone) == [("business",), ("sports",), ("tech",)]


@pytest.fixture
def several(
    own: list[str], pipelines: Path, chosen: Callable[..., Settings]
) -> tuple[list[str], Settings]:
    """Overrides and settings where a text may have any number of labels."""
    pipeline = ["--paths.pipeline", str(pipelines / "textcat_multilabel.cfg")]
    return [*own, *pipeline], chosen(*pipeline)


def test_several_labels_a_text(several: tuple[list[str], Settings]) -> None:
    own, now = several
    name = now.argilla.dataset
    said: dict[str, list[str]] = {}

    def votes() -> dict[str, list[str]]:
        return {
            id_: record["responses"].get("anna", ("", {}))[1].get(QUESTION)
            for id_, record in snapshot(client, name)[1].items()
        }

    with opened(now) as (loop, _):
        dataset, client = loop[0], loop[0].client
        step(*loop, now)
        answers = dataset.pull()
        given = [["tech"], ["tech", "sports"], ["business"], [], ["tech", "business"]]
        given.append(["tech", NONE])  # unclear: it is asked again anyway
        for answer, value in zip(answers, given, strict=True):
            dataset.respond(answer, value, "anna")
            said[answer.id] = value or [NONE]
        # A suggestion of two that become one.
        record = rg.Record(
            id=answers[0].id,
            fields={"text": answers[0].text},
            suggestions=[
                rg.Suggestion(QUESTION, ["tech", "business"], score=[0.5, 0.75], agent="m-1")
            ],
        )
        dataset.push([record])
    ids = list(said)
    change(own, "merge", "tech", "business", into="work")
    assert snapshot(client, name)[0] == ["work", "sports", NONE]
    merged = [["work"], ["work", "sports"], ["work"], [NONE], ["work"], ["work", NONE]]
    assert votes() == dict(zip(ids, merged, strict=True))
    assert snapshot(client, name)[1][ids[0]]["suggestions"][QUESTION] == (["work"], [0.75], "m-1")

    # Split: asked again whatever else was said. Retired: only where no other label stands.
    change(own, "add", "quote")
    change(own, "retire", "sports")
    assert votes() == dict(zip(ids, [["work"], ["work"], *merged[2:]], strict=True))
    with opened(now) as (loop, _):
        (text,) = [a for a in loop[0].pull() if a.id == ids[3]]
        key = {"X-Argilla-Api-Key": loop[0].user("anna")["api_key"]}
        (response,) = _responses(loop[0], text.id, "anna")
        body = {"status": "submitted", "values": {QUESTION: {"value": ["quote"]}}}
        path = f"/api/v1/responses/{response}"
        client.http_client.put(path, json=body, headers=key).raise_for_status()
    change(own, "split", "work", "money", "machines")
    assert votes() == dict(zip(ids, [None, None, None, ["quote"], None, None], strict=True))
    change(own, "add", "other")
    change(own, "retire", "quote")
    assert votes() == dict.fromkeys(ids)
    with opened(now) as (loop, _):
        assert [a.status for a in loop[0].answers()] == ["waiting"] * 6
        for n, answer in enumerate(loop[0].pull()):
            loop[0].respond(answer, [["money"], [], ["machines", "other"]][n % 3], "anna")
        result = step(*loop, now)
        assert (result.trained_on, result.asked) == (6, 5)


@pytest.mark.parametrize(
    ("words", "options", "wrong"),
    [
        (["rename", "weather", "sun"], {}, "There is no label 'weather'"),
        (["retire", "weather"], {}, "There is no label 'weather'"),
        (["rename", "tech", "sports"], {}, "There is a label 'sports' already"),
        (["add", "Sports"], {}, "There is a label 'sports' already"),
        (["add", "one", "One"], {}, "There is a label 'one' already"),
        (["rename", "tech", "tech"], {}, "'tech' is called so already"),
        (["rename", "tech", "  "], {}, "cannot be empty"),
        (["rename", "tech"], {}, "takes two names"),
        (["add"], {}, "Which label"),
        (["add", "x"], {"into": "y"}, "--into belongs to merge"),
        (["add", "x"], {"description": ["a", "b"]}, "2 descriptions for 1 label"),
        (["add", "x" * 201], {}, "has 201 characters"),
        (["add", *(f"label {n}" for n in range(498))], {}, "takes at most 500"),
        (["merge", "tech", "tech"], {"into": "tech"}, "takes two labels or more"),
        (["merge", "tech", "sports"], {}, "takes two labels or more"),
        (["merge", "tech", "sports"], {"into": "business"}, "There is a label 'business'"),
        (["merge", "tech", "sports", "business"], {"into": "all"}, "at least two labels"),
        (["retire", "tech", "sports"], {}, "at least two labels"),
        (["split", "tech", "one"], {}, "takes a label and two or more"),
        (["split", "tech", "one", "one"], {}, "different names"),
        (["split", "tech", "sports", "one"], {}, "There is a label 'sports' already"),
        (["burn", "tech"], {}, "no change of labels called 'burn'"),
    ],
)
def test_wrong_input_changes_nothing(
    own: list[str],
    chosen: Callable[..., Settings],
    words: list[str],
    options: dict[str, Any],
    wrong: str,
) -> None:
    with pytest.raises(ProjectError, match=wrong):
        change(own, *words, **options)
    assert list(read_labels(chosen().paths.corpus)) == ["business", "sports", "tech"]


def test_what_stands_in_the_way(several: tuple[list[str], Settings]) -> None:
    own, now = several
    with pytest.raises(ProjectError, match="cannot be called 'none of these'"):
        change(own, "add", NONE)
    with opened(now) as (loop, _):
        client, workspace = loop[0].client, str(loop[0].dataset.workspace.id)
        step(*loop, now)
    # Nobody agrees; then another change is found half made.
    assert run(own, "retire", "tech")[0] == 1
    said = run(own, "retire", "tech")[1]
    assert "Nothing was changed" in said
    assert "Traceback" not in said
    (place,) = [p for what, p in places(client, now.argilla).items() if what == "the loop"]
    other = plan(read_labels(now.paths.corpus), ["add", "politics"], True)
    settings = relabel_settings(settings_of(client, place.find() or {}), other, True)
    create(client, workspace, f"{now.argilla.dataset}-new-labels", settings)
    with pytest.raises(ProjectError, match=r"-new-labels' has the labels .*politics"):
        change(own, "retire", "tech")
    change(own, "add", "politics")  # the one that was begun
    with opened(now) as (loop, _):
        assert len(loop[0].answers()) == 6
    with pytest.raises(ProjectError, match="has the labels"):
        effects(client, now, plan({"a": "a", "b": "b"}, ["add", "c"], True))


def test_labels_are_shown(
    chosen: Callable[..., Settings], own: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    now = chosen()
    labels(context_of(own))
    assert "computers" in capsys.readouterr().out
    with opened(now) as (loop, gold):
        step(*loop, now)
        annotate(loop[0], gold, list(loop[1].labels))
        tech = sum(gold[a.id] == ["tech"] for a in loop[0].pull())
    labels(context_of(own))
    (line,) = [row for row in capsys.readouterr().out.splitlines() if row.startswith("tech ")]
    assert line.split() == ["tech", str(tech), "0", "computers"]


def test_with_many_labels_the_likeliest_are_offered_first(
    several: tuple[list[str], Settings],
) -> None:
    own, now = several
    with opened(now) as (loop, _):
        client = loop[0].client

    def shown() -> tuple[int, str]:
        (one,) = [d for d in get(client, "/me/datasets") if d["name"] == now.argilla.dataset]
        (question,) = get(client, f"/datasets/{one['id']}/questions")
        return len(question["settings"]["options"]), question["settings"]["options_order"]

    assert shown() == (4, "natural")
    change(own, "add", *(f"label {n}" for n in range(6)))
    assert shown() == (10, "suggestion")
    change(own, "retire", "label 0")
    assert shown() == (9, "natural")
