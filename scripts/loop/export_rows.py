"""The labels in Argilla as rows that stand for themselves: who gave them, when and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scripts.active_learning.decisions import decide
from scripts.active_learning.plan import Machine, let_answer
from scripts.data.corpus import Pool, Row, text_id
from scripts.loop.assess import Assessment, assess
from scripts.loop.learner import Learner
from scripts.loop.machine import machine_labels
from scripts.loop.refresh import agent
from scripts.loop.settings import Settings
from scripts.records.answers import Answer, Answers, Chance, Vote, as_value
from scripts.records.dataset import BOT, ORACLE
from scripts.records.provenance import Provenance

# The split of each status; all others are not labelled. Who trains on "train" trains on people's
# labels, as the loop does, and who seeds another loop with it makes no label of the machine theirs.
SPLITS = {"labelled": "train", "machine": "machine"}
REST, TEST = "unlabelled", "test"


@dataclass(frozen=True)
class Today:
    """What `finish` would let the machine answer now.

    machine: As finish has it. labels: Text id -> labels of the machine.
    thinks: Text id -> labels and certainty, of all texts of the pool that no person has labelled.
    agent: The model that says so.
    """

    machine: Machine
    labels: dict[str, tuple[str, ...]]
    thinks: dict[str, tuple[tuple[str, ...], float]]
    agent: str

    def stands(self, answers: Answers) -> bool:
        """Whether the machine's answers in Argilla are those that it may give now."""
        there = {a.text_id: set(a.labels) for a in answers.machine}
        return there == {id_: set(labels) for id_, labels in self.labels.items()}


def look(answers: Answers, learner: Learner, pool: Pool, settings: Settings) -> Today | None:
    """Train on the answers and see what may be promised; nothing in Argilla is changed. None before
    there is anything to train on."""
    found = assess(answers, learner, pool, settings.loop, waiting=True)
    return judge(found, answers, learner, settings)


def judge(
    found: Assessment, answers: Answers, learner: Learner, settings: Settings
) -> Today | None:
    """The same of an assessment with the texts that wait."""
    if found.held_out is None:
        return None
    machine = let_answer(found.state, settings.loop.promise, found.draws)
    waits = {answer.text_id for answer in answers.waiting}
    labels, certainty = decide(found.state.probs, learner.label_threshold)
    return Today(
        machine,
        # As `finish`: what waits for people goes on waiting.
        {k: v for k, v in machine_labels(found, machine, learner).items() if k not in waits},
        {
            id_: (learner.decode_labels(labels[row]), float(certainty[row]))
            for row, id_ in enumerate(found.ids)
        },
        agent(answers.next_iteration, trained=True),
    )


def in_a_team(today: Today, answers: Answers, pool: Pool) -> list[Provenance]:
    """The machine's answers where Argilla has none, as `finish` writes them to its file."""
    return [
        Provenance(
            Answer(id_, text, "machine", labels, answers.next_iteration, "auto", machine=labels),
            {BOT: datetime.now(UTC)},
            None,
            None,
        )
        for id_, text in zip(pool.ids, pool.texts, strict=True)
        if (labels := today.labels.get(id_)) is not None
    ]


def to_splits(
    found: Iterable[Provenance],
    test: Iterable[Row],
    today: Today | None,
    open_texts: Mapping[str, str],
    multi_label: bool,
) -> dict[str, list[Row]]:
    """Rows by split, each in the order of the ids, in which `pull` writes them; no split is empty.

    open_texts: Text id -> text, of texts that nobody has answered, to be rows too.
    """
    splits: dict[str, list[Row]] = {"train": [], "machine": [], TEST: list(test), REST: []}
    for one in found:
        row = to_row(one, multi_label)
        thinks = today.thinks.get(row["id"]) if today else None
        if today and thinks and set(thinks[0]) == set(one.answer.labels):
            row |= {"model": row["model"] or today.agent, "certainty": thinks[1]}
        splits[SPLITS.get(row["status"], REST)].append(row)
    for id_, text in open_texts.items():
        row = to_row(
            Provenance(Answer(id_, text, "waiting", (), 0, ""), {}, None, None), multi_label
        )
        row |= {"status": "open", "source": None, "round": None, "iteration": None}
        if today and id_ in today.thinks:
            labels, certainty = today.thinks[id_]
            said = as_value(labels, multi_label)
            row |= {"suggestion": said, "model": today.agent, "certainty": certainty}
        splits[REST].append(row)
    return {
        split: sorted(rows, key=lambda row: row["id"]) for split, rows in splits.items() if rows
    }


