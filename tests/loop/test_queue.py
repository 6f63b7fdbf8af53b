"""Texts that wait while people answer: topped up, with fresh suggestions, proving only whole."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from scripts.cli.errors import ProjectError
from scripts.loop.annotate import annotate
from scripts.loop.assess import assess
from scripts.loop.finish import finish
from scripts.loop.lease import lease
from scripts.loop.settings import Settings
from scripts.loop.step import step
from scripts.records.answers import Answer, Answers, Chance, Vote
from scripts.records.dataset import LoopDataset
from tests.loop_fixtures import opened


def suggestions(dataset: LoopDataset) -> dict[str, tuple[str, float, str]]:
    """Record id -> label, score, agent."""
    found = {}
    for record in dataset.dataset.records(with_suggestions=True):
        for one in record.suggestions:
            found[str(record.id)] = (one.value, one.score, one.agent)
    return found


def test_the_queue_is_topped_up_and_its_suggestions_are_those_of_the_newest_model(
    settings: Callable[..., Settings],
) -> None:
    chosen = settings("--loop.queue", 12)
    with opened(chosen) as (loop, gold):
        dataset, learner, _ = loop
        labels = list(learner.labels)
        assert step(*loop, chosen).asked == 6
        assert annotate(dataset, gold, labels, limit=4) == 4
        early = step(*loop, chosen)
        assert "2 records to be answered, and the next step is due after 1 more" in early.why
        assert (early.people, early.waiting, early.due) == (4, 2, 1)

        annotate(dataset, gold, labels, limit=1)
        result = step(*loop, chosen)
        assert (result.asked, result.trained_on) == (11, 5)  # one of the first batch still waits
        assert (result.people, result.waiting, result.due) == (5, 12, 5)
        before = {a.id: a for a in dataset.answers()}
        said = suggestions(dataset)
        waiting = Answers(list(before.values())).waiting
        assert {said[a.id][2] for a in waiting if a.id in said} == {"classy_textcat-trained-001"}

        annotate(dataset, gold, labels, limit=5)
        result = step(*loop, chosen)
        assert (result.asked, result.trained_on) == (5, 10)
        after = {a.id: a for a in dataset.answers()}
        # Nothing of a record that waits is changed but its suggestion.
        kept = [a for a in waiting if after[a.id].status == "waiting"]
        assert [after[a.id] for a in kept] == kept
        now = suggestions(dataset)
        probs = learner.predict(learner.embed([a.text for a in kept]))
        for answer, row in zip(kept, probs, strict=True):
            if answer.source == "audit":
                assert answer.id not in now
            else:
                label, score, agent = now[answer.id]
                assert agent == "classy_textcat-trained-002"
                assert (label, score) != said[answer.id][:2]
                assert label == labels[row.argmax()]


def test_the_end_of_a_budget_asks_no_more_than_it(settings: Callable[..., Settings]) -> None:
    chosen = settings("--loop.queue", 12, "--loop.budget", 14)
    with opened(chosen) as (loop, gold):
        dataset, labels = loop[0], list(loop[1].labels)
        step(*loop, chosen)
        annotate(dataset, gold, labels, limit=5)
        assert step(*loop, chosen).asked == 8
        assert "9 records still to be answered, the last" in step(*loop, chosen).why
        assert not step(*loop, chosen).finished
        annotate(dataset, gold, labels)
        assert step(*loop, chosen).finished


def drawn(id_: str, iteration: int, status: str = "labelled", round_: int = 1) -> Answer:
    labels = ("a",) if status == "labelled" else ()
    votes = (Vote("anna", ("a",), False),) if labels else ()
    first = 1 if round_ > 1 else None
    return Answer(  # type: ignore[arg-type]
        id_, id_, status, labels, iteration, "query", votes, round=round_,
        drawn=Chance(0.1, 100, 0.25), first=first,
    )  # fmt: skip


def test_a_batch_is_unfinished_while_a_draw_of_it_waits() -> None:
    answers = [drawn("a", 1), drawn("b", 1), drawn("c", 2), drawn("d", 2, "waiting")]
    assert Answers(answers).unfinished == {2}
    # One that is asked again belongs to the batch that drew it.
    assert Answers([*answers[:3], drawn("e", 7, "waiting", round_=2)]).unfinished == {1}
    assert Answers(answers[:3]).unfinished == set()
    # So does one on which people disagree, before and after it is asked again; not for ever.
    assert Answers([*answers[:3], drawn("f", 2, "tied")]).unfinished == {2}
    assert Answers([*answers[:3], drawn("f", 7, "tied", round_=3)]).unfinished == set()


def test_of_an_unfinished_batch_nothing_is_proved(settings: Callable[..., Settings]) -> None:
    chosen = settings("--loop.queue", 12)
    with opened(chosen) as (loop, gold):
        dataset, learner, pool = loop
        labels = list(learner.labels)
        step(*loop, chosen)
        annotate(dataset, gold, labels, limit=5)
        step(*loop, chosen)
        annotate(dataset, gold, labels, limit=4)  # three of the eleven draws
        answers = Answers(dataset.answers())
        found = assess(answers, learner, pool, chosen.loop)
        assert found.draws is not None
        assert (len(found.draws), found.draws.waiting) == (0, 8)
        annotate(dataset, gold, labels)
        found = assess(Answers(dataset.answers()), learner, pool, chosen.loop)
        assert found.draws is not None
        assert (len(found.draws), found.draws.waiting) == (11, 0)
        last = next(answer for answer in dataset.pull() if answer.drawn)
        wrong = next(label for label in labels if label not in gold[last.id])
        dataset.respond(last, [wrong], "ben")
        found = assess(Answers(dataset.answers()), learner, pool, chosen.loop)
        assert found.draws is not None
        assert (len(found.draws), found.draws.waiting) == (0, 1)


def test_finish_labels_what_waits_in_its_file_and_leaves_it_to_people(
    settings: Callable[..., Settings],
) -> None:
    chosen = settings("--loop.queue", 12, "--loop.promise.error", 0.9)
    with opened(chosen) as (loop, gold):
        dataset, learner, pool = loop
        step(*loop, chosen)
        annotate(dataset, gold, list(learner.labels))
        step(*loop, chosen)
        annotate(dataset, gold, list(learner.labels))
        step(*loop, chosen)
        before = [a for a in dataset.answers() if a.status == "waiting"]
        assert len(before) == 12
        done = finish(*loop, chosen)
        assert done.by("machine") == len(pool.ids) - 18
        after = {a.id: a for a in dataset.answers()}
        assert [after[a.id] for a in before] == before


def test_two_commands_take_turns(settings: Callable[..., Settings]) -> None:
    folder = settings().paths.corpus
    code = (
        "import sys; from pathlib import Path; from scripts.loop.lease import lease\n"
        f"with lease(Path({str(folder)!r}), 'step'):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with (
        pytest.raises(ProjectError, match=rf"`weasel run step` \(process {other.pid}\)"),
        lease(folder, "finish", wait=0.1),
    ):
        pass
    other.kill()  # the system gives it back
    other.wait()
    with lease(folder, "finish", wait=5), lease(folder, "step", wait=0.1):
        pass
