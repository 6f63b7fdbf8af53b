"""spaCy Doc <-> Argilla record. A record's id is made from its text, so it needs no look-up."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import argilla as rg
import numpy as np

from scripts.cli.errors import ProjectError
from scripts.data.corpus import in_words, text_id
from scripts.records.answers import Answer, Chance, Vote, resolve

if TYPE_CHECKING:  # spaCy takes two seconds to import, and most records are only read
    from spacy.tokens import Doc
    from spacy.training import Example

Record = rg.Record
# The text's id, and the round if it is asked again. All others are records of somebody else.
RECORD_ID = re.compile(r"[0-9a-f]{16}(-[0-9]+)?")
TEXT, QUESTION, VECTOR = "text", "label", "embedding"
# Argilla takes no empty answer and no empty suggestion where a text may have several labels: its
# page keeps "Submit" grey, its API says 422. So "no label fits" is a choice of its own there.
NONE = "none of these"


def to_value(labels: Sequence[str], multi_label: bool) -> str | list[str]:
    """What Argilla stores for the labels of a text.

    RAISES (ProjectError): No label or several, where a text has exactly one.
    """
    if multi_label:
        return list(labels) or [NONE]
    if len(labels) != 1:
        raise ProjectError(f"A text has exactly one label here, not {in_words(labels)}.")
    return labels[0]


def from_value(value: object, multi_label: bool) -> tuple[str, ...]:
    """The labels of what Argilla has stored."""
    values = value if isinstance(value, list) else [value]
    no_label = {None, NONE} if multi_label else {None}
    return tuple(sorted(str(v) for v in values if v not in no_label))


def doc_to_record(
    doc: "Doc",
    *,
    iteration: int,
    source: str,
    agent: str | None = None,
    uncertainty: float | None = None,
    vector: np.ndarray | None = None,
    label_threshold: float | None = None,
    drawn: Chance | None = None,
) -> rg.Record:
    """A record with doc.cats as the suggestion, if there is an agent that suggests it.

    drawn: By which chance the text was drawn.
    vector: (dim,) the text's embedding, for Argilla's "find similar".
    label_threshold: In multi-label data, labels from this probability on are suggested; None where
        a text has one label.
    """
    metadata: dict[str, object] = {"iteration": iteration, "source": source}
    if uncertainty is not None:
        metadata["uncertainty"] = round(float(uncertainty), 6)
    if drawn is not None:
        metadata |= drawn._asdict()
    return rg.Record(
        id=text_id(doc.text),
        fields={TEXT: doc.text},
        metadata=metadata,
        vectors=None if vector is None else {VECTOR: [float(x) for x in vector]},
        suggestions=[suggestion(doc.cats, agent, label_threshold)] if agent and doc.cats else [],
    )


def suggestion(cats: dict[str, float], agent: str, label_threshold: float | None) -> rg.Suggestion:
    if label_threshold is None:
        best = max(cats, key=lambda label: cats[label])
        return rg.Suggestion(QUESTION, best, score=cats[best], agent=agent)
    chosen = [label for label, value in cats.items() if value >= label_threshold]
    # The labels are independent of each other, so none of them fits with this probability.
    none = float(np.prod([1 - value for value in cats.values()]))
    return rg.Suggestion(
        QUESTION,
        to_value(chosen, multi_label=True),
        score=[cats[c] for c in chosen] or [none],
        agent=agent,
    )


def item_to_answer(
    item: Mapping[str, Any],
    *,
    users: Mapping[str, str],
    bot: str | None,
    min_submitted: int,
    multi_label: bool,
) -> Answer:
    """What people said of a record. item: As Argilla's API has it, which the SDK makes records of
    without times and without discards of texts for which nothing was chosen. users: user id ->
    user name."""
    votes = []
    machine: tuple[str, ...] | None = None
    for said in item["responses"]:
        user = users.get(said["user_id"], said["user_id"])
        chosen = QUESTION in said["values"]
        value = said["values"][QUESTION]["value"] if chosen else None
        labels = from_value(value, multi_label)
        # Somebody chose "none of these" and left a suggested label on, or the other way round.
        unclear = bool(labels) and isinstance(value, list) and NONE in value
        if user == bot and chosen:
            machine = labels
        discarded = said["status"] == "discarded"
        if discarded or (said["status"] == "submitted" and chosen):
            given = () if discarded else labels
            votes.append(Vote(user, given, discarded, unclear, said["updated_at"]))
    id_, metadata = str(item["external_id"]), item["metadata"] or {}
    chance: list[Any] = [metadata.get(name) for name in Chance._fields]
    status, labels = resolve(votes, bot, min_submitted, multi_label)
    return Answer(
        id=id_,
        text=str(item["fields"][TEXT]),
        status=status,
        labels=labels,
        iteration=int(metadata.get("iteration", 0)),
        source=str(metadata.get("source", "")),
        votes=tuple(votes),
        machine=machine,
        server_id=str(item["id"]),
        round=int(id_.partition("-")[2] or 1),
        drawn=None if None in chance else Chance(*chance),
    )


def answer_to_example(
    make_doc: "Callable[[str], Doc]", answer: Answer, labels: Sequence[str]
) -> "Example":
    """A training example: gold cats are 1.0 for the answered label(s) and 0.0 for all others.

    RAISES (ValueError): The answer has a label that is not in labels.
    """
    from spacy.training import Example

    unknown = set(answer.labels) - set(labels)
    if unknown:
        raise ValueError(f"record {answer.id} has unknown labels {sorted(unknown)}")
    return Example.from_dict(
        make_doc(answer.text),
        {"cats": {label: float(label in answer.labels) for label in labels}},
    )
