"""Argilla's HTTP API where its SDK hides what a copy needs: discards without a value, the time of
an answer, users by id, names of data sets that change."""

from collections.abc import Iterator, Sequence
from typing import Any

import argilla as rg
from argilla._exceptions._api import api_error_handler

from scripts.records.settings import MOST

Json = dict[str, Any]


@api_error_handler
def request(client: rg.Argilla, method: str, path: str, **options: Any) -> Any:
    """What the server answers to a request, as JSON.

    RAISES (ArgillaError): It refuses, as the SDK itself says it; `plain_messages` puts it in words.
    """
    reply = client.http_client.request(method, f"/api/v1{path}", **options)
    reply.raise_for_status()
    return reply.json() if reply.content else None


def data_sets(client: rg.Argilla, workspace_id: str) -> dict[str, Json]:
    """The data sets of a workspace that the key can see, by name, oldest first."""
    found = request(client, "GET", "/me/datasets", params={"workspace_id": workspace_id})["items"]
    found.sort(key=lambda one: one["inserted_at"])
    return {one["name"]: one for one in found}


def all_users(client: rg.Argilla) -> list[Json]:
    return list(request(client, "GET", "/users")["items"])


def user_ids(client: rg.Argilla) -> dict[str, str]:
    """User name -> id, of all users of the server."""
    return {str(user["username"]): str(user["id"]) for user in all_users(client)}


def page_url(client: rg.Argilla, dataset_id: object, of_loop: bool = False) -> str:
    """Where people label. of_loop: in the order in which the loop asks: batch by batch, as a batch
    proves something when all of it is answered, and in each what teaches most first."""
    sort = "?sort=metadata.iteration.asc~metadata.uncertainty.desc" if of_loop else ""
    return f"{str(client.api_url).rstrip('/')}/dataset/{dataset_id}/annotation-mode{sort}"


def upsert(client: rg.Argilla, dataset_id: object, items: Sequence[Json]) -> None:
    """Put records, or parts of them, there; of what fits into one request the server takes all or
    none.

    items: As the server wants them. What an item leaves out stays as it is.
    """
    path = f"/datasets/{dataset_id}/records/bulk"
    for start in range(0, len(items), MOST):
        request(client, "PUT", path, json={"items": list(items[start : start + MOST])})


def questions_of(client: rg.Argilla, dataset_id: str) -> list[Json]:
    return list(request(client, "GET", f"/datasets/{dataset_id}/questions")["items"])


def read_records(
    client: rg.Argilla, dataset_id: object, suggestions: bool = True, vectors: bool = False
) -> Iterator[tuple[Json, int]]:
    """Every record with its responses, in the order in which they were made; and how many records
    there are.

    suggestions, vectors: With these too.
    """
    include = ",".join(["responses", *["suggestions"] * suggestions, *["vectors"] * vectors])
    seen: set[str] = set()
    offset, total = 0, 1
    while offset < total:
        params = {"offset": offset, "limit": MOST, "include": include}
        page = request(client, "GET", f"/datasets/{dataset_id}/records", params=params)
        total = page["total"]
        offset += len(page["items"])
        for record in page["items"]:
            if record["id"] not in seen:
                seen.add(record["id"])
                for said in record["responses"]:
                    # A discard may have null for values, on which Argilla's SDK breaks down.
                    said["values"] = said["values"] or {}
                yield record, total
        if not page["items"]:
            return
