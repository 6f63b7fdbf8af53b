"""Responses with their time and their user, which the SDK does not tell."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import argilla as rg

from scripts.records.rest import request
from scripts.records.settings import BOT, MOST

PAGE = 1000  # records that Argilla finds in one request


class Reply(NamedTuple):
    """One user's response to a record. values: question -> {"value": ...}; empty for a discard of
    a text for which nothing was chosen. at: When it was given, by the server's clock."""

    user_id: str
    status: str
    values: dict[str, Any]
    at: datetime


class Replied(NamedTuple):
    """A record with the responses to it, by the user's id. made: When it was put into Argilla, by
    the server's clock. vectors: Empty unless they were asked for."""

    id: str
    text: str
    made: datetime
    replies: dict[str, Reply]
    vectors: dict[str, list[float]]


def said(client: rg.Argilla, dataset_id: object) -> int:
    """How many answers people have submitted or discarded; quick, as no record is read."""
    users = request(client, "GET", f"/datasets/{dataset_id}/users/progress")["users"]
    return sum(
        part["submitted"] + part["discarded"]
        for user in users
        if user["username"] != BOT
        for part in (user["completed"], user["pending"])
    )


def answered(client: rg.Argilla, dataset_id: object) -> list[Replied]:
    """The records that somebody has submitted or discarded, drafts left out."""
    return list(_search(client, dataset_id, "response", "status", ["submitted", "discarded"]))


def by_id(
    client: rg.Argilla, dataset_id: object, ids: Sequence[str], vectors: bool = False
) -> list[Replied]:
    """Those of these records that are there."""
    found: list[Replied] = []
    for start in range(0, len(ids), MOST):
        some = ids[start : start + MOST]
        found += _search(client, dataset_id, "record", "external_id", some, vectors)
    return found


def as_sent(reply: Reply) -> dict[str, Any]:
    """The response as a part of an item."""
    # Empty values, never none: the SDK could not read the record any more.
    return {"user_id": reply.user_id, "status": reply.status, "values": reply.values}


def _search(
    client: rg.Argilla,
    dataset_id: object,
    entity: str,
    name: str,
    values: Sequence[str],
    vectors: bool = False,
) -> Iterator[Replied]:
    """In the order in which the records were made. values: Any of these lets a record through."""
    scope = {"entity": entity, "property": name}
    body = {
        "filters": {"and": [{"type": "terms", "scope": scope, "values": list(values)}]},
        "sort": [{"scope": {"entity": "record", "property": "inserted_at"}, "order": "asc"}],
    }
    include = ["responses", *["vectors"] * vectors]
    path = f"/datasets/{dataset_id}/records/search"
    start, total = 0, 1
    while start < total:
        params = {"include": include, "offset": start, "limit": PAGE}
        page = request(client, "POST", path, json=body, params=params)
        total, start = page["total"], start + PAGE
        yield from (_replied(item["record"]) for item in page["items"])


def _replied(record: dict[str, Any]) -> Replied:
    replies = {
        one["user_id"]: Reply(
            one["user_id"],
            one["status"],
            one["values"] or {},
            datetime.fromisoformat(one["updated_at"]),
        )
        for one in record.get("responses") or []
        if one["status"] != "draft"
    }
    return Replied(
        str(record["external_id"]),
        str(record["fields"]["text"]),
        datetime.fromisoformat(record["inserted_at"]),
        replies,
        record.get("vectors") or {},
    )
