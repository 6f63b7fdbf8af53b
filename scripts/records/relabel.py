"""What becomes of a record where labels change: its answers, suggestions and metadata."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from scripts.data.label_changes import Change
from scripts.records.convert import NONE, QUESTION
from scripts.records.questions import labels_order, question_labels, rewrite_guidelines
from scripts.records.rest import Json
from scripts.records.settings import BOT

Values = dict[str, Any] | None
HOLD_LABELS = {"model", "people"}  # metadata of the pool's data set


@dataclass(frozen=True)
class Relabel:
    """Applies a change of labels to records as `records.copy` has them.

    later: (text id, user) -> in which round the user answered last, and what is left of it.
    """

    change: Change
    later: dict[tuple[str, str], tuple[int, Values]] = field(default_factory=dict)

    def __call__(self, record: Json) -> Json | None:
        """The record with the new labels; None for one that the machine alone had answered, with a
        label that is gone: its text is open again."""
        responses, asked = [], asks_again(self, record)
        for said in record["responses"]:
            if (values := self.values(record, said)) is not None:
                # Where people are asked again, what the machine says must not stand instead.
                status = "draft" if asked and said["user"] == BOT else said["status"]
                responses.append({**said, "values": values, "status": status})
        machine = all(r["user"] == BOT and r["status"] == "submitted" for r in record["responses"])
        if record["responses"] and machine and not responses:
            return None
        found = [self.suggestion(said) for said in record["suggestions"]]
        return {
            **record,
            "metadata": self.metadata(record["metadata"]),
            "responses": responses,
            "suggestions": [said for said in found if said is not None],
        }

    def values(self, record: Json, said: Json) -> Values:
        """What a response says now: {} for a discard without a value, None if its label is gone."""
        values: dict[str, Any] = dict(said["values"] or {})
        if QUESTION not in values:
            return values
        now = self.value(values[QUESTION]["value"])
        if now is not None:
            return {**values, QUESTION: {"value": now}}
        if said["status"] == "discarded":
            return {key: value for key, value in values.items() if key != QUESTION}
        # What the same user has said since counts in its place, as it did before.
        round_, since = self.later.get((_text(record), said["user"]), (0, None))
        return since if round_ > _round(record) else None

    def value(self, value: str | list[str]) -> str | list[str] | None:
        """One label, or several and perhaps "none of these"; None if it is to be asked again."""
        if not isinstance(value, list):
            now = self.change([value])
            return now and now[0]
        if not set(value) & self.change.became.keys():
            return value
        now = self.change([label for label in value if label != NONE])
        return None if now is None else [*now, *[NONE] * (NONE in value)]

    def suggestion(self, said: Json) -> Json | None:
        if said["question"] != QUESTION:
            return said
        value = said["value"]
        if not isinstance(value, list):
            now = self.change([value])
            return {**said, "value": now[0]} if now else None
        scores = said["score"] or [None] * len(value)
        best: dict[str, Any] = {}
        for label, score in zip(value, scores, strict=True):
            name = self.change.became.get(label, label)
            if name is not None:
                best[name] = max(filter(None, (best.get(name), score)), default=score)
        score = list(best.values()) if said["score"] else None
        return {**said, "value": list(best), "score": score} if best else None

    def metadata(self, metadata: Json | None) -> Json | None:
        now = dict(metadata or {})
        for name in HOLD_LABELS & now.keys():
            now[name] = self.value(now[name])
        return metadata and {name: value for name, value in now.items() if value is not None}


def asks_again(relabel: Relabel, record: Json) -> bool:
    """Whether what a person said of the record does not stand any more."""
    return any(
        said["status"] == "submitted"
        and said["user"] != BOT
        and relabel.values(record, said) is None
        for said in record["responses"]
    )


def relabelling(change: Change, records: Iterable[Json]) -> Relabel:
    """records: Of the data set that is to have the new labels."""
    plain = Relabel(change)
    later: dict[tuple[str, str], tuple[int, Values]] = {}
    asked = None in change.became.values()  # else nobody's answer is gone
    for record in sorted(records, key=_round) if asked else []:
        for said in record["responses"] if _round(record) > 1 else []:
            if said["status"] == "submitted":
                later[_text(record), said["user"]] = _round(record), plain.values(record, said)
    return Relabel(change, later)


def relabel_settings(settings: Json, change: Change, multi_label: bool) -> Json:
    """The settings of a data set with the new labels."""
    names = question_labels(change.new, multi_label)
    questions = []
    for question in settings["questions"]:
        if question["name"] == QUESTION:
            own = dict(question["settings"])
            there = {option["value"]: option for option in own["options"]}
            own["options"] = [there.get(name, {"value": name, "text": name}) for name in names]
            if own.get("visible_options"):  # three at least, and no more than there are
                shown = min(own["visible_options"], len(names))
                own["visible_options"] = shown if shown >= 3 else None
            if multi_label:
                own["options_order"] = labels_order(names)
            question = {**question, "settings": own}
        questions.append(question)
    old, new = change.old, change.new
    guidelines = rewrite_guidelines(settings.get("guidelines", ""), old, new, multi_label)
    found = {**settings, "questions": questions}
    return {**found, "guidelines": guidelines} if guidelines else found


def _text(record: Json) -> str:
    return str(record["external_id"]).partition("-")[0]


def _round(record: Json) -> int:
    number = str(record["external_id"]).partition("-")[2]
    return int(number) if number.isdigit() else 1
