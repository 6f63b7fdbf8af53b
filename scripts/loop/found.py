"""Labels that people gave in the data set of the whole pool become labels of the loop, whose own
data set stays the one truth."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.cli.words import count
from scripts.records.answers import Answers
from scripts.records.client import Client
from scripts.records.convert import QUESTION, TEXT
from scripts.records.dataset import LoopDataset
from scripts.records.pool_dataset import answered_in_pool, embeddings_in_pool, pool_name
from scripts.records.replies import Replied, Reply, as_sent, by_id
from scripts.records.rest import upsert
from scripts.records.schema import find
from scripts.records.settings import ArgillaSettings


class Found(NamedTuple):
    """A response of the pool's data set that the loop's does not have. record: The record there
    that it belongs to; None if the text is not there yet."""

    text: Replied
    reply: Reply
    record: str | None


def take_found(dataset: LoopDataset) -> int:
    """Copy what people submitted or discarded in the pool's data set, and the loop's does not have.

    A text that the loop has not asked becomes a record with the source "found", which teaches and
    proves nothing. On one that it has, the response counts as if it had been given there: it was
    drawn all the same, and keeps its chance. If the same user has said something else there, the
    newer one counts. Nothing changes for what is there already, so this may be cut short anywhere
    and run again.

    RETURNS: How many responses were copied.
    """
    copied: dict[tuple[str, str], Reply] = {}
    # Again, until there is nothing new: people change their minds while this runs, and the copy of
    # what they said before is younger by then.
    while found := _new(dataset, copied):
        _copy(dataset, found)
        copied |= {(one.text.id, one.reply.user_id): one.reply for one in found}
    return len(copied)


def check_taken(client: Client, settings: ArgillaSettings) -> None:
    """For a copy, which dates all answers anew, so that nobody can tell the newer any more.

    RAISES (ProjectError): The pool's data set has answers that the loop's does not have yet.
    """
    _, there = find(client, settings)
    if there is None or there.get().settings.metadata["iteration"] is None:  # it is no loop's
        return
    if left := len(_new(LoopDataset(client, there, settings), {})):
        raise ProjectError(
            f"{count(left, 'answer')} in '{pool_name(settings.dataset)}' not in "
            f"'{settings.dataset}' yet, where they count.",
            "Nothing was copied. Take them there first: weasel run step",
        )


def _new(dataset: LoopDataset, copied: dict[tuple[str, str], Reply]) -> list[Found]:
    texts = answered_in_pool(dataset)
    if not texts:
        return []
    known = set(dataset.dataset.settings.questions[QUESTION].labels)
    there = _rounds(dataset, [one.id for one in texts])
    found, foreign = [], 0
    for text in texts:
        records = sorted(there.get(text.id, ()), key=lambda one: one.made)
        for reply in text.replies.values():
            if not known.issuperset(_labels(reply)):
                foreign += 1
                continue
            # The last time that it was asked before this was said; if it was only asked since, the
            # first time.
            before = [one for one in records if one.made <= reply.at] or records[:1]
            record = before[-1] if before else None
            theirs = record.replies.get(reply.user_id) if record else None
            mine = [one.replies[reply.user_id] for one in records if reply.user_id in one.replies]
            if any(one.at > reply.at for one in mine if one is not theirs):
                continue  # another time that it was asked the same user has said something newer
            if theirs is None or (
                not _same(theirs, reply) and (theirs.at < reply.at or _is(copied, text.id, theirs))
            ):
                found.append(Found(text, reply, record.id if record else None))
    if foreign:
        msg.warn(
            f"{count(foreign, 'answer')} left in '{pool_name(dataset.settings.dataset)}': their "
            f"labels are none of '{dataset.settings.dataset}'"
        )
    return found


def _rounds(dataset: LoopDataset, ids: Sequence[str]) -> dict[str, list[Replied]]:
    """The loop's records of these texts, of each as often as it was asked."""
    there: dict[str, list[Replied]] = {}
    wanted, number = list(ids), 1
    while wanted:
        found = by_id(dataset.client, dataset.dataset.id, wanted)
        for one in found:
            there.setdefault(one.id.partition("-")[0], []).append(one)
        number += 1
        wanted = [f"{one.id.partition('-')[0]}-{number}" for one in found]
    return there


def _copy(dataset: LoopDataset, found: Sequence[Found]) -> None:
    new = [one.text.id for one in found if one.record is None]
    vectors = embeddings_in_pool(dataset, new) if new else {}
    # That of the newest questions, so that the next step's number stays what it is.
    iteration = max(Answers(dataset.answers()).next_iteration - 1, 0) if new else 0
    questions = {question.name for question in dataset.dataset.settings.questions}
    items: dict[str, dict[str, Any]] = {}
    for text, reply, record in found:
        item = items.setdefault(record or text.id, {"external_id": record or text.id})
        if record is None:
            item["fields"] = {TEXT: text.text}
            item["metadata"] = {"iteration": iteration, "source": "found"}
            item["vectors"] = vectors[text.id]
        # A data set made earlier may have no note.
        values = {name: value for name, value in reply.values.items() if name in questions}
        item.setdefault("responses", []).append(as_sent(reply._replace(values=values)))
    upsert(dataset.client, dataset.dataset.id, list(items.values()))


def _labels(reply: Reply) -> list[str]:
    value = reply.values.get(QUESTION, {}).get("value")
    return value if isinstance(value, list) else [value] if value is not None else []


def _same(one: Reply, other: Reply) -> bool:
    """Whether they say the same; the order of labels is none, and a discarded label no answer."""
    labels = sorted(_labels(one)) == sorted(_labels(other)) or one.status == "discarded"
    return one.status == other.status and labels


def _is(copied: dict[tuple[str, str], Reply], id_: str, theirs: Reply) -> bool:
    """Whether this is what was copied a moment ago."""
    ours = copied.get((id_, theirs.user_id))
    return ours is not None and _same(ours, theirs)