def to_row(found: Provenance, multi_label: bool) -> Row:
    """One text. Of its labels that which counts is by name; None where it has none."""
    answer, suggested = found.answer, found.suggested
    people = [vote for vote in answer.votes if vote.user != BOT]
    agreed = [vote.user for vote in people if _agrees(vote, answer)]
    givers = [BOT] if answer.status == "machine" else agreed
    times = [found.times[user] for user in givers or [vote.user for vote in people]]
    labelled = answer.status in SPLITS
    return {
        "id": answer.text_id,
        "text": answer.text,
        "label": as_value(answer.labels, multi_label) if labelled else None,
        "status": answer.status,
        "by": _by(answer, people),
        "annotators": givers,
        "answered_at": max(times, default=None),
        "agreed": len(agreed),
        "votes": len(people),
        "responses": [_response(vote, found.times[vote.user]) for vote in answer.votes],
        "suggestion": as_value(suggested.labels, multi_label) if suggested else None,
        "model": suggested.agent if suggested else None,
        "score": _score(suggested.scores, multi_label) if suggested else None,
        "uncertainty": found.uncertainty,
        "machine": None if answer.machine is None else as_value(answer.machine, multi_label),
        "certainty": None,
        "source": answer.source,
        "round": answer.round,
        "iteration": answer.iteration,
        **(answer.drawn._asdict() if answer.drawn else dict.fromkeys(Chance._fields)),
    }


def _agrees(vote: Vote, answer: Answer) -> bool:
    """Whether it says just what the votes together come to."""
    if answer.status == "discarded" or vote.discarded:
        return answer.status == "discarded" and vote.discarded
    return (
        answer.status == "labelled" and not vote.unclear and set(vote.labels) == set(answer.labels)
    )


def _by(answer: Answer, people: Sequence[Vote]) -> str | None:
    if answer.status == "machine":
        return "machine"
    if answer.status not in ("labelled", "discarded"):
        return None
    return "simulation" if {vote.user for vote in people} == {ORACLE} else "people"


def _response(vote: Vote, at: datetime) -> dict[str, Any]:
    status = "discarded" if vote.discarded else "unclear" if vote.unclear else "submitted"
    return {"annotator": vote.user, "labels": list(vote.labels), "status": status, "at": at}


def _score(scores: Sequence[float], multi_label: bool) -> float | list[float] | None:
    return list(scores) if multi_label else next(iter(scores), None)


def by_people(found: Iterable[Provenance], held_out: set[str], multi_label: bool) -> list[Row]:
    """Rows of the test set that people labelled in Argilla. held_out: Ids of its texts."""
    return [
        to_row(one, multi_label) | {"source": TEST}
        for one in found
        if one.answer.status == "labelled" and one.answer.text_id in held_out
    ]


def from_file(
    texts: Sequence[str], labels: Sequence[Sequence[str]], by: str, multi_label: bool
) -> list[Row]:
    """Rows of a test set of which no more is known than the labels."""
    rows = []
    for text, given in zip(texts, labels, strict=True):
        answer = Answer(text_id(text), text, "labelled", tuple(sorted(given)), 0, TEST)
        row = to_row(Provenance(answer, {}, None, None), multi_label)
        rows.append(row | {"by": by, "round": None, "iteration": None})
    return rows


def anonymise(splits: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    """The same with annotator-1, annotator-2 and so on for people, in the order of their first
    answers. The bot and the simulated annotator are nobody."""
    first: dict[str, datetime] = {}
    for rows in splits.values():
        for one in (response for row in rows for response in row["responses"]):
            user = one["annotator"]
            first[user] = min(first.get(user, one["at"]), one["at"])
    people = sorted(first.keys() - {BOT, ORACLE}, key=lambda user: (first[user], user))
    names = {user: f"annotator-{n}" for n, user in enumerate(people, start=1)}
    return {
        split: [
            row
            | {
                "annotators": [names.get(user, user) for user in row["annotators"]],
                "responses": [
                    one | {"annotator": names.get(one["annotator"], one["annotator"])}
                    for one in row["responses"]
                ],
            }
            for row in rows
        ]
        for split, rows in splits.items()
    }
