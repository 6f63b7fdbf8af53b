"""The records that the search tests ask for, and how to ask."""

from dataclasses import dataclass
from typing import Any

import argilla as rg
import httpx

from scripts.argilla_server.manage import Credentials

PASSWORD = "the annotator's, and long enough"


def http(credentials: Credentials, username: str | None = None) -> httpx.Client:
    """A client of the server's HTTP API: with the API key, or signed in as on the page."""
    client = httpx.Client(base_url=f"{credentials.api_url}/api/v1", timeout=30, trust_env=False)
    client.headers["X-Argilla-Api-Key"] = credentials.api_key
    if username is not None:
        token = client.post("/token", data={"username": username, "password": PASSWORD})
        del client.headers["X-Argilla-Api-Key"]
        client.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
    return client


def text(query: str, field: str | None = None) -> dict[str, Any]:
    return {"text": {"q": query, "field": field}}


@dataclass
class Found:
    """What a search gave: the records' external ids in order, their scores, and how many match."""

    ids: list[str]
    scores: list[float]
    total: int


@dataclass
class Searched:
    """The data set, and how to search in it."""

    dataset: rg.Dataset
    owner: httpx.Client
    annotator: httpx.Client

    def find(self, *, me: httpx.Client | None = None, **request: Any) -> Found:
        """Search as the owner, in all responses; or as a user does on the page (`me`)."""
        params = {k: request.pop(k) for k in ("offset", "limit") if k in request}
        path = f"/datasets/{self.dataset.id}/records/search"
        client, path = (self.owner, path) if me is None else (me, f"/me{path}")
        answer = client.post(path, json=request, params=params)
        assert answer.status_code == 200, answer.text
        content = answer.json()
        return Found(
            ids=[item["record"]["external_id"] for item in content["items"]],
            scores=[item["query_score"] for item in content["items"]],
            total=content["total"],
        )

    def refuses(self, **request: Any) -> str:
        """The message that a search is refused with."""
        answer = self.owner.post(f"/datasets/{self.dataset.id}/records/search", json=request)
        assert answer.status_code == 422
        return answer.text

    def record_id(self, external_id: str) -> str:
        return str(next(r.id for r in self.records if r.external_id == external_id))

    @property
    def records(self) -> list[Any]:
        return [record._model for record in self.dataset.records()]


# id, texts, metadata, vector, suggestions (value, score, agent, type)
RECORDS: list[dict[str, Any]] = [
    {
        "id": "mat",
        "text": "The cat sat on the mat",
        "metadata": {"source": "seed", "length": 6, "uncertainty": 0.0},
        "vector": [1, 0, 0],
        "topic": ("pets", 0.9, "model-a", "model"),
        "tags": (["short", "old"], [0.2, 0.8], "model-a", "model"),
        "stars": (1, 0.5, "model-a", "model"),
    },
    {
        "id": "play",
        "text": "A dog and a CAT played",
        "metadata": {"source": "query", "length": 10, "uncertainty": 0.25},
        "vector": [0.9, 0.1, 0],
        "topic": ("pets", 0.4, "model-b", "model"),
        "tags": (["old"], [0.6], "model-b", "model"),
        "stars": (3, 0.5, "model-b", "model"),
    },
    {
        "id": "dont",
        "text": "Dogs don't like cats.",
        "metadata": {"source": "query", "length": 4, "uncertainty": 0.5},
        "vector": [0, 1, 0],
        "topic": ("pets", 1.0, "Ann by hand", "human"),
    },
    {
        "id": "wifi",
        "text": "Wi-Fi prices fell 3.14 percent in the U.S.A",
        "metadata": {"source": ["seed", "audit"], "length": 100, "uncertainty": 0.75},
        "vector": [-1, 0, 0],
        "topic": ("money", 0.4, "model-a", "model"),
        "stars": (5, None, None, None),
    },
    {
        "id": "oil",
        "text": "Oil prices rise again, oil traders say: oil!",
        "note": "the word of the day is hidden here",
        "metadata": {"length": -5},
        "vector": [-0.5, 0.5, 0],
        "topic": ("money", None, None, None),
    },
    {
        "id": "fell",
        "text": "prices of oil fell",
        "note": "a cat is in the note",
        "vector": [0, 0, 1],
    },
    {"id": "cafe", "text": "Café in Zürich serves crème brûlée", "metadata": {"uncertainty": 1.0}},
    {"id": "japan", "text": "日本語のテキスト"},
    {"id": "link", "text": "visit example.com/now — it's free!\nnext line"},
    {"id": "smile", "text": "😀 what a smile"},
    {
        "id": "chat",
        "text": "a talk",
        "talk": [
            {"role": "customer", "content": "Where is my parcel?"},
            {"role": "helper", "content": "It is on its way"},
        ],
    },
    {"id": "odd", "text": '100% "quoted" a\\b snake_case x_y %like_ [z]'},
]

ALL = [row["id"] for row in RECORDS]

# record, who, status, values
RESPONSES: list[tuple[str, str, str, dict[str, Any]]] = [
    ("mat", "owner", "submitted", {"topic": "pets", "stars": 5, "tags": ["short", "old"]}),
    ("mat", "annotator", "submitted", {"topic": "money", "stars": 1}),
    ("play", "owner", "submitted", {"topic": "pets", "stars": 2}),
    ("dont", "annotator", "discarded", {"topic": "pets"}),
    ("wifi", "owner", "draft", {"topic": "money", "stars": 4}),
    ("wifi", "annotator", "submitted", {"topic": "money"}),
    ("oil", "owner", "discarded", {}),
]


def as_record(row: dict[str, Any]) -> rg.Record:
    return rg.Record(
        id=row["id"],
        fields={name: row[name] for name in ("text", "note", "talk") if name in row},
        metadata=row.get("metadata"),
        vectors={"vector": row["vector"]} if "vector" in row else None,
        suggestions=[
            rg.Suggestion(name, value, score=score, agent=agent, type=kind)
            for name in ("topic", "tags", "stars")
            if name in row
            for value, score, agent, kind in [row[name]]
        ],
    )
