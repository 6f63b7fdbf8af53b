"""A data set that the search tests ask questions about, on the real server."""

from collections.abc import Iterator
from uuid import uuid4

import argilla as rg
import pytest

from scripts.argilla_server.manage import Credentials
from tests.argilla_server.helpers import (
    PASSWORD,
    RECORDS,
    RESPONSES,
    Searched,
    as_record,
    http,
)


@pytest.fixture(scope="module")
def searched(argilla_server: Credentials) -> Iterator[Searched]:
    """The records above with the responses above; two submitted ones complete a record."""
    client = rg.Argilla(api_url=argilla_server.api_url, api_key=argilla_server.api_key)
    annotator = client.users.add(
        rg.User(username=f"ann-{uuid4().hex[:8]}", password=PASSWORD, role="annotator")
    )
    client.workspaces(argilla_server.workspace).add_user(annotator)
    settings = rg.Settings(
        fields=[
            rg.TextField("text"),
            rg.TextField("note", required=False),
            rg.ChatField("talk", required=False),
        ],
        questions=[
            rg.LabelQuestion("topic", labels=["pets", "money", "other"]),
            rg.MultiLabelQuestion("tags", labels=["short", "old", "new"], required=False),
            rg.RatingQuestion("stars", values=[1, 2, 3, 4, 5], required=False),
        ],
        metadata=[
            rg.TermsMetadataProperty("source"),
            rg.IntegerMetadataProperty("length"),
            rg.FloatMetadataProperty("uncertainty"),
        ],
        vectors=[rg.VectorField("vector", dimensions=3)],
        distribution=rg.TaskDistribution(min_submitted=2),
    )
    dataset = rg.Dataset(
        f"search-{uuid4().hex[:8]}", argilla_server.workspace, settings=settings, client=client
    ).create()
    clients = {
        "owner": http(argilla_server),
        "annotator": http(argilla_server, annotator.username),
    }
    try:
        dataset.records.log([as_record(row) for row in RECORDS])
        ids = {record.id: record._model.id for record in dataset.records()}
        for record, who, status, values in RESPONSES:
            answer = clients[who].post(
                f"/records/{ids[record]}/responses",
                json={"status": status, "values": {k: {"value": v} for k, v in values.items()}},
            )
            assert answer.status_code == 201, answer.text
        yield Searched(dataset, **clients)
    finally:
        dataset.delete()
        for connection in clients.values():
            connection.close()
