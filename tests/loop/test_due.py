"""When a step is due, and how many texts it asks."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from scripts.data.corpus import Pool
from scripts.loop.due import Due, due
from scripts.loop.settings import Settings
from scripts.records.answers import Answer, Answers

POOL = Pool([f"{i:x}" for i in range(120)], [str(i) for i in range(120)])


def state(labelled: int, waiting: int, same: bool = False) -> Answers:
    names = ["a"] * labelled if same else ["a", "b"] * labelled
    said = [Answer(POOL.ids[i], "", "labelled", (names[i],), 0, "seed") for i in range(labelled)]
    rest = range(labelled, labelled + waiting)
    return Answers([*said, *(Answer(POOL.ids[i], "", "waiting", (), 0, "seed") for i in rest)])


@pytest.mark.parametrize(
    ("labelled", "waiting", "same", "queue", "found", "size", "after"),
    [
        (0, 0, False, 20, 0, 20, 1),  # the first batch
        (4, 16, False, 20, 0, None, 1),
        (5, 15, False, 20, 0, 5, 1),
        (20, 12, False, 20, 0, 8, 1),
        (20, 18, False, 20, 0, None, 3),
        (20, 18, False, 20, 1, 2, 1),  # a label found in the pool teaches at once
        (20, 20, False, 20, 1, 0, 1),
        (20, 25, False, 20, 0, None, 10),  # as after a second look at many
        (15, 5, True, 20, 0, 15, 1),  # all of one label: no model, and the cold start goes on
        (4, 16, True, 20, 1, 4, 1),
        (20, 1, False, 0, 0, None, 1),  # a batch at a time
        (20, 3, False, 5, 0, None, 3),
        (20, 0, False, 0, 0, 5, 1),
        (95, 3, False, 20, 0, 2, 1),  # what the budget leaves
        (95, 5, False, 20, 0, None, 1),
        (95, 5, False, 20, 1, 0, 1),
    ],
)
def test_a_step_is_due_when_a_batch_has_come(
    settings: Callable[..., Settings],
    labelled: int,
    waiting: int,
    same: bool,
    queue: int,
    found: int,
    size: int | None,
    after: int,
) -> None:
    loop = settings("--loop.queue", queue, "--loop.seed_size", 20, "--loop.budget", 100).loop
    turn = due(state(labelled, waiting, same), POOL, loop, False, found)
    assert (turn.size, bool(turn.why), turn.finished) == (size or 0, size is None, False)
    assert turn.after == after
    if waiting:  # whoever does not wait gets a batch at least, within the budget
        asked = due(state(labelled, waiting, same), POOL, loop, True, found)
        most = 100 - labelled - waiting
        assert asked.size == min(max(size or 0, 5), most)


def test_it_is_over_with_the_budget_or_the_pool(settings: Callable[..., Settings]) -> None:
    loop = settings("--loop.queue", 20, "--loop.budget", 50).loop
    assert due(state(50, 3), POOL, loop, False, 0).finished
    loop = settings("--loop.queue", 20, "--loop.budget", 0).loop
    over = due(state(117, 3), POOL, loop, False, 0)
    assert over == Due(why="every text of the pool has been asked; 3 records still to be answered")
    assert due(state(120, 0), POOL, loop, False, 0).finished


def test_ties_are_asked_again_when_all_else_has_been_asked(
    settings: Callable[..., Settings],
) -> None:
    loop = settings("--loop.queue", 20, "--loop.budget", 0).loop
    tied = [Answer(POOL.ids[i], "", "tied", (), 0, "seed") for i in (118, 119)]
    assert due(Answers([*state(118, 0).all, *tied]), POOL, loop, False, 0) == Due(20)
    often = [replace(answer, round=3) for answer in tied]
    assert due(Answers([*state(118, 0).all, *often]), POOL, loop, False, 0).finished


def test_ties_are_asked_again_when_the_budget_is_spent_and_nothing_else_is(
    settings: Callable[..., Settings],
) -> None:
    loop = settings("--loop.queue", 20, "--loop.budget", 50).loop
    tied = Answer(POOL.ids[118], "", "tied", (), 0, "seed")
    assert due(Answers([*state(50, 0).all, tied]), POOL, loop, False, 0) == Due(0)
    assert due(Answers([*state(50, 0).all, replace(tied, round=3)]), POOL, loop, False, 0).finished
    waits = due(Answers([*state(49, 1).all, tied]), POOL, loop, False, 0)
    assert (waits.why, waits.finished) == (
        "1 record still to be answered, the last of the budget",
        False,
    )
