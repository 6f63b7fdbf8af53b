"""Which of people's labels prove something of the pool as it is now."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from scripts.active_learning.plan import in_words, let_answer
from scripts.active_learning.proof import Draws, PromiseSettings
from scripts.active_learning.query import QueryState
from scripts.data.corpus import Pool
from scripts.loop.assess import read_draws
from scripts.records.answers import Answer, Answers, Chance, Status

IDS = [f"{i:016x}" for i in range(1000)]
LEARNER: Any = SimpleNamespace(label_threshold=None, targets=lambda answers: np.zeros(len(answers)))


def drawn(ids: list[str], iteration: int, pool: int, status: Status = "labelled") -> list[Answer]:
    """Uniformly, one after the other, from the texts that are open."""
    return [
        Answer(
            id_, id_, status, ("a",), iteration, "query",
            drawn=Chance(1 / (pool - i), pool - i, 1.0),
        )
        for i, id_ in enumerate(ids)
    ]  # fmt: skip


def read(answers: list[Answer], pool: list[str], wrong: int = 0) -> Draws:
    held_out = np.tile([0.9, 0.1], (len(Answers(answers).labelled), 1))
    held_out[:wrong] = [0.1, 0.9]
    return read_draws(Answers(answers), held_out, LEARNER, Pool(pool, pool))


def test_after_texts_came_into_the_pool_only_later_draws_prove_something() -> None:
    first = drawn(IDS[:60], 1, 200)
    draws = read(first, IDS[:200])
    assert (len(draws), draws.outgrown) == (60, 0)
    draws = read(first, IDS, wrong=15)
    assert (len(draws), draws.outgrown) == (0, 60)
    state = QueryState(np.tile([0.95, 0.05], (940, 1)), np.zeros((940, 2)))
    machine = let_answer(state, PromiseSettings(), draws)
    assert not len(machine.rows)
    said = in_words(machine, PromiseSettings())
    assert said[-1].startswith("60 labels no longer prove anything: texts came into the pool")
    said = in_words(machine._replace(outgrown=1), PromiseSettings())
    assert said[-1].startswith("1 label no longer proves anything: texts came into the pool")
    later = drawn(IDS[500:510], 2, 940)
    draws = read([*first, *later], IDS)
    assert (len(draws), draws.outgrown) == (10, 60)


def test_texts_that_left_the_pool_or_were_dealt_with_otherwise_change_nothing() -> None:
    first = drawn(IDS[:10], 1, 200)
    found = [Answer(id_, id_, "labelled", ("a",), 1, "found") for id_ in IDS[10:15]]
    discarded = drawn(IDS[15:20], 2, 185, "discarded")
    later = drawn(IDS[20:30], 3, 180)
    answers = [*later, *found, *discarded, *first]
    draws = read(answers, IDS[:200])
    assert (len(draws), draws.outgrown, draws.pool) == (20, 0, 195)
    assert (np.diff(draws.open[draws.anywhere > 0]) < 0).all()
    draws = read(answers, IDS[:150])
    assert (len(draws), draws.outgrown) == (20, 0)
    # Answers by the machine are open to a draw.
    machine = [Answer(id_, id_, "machine", ("a",), 1, "machine") for id_ in IDS[100:150]]
    assert len(read([*answers, *machine], IDS[:200])) == 20
