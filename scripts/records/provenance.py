"""Everything that Argilla keeps of a text: who said what and when, and what the model suggested.

A step needs less, and reads it faster: `LoopDataset.pull`.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from tqdm import tqdm

from scripts.records.answers import Answer
from scripts.records.convert import QUESTION, from_value
from scripts.records.dataset import LoopDataset
from scripts.records.rest import Json


@dataclass(frozen=True)
class Suggested:
    """What people saw as the model's suggestion. agent: The model, with its step. scores: Of each
    label; where none of the labels was suggested, of that."""

    labels: tuple[str, ...]
    agent: str
    scores: tuple[float, ...]


@dataclass(frozen=True)
class Provenance:
    """One text with where its answer comes from.

    answer: Its rounds together, as `LoopDataset.answers` has them.
    times: User -> when that user gave the answer that counts, in UTC.
    suggested: The last suggestion, if there was any.
    uncertainty: What the record says of the model that asked the text.
    """

    answer: Answer
    times: dict[str, datetime]
    suggested: Suggested | None
    uncertainty: float | None


def read(dataset: LoopDataset) -> list[Provenance]:
    """All texts of the data set, in the order of their first records."""
    users = dataset.user_names()
    question = str(dataset.dataset.settings.questions[QUESTION].id)
    rounds: dict[str, list[Provenance]] = defaultdict(list)
    for item in _items(dataset):
        found = Provenance(
            dataset.to_answer(item, users),
            _times(item["responses"], users),
            _suggested(item, question, dataset.settings.multi_label),
            (item["metadata"] or {}).get("uncertainty"),
        )
        rounds[found.answer.text_id].append(found)
    answers = (found.answer for group in rounds.values() for found in group)
    return [_together(answer, rounds[answer.text_id]) for answer in dataset.together(answers)]


def _items(dataset: LoopDataset) -> Iterator[Json]:
    """Records as `LoopDataset.items` has them."""
    with tqdm(desc="Reading", unit="record", delay=2, disable=None) as bar:
        for record, total in dataset.items():
            bar.total = total
            bar.update()
            yield record


def _times(responses: list[Json], users: dict[str, str]) -> dict[str, datetime]:
    return {
        users.get(id_ := str(one["user_id"]), id_): _utc(one["updated_at"])
        for one in responses
        if one["status"] != "draft"
    }


def _utc(time: str) -> datetime:
    """The server's times are UTC, and do not say so."""
    found = datetime.fromisoformat(time)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _suggested(item: Json, question: str, multi_label: bool) -> Suggested | None:
    """question: The server's id of the one with the labels."""
    for one in item["suggestions"]:
        if one["question_id"] == question:
            value, score = one["value"], one["score"]
            values = value if isinstance(value, list) else [value]
            scores = score if isinstance(score, list) else [score]
            # In the order of the labels, which from_value sorts.
            pairs = sorted(zip(values, scores, strict=True)) if None not in scores else []
            return Suggested(
                from_value(value, multi_label),
                str(one["agent"] or ""),
                tuple(score for _, score in pairs),
            )
    return None


def _together(answer: Answer, rounds: list[Provenance]) -> Provenance:
    """answer: The rounds' answers, merged. What a user said last counts, as with the votes."""
    rounds = sorted(rounds, key=lambda found: found.answer.round)
    said = sorted(((at, user) for found in rounds for user, at in found.times.items()))
    times = {user: at for at, user in said}
    suggested = [found.suggested for found in rounds if found.suggested]
    doubts = [found.uncertainty for found in rounds if found.uncertainty is not None]
    return Provenance(
        answer, times, suggested[-1] if suggested else None, doubts[-1] if doubts else None
    )
