"""A data set as the server has it, read without the code that copies it."""

from typing import Any

import argilla as rg

Said = dict[str, Any]


def get(client: rg.Argilla, path: str, **params: Any) -> list[dict[str, Any]]:
    reply = client.http_client.get(f"/api/v1{path}", params=params)
    reply.raise_for_status()
    return reply.json()["items"]


def snapshot(client: rg.Argilla, name: str) -> tuple[list[str], dict[str, Said]]:
    """The choices, and every record in its order, read without the code that is tested."""
    (dataset,) = [one for one in get(client, "/me/datasets") if one["name"] == name]
    questions = get(client, f"/datasets/{dataset['id']}/questions")
    names = {question["id"]: question["name"] for question in questions}
    users = {user["id"]: user["username"] for user in get(client, "/users")}
    found = {}
    path = f"/datasets/{dataset['id']}/records"
    for record in get(client, path, limit=1000, include="responses,suggestions,vectors"):
        found[record["external_id"] or record["id"]] = {
            "fields": record["fields"],
            "metadata": record["metadata"],
            "vectors": record["vectors"],
            "status": record["status"],
            "responses": {
                users[said["user_id"]]: (
                    said["status"],
                    {key: value["value"] for key, value in (said["values"] or {}).items()},
                )
                for said in record["responses"]
            },
            "suggestions": {
                names[said["question_id"]]: (said["value"], said["score"], said["agent"])
                for said in record["suggestions"]
            },
        }
    options = questions[0]["settings"]["options"]
    return [option["value"] for option in options], found
