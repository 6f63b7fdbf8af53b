"""One Argilla data set copied to another, on the same server or on another one.

What is there already is not copied again, so a copy that was cut short is run again. Argilla dates
what it takes by itself: the copy's records and answers are of today, in the old order.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import argilla as rg
from tqdm import tqdm

from scripts.records.rest import Json, questions_of, read_records, request, upsert
from scripts.records.settings import MOST

# What becomes of a record on the way, as `Side.records` gives it; None leaves it out.
Convert = Callable[[Json], Json | None]
NEVER, ALWAYS = datetime.min, datetime.max


@dataclass
class Side:
    """A data set on a server, with names in place of the server's ids.

    users: user name -> id. questions: question name -> id.
    empty_drafts: Drafts without a choice that were read; Argilla gives them out and takes none.
    """

    client: rg.Argilla
    id: str
    users: dict[str, str]
    questions: dict[str, str] = field(init=False)
    empty_drafts: int = 0

    def __post_init__(self) -> None:
        found = questions_of(self.client, self.id)
        self.questions = {question["name"]: question["id"] for question in found}

    def records(self, vectors: bool = False) -> Iterator[tuple[Json, int]]:
        """Every record, oldest first, and how many there are. A record has `external_id` (the
        server's own id where it was given none), `fields`, `metadata`, `vectors`; `responses` with
        `user`, `status`, `values` and `updated_at`; `suggestions` with `question`, `value`,
        `score`, `agent`, `type` and `updated_at`."""
        users = {id_: name for name, id_ in self.users.items()}
        questions = {id_: name for name, id_ in self.questions.items()}
        self.empty_drafts = 0
        for record, total in read_records(self.client, self.id, vectors=vectors):
            responses = []
            for said in record["responses"]:
                if said["status"] == "draft" and not said["values"]:
                    self.empty_drafts += 1
                    continue
                responses.append(_only(said, "status", "values", "updated_at"))
                responses[-1]["user"] = users.get(said["user_id"], said["user_id"])
            suggestions = []
            for said in record.get("suggestions") or []:
                suggestions.append(_only(said, "value", "score", "agent", "type", "updated_at"))
                suggestions[-1]["question"] = questions[said["question_id"]]
            yield (
                {
                    "external_id": record["external_id"] or record["id"],
                    "fields": record["fields"],
                    "metadata": record.get("metadata"),
                    "vectors": record.get("vectors") or None,
                    "responses": responses,
                    "suggestions": suggestions,
                },
                total,
            )

    def item(self, record: Json) -> Json:
        """A record, or the part of it that is to be written, as the server takes it."""
        responses = [
            {**_only(said, "status", "values"), "user_id": self.users[said["user"]]}
            for said in record["responses"]
        ]
        suggestions = [
            {
                **_only(said, "value", "score", "agent", "type"),
                "question_id": self.questions[said["question"]],
            }
            for said in record["suggestions"]
        ]
        return {**record, "responses": responses, "suggestions": suggestions}


def copy_records(
    source: Side,
    target: Side,
    convert: Convert,
    ours_until: datetime = NEVER,
    title: str = "Copy",
    vectors: bool = True,
) -> int:
    """Copy what the target lacks, at most 500 records in a request.

    convert: Applied to each record of the source.
    ours_until: What the target had by then only a copy has put there, so that the source is right
        wherever they differ; else the later of the two is, and a draft is never right.
    vectors: Without them it is quicker, and new records have none: for a second look.
    RETURNS: How many records the target lacked, in whole or in part.
    """
    there = {record["external_id"]: _said(record) for record, _ in target.records()}
    written, batch = 0, []
    with tqdm(desc=title, disable=None) as bar:
        for record, total in source.records(vectors):
            bar.total = total
            bar.update()
            wanted = convert(record)
            found = wanted and lacks(wanted, there.get(wanted["external_id"]), ours_until)
            if found:
                batch.append(target.item(found))
            if len(batch) == MOST:
                upsert(target.client, target.id, batch)
                written, batch = written + MOST, []
    upsert(target.client, target.id, batch)
    return written + len(batch)


def lacks(record: Json, there: Json | None, ours_until: datetime) -> Json | None:
    """What of a record is to be written: all of it, some of its responses and suggestions, or
    nothing (None).

    there: What the target says of it, as `_said` gives it; None if it has no such record.
    """
    if there is None:
        return record
    part: Json = {"external_id": record["external_id"]}
    for kind, key in KEYS.items():
        part[kind] = [
            said for said in record[kind] if _counts(said, there[kind].get(said[key]), ours_until)
        ]
    return part if part["responses"] or part["suggestions"] else None


KEYS = {"responses": "user", "suggestions": "question"}


def _said(record: Json) -> Json:
    """Responses by user and suggestions by question, without the rest."""
    return {kind: {said[key]: said for said in record[kind]} for kind, key in KEYS.items()}


def _counts(said: Json, there: Json | None, ours_until: datetime) -> bool:
    """Whether what was said in the source is to be written over what the target has."""
    if there is None:
        return True
    if all(said[key] == there[key] for key in said if key != "updated_at"):
        return False
    if time(there) <= ours_until:
        return True
    if said.get("status") == "draft" and there.get("status") != "draft":
        return False
    return time(said) > time(there)


def time(said: Json) -> datetime:
    """When it was said, by the server's clock."""
    return datetime.fromisoformat(said["updated_at"])


def tally(side: Side, convert: Convert | None = None) -> Counter[str]:
    """What a data set has, counted: records, suggestions, and responses by status and user."""
    counts: Counter[str] = Counter(records=0)
    for record, _ in side.records():
        found = convert(record) if convert else record
        if found:
            counts["records"] += 1
            counts["suggestions"] += len(found["suggestions"])
            for said in found["responses"]:
                counts[f"{said['status']} by {said['user']}"] += 1
    return counts


def differences(source: Counter[str], target: Counter[str]) -> list[str]:
    """In words; empty if there are none."""
    return [
        f"{what}: {source[what]} there, {target[what]} here"
        for what in sorted({*source, *target})
        if source[what] != target[what]
    ]


def settings_of(client: rg.Argilla, dataset: Json) -> Json:
    """All settings of a data set, as `create` takes them."""
    id_ = dataset["id"]
    own = ("guidelines", "allow_extra_metadata", "distribution", "metadata")
    found: Json = {key: dataset[key] for key in own if dataset.get(key) is not None}
    for part, (path, mine, keys) in PARTS.items():
        items = request(client, "GET", f"{mine}/datasets/{id_}/{path}")["items"]
        items.sort(key=lambda item: item["inserted_at"])
        found[part] = [_only(item, *keys) for item in items]
    return found


# Path of each part of the settings, where it is read, and what it is made of.
PARTS = {
    "fields": ("fields", "", ("name", "title", "required", "settings")),
    "questions": ("questions", "", ("name", "title", "description", "required", "settings")),
    "properties": (
        "metadata-properties",
        "/me",
        ("name", "title", "settings", "visible_for_annotators"),
    ),
    "vectors": ("vectors-settings", "", ("name", "title", "dimensions")),
}


def create(client: rg.Argilla, workspace_id: str, name: str, settings: Json) -> Json:
    """A published data set without records. One that was cut short in the making is not published:
    see `is_whole`."""
    own = {key: value for key, value in settings.items() if key not in PARTS}
    body = {"name": name, "workspace_id": workspace_id, **own}
    dataset = request(client, "POST", "/datasets", json=body)
    for part, (path, _, _) in PARTS.items():
        for item in settings[part]:
            request(client, "POST", f"/datasets/{dataset['id']}/{path}", json=item)
    return dict(request(client, "PUT", f"/datasets/{dataset['id']}/publish"))


def is_whole(dataset: Json) -> bool:
    return bool(dataset["status"] == "ready")


def _only(item: Json, *keys: str) -> Json:
    return {key: item[key] for key in keys}
