"""Whether a step is due, and how many texts it asks."""

from typing import NamedTuple

from scripts.cli.words import count
from scripts.data.corpus import Pool
from scripts.loop.assess import open_rows, trainable
from scripts.loop.settings import LoopSettings
from scripts.records.answers import Answers


class Due(NamedTuple):
    """size: Texts to ask, so that the queue is full. why: Why no step is due; empty where one is.
    finished: None ever will be. after: Answers after which it is worth looking again."""

    size: int = 0
    why: str = ""
    finished: bool = False
    after: int = 1


def due(answers: Answers, pool: Pool, loop: LoopSettings, now: bool, found: int) -> Due:
    """now: Do not wait for the answers that are missing. found: Labels from the pool that no model
    has seen: they teach at once, whether there is room for more questions or not."""
    waiting = len(answers.waiting)
    to_answer = f"{count(waiting, 'record')} still to be answered"
    # What people disagree about is asked again all the same: its batch proves nothing until then.
    if loop.budget and answers.by_people >= loop.budget and not answers.again:
        why = (
            f"the budget of {count(loop.budget, 'answer')} is spent: to go on, raise [loop] budget"
        )
        return Due(why=f"{why} (0 = no limit)", finished=True)
    if not len(open_rows(answers, pool)) and not answers.again:
        why = "every text of the pool has been asked"
        return Due(why=f"{why}; {to_answer}" if waiting else why, finished=not waiting)
    cold = not trainable(answers.labelled)
    # A model of two answers is none to draw many texts by.
    few = answers.by_people < min(loop.batch_size, loop.seed_size)
    room = (loop.seed_size if cold or few else max(loop.queue, loop.batch_size)) - waiting
    size = max(room, loop.batch_size if now else 0)
    if loop.budget:
        left = loop.budget - answers.by_people - waiting
        size = min(size, left)
        if left <= 0 and waiting and not found:
            return Due(why=f"{to_answer}, the last of the budget")
    after = min(loop.batch_size - room, waiting) if loop.at_once else waiting
    if (after > 0 and not now and not found) or (cold and size <= 0):
        when = (
            f"after {count(after, 'more answer')}" if after < waiting else "when all are answered"
        )
        why = f"{count(waiting, 'record')} to be answered, and the next step is due {when}"
        return Due(why=f"{why}; nothing was changed", after=max(after, 1))
    return Due(max(size, 0))
