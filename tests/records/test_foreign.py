"""What others did on the server: users that left, records and data sets that are not the loop's."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import argilla as rg
import pytest

from scripts.cli.errors import ProjectError
from scripts.loop.annotate import annotate
from scripts.loop.settings import Settings
from scripts.loop.step import step
from scripts.records.answers import Answer, Vote
from scripts.records.client import argilla_client
from scripts.records.convert import QUESTION
from scripts.records.dataset import LoopDataset
from scripts.records.held_out import find_test_set
from scripts.records.pool_dataset import PoolDataset
from scripts.records.provenance import read
from scripts.records.rest import request
from scripts.records.settings import BOT
from tests.loop_fixtures import Loop, new_name, opened

MACHINE = ("--loop.promise.rule", "fixed", "--loop.promise.certainty", "0.8")


def new_user(client: rg.Argilla, role: str) -> dict[str, Any]:
    body = {"username": new_name(), "first_name": role, "role": role, "password": "x" * 24}
    return dict(request(client, "POST", "/users", json=body))


def submit(dataset: LoopDataset, record: str, label: str, api_key: str) -> None:
    """As the annotation page does."""
    values = {QUESTION: {"value": label}}
    body = {"items": [{"status": "submitted", "values": values, "record_id": record}]}
    headers = {"X-Argilla-Api-Key": api_key}
    request(dataset.client, "POST", "/me/responses/bulk", json=body, headers=headers)


def until_the_machine_answers(
    loop: Loop, gold: dict[str, list[str]], settings: Settings
) -> list[Answer]:
    """Three steps, of which the first two are answered by people: all records then."""
    for _ in range(2):
        step(*loop, settings)
        annotate(loop[0], gold, list(loop[1].labels))
    step(*loop, settings)
    records = loop[0].pull()
    assert "machine" in {answer.status for answer in records}
    return records


def test_the_bot_stays_the_bot_when_it_is_taken_out_of_the_workspace(
    settings: Callable[..., Settings],
) -> None:
    now = settings(*MACHINE)
    with opened(now) as (loop, gold):
        dataset = loop[0]
        before = until_the_machine_answers(loop, gold, now)
        members = f"/workspaces/{dataset.dataset.workspace.id}/users"
        bot = dataset.user(BOT)["id"]
        request(dataset.client, "DELETE", f"{members}/{bot}")
        try:
            assert dataset.pull() == before
        finally:  # other tests have the same workspace
            request(dataset.client, "POST", members, json={"user_id": bot})


def test_people_are_named_though_they_are_no_members_of_the_workspace(
    settings: Callable[..., Settings],
) -> None:
    now = settings()
    with opened(now) as (loop, _):
        dataset = loop[0]
        step(*loop, now)
        owner, admin = new_user(dataset.client, "owner"), new_user(dataset.client, "admin")
        first = dataset.pull()[0]
        submit(dataset, first.server_id, "tech", owner["api_key"])
        assert dataset.pull()[0].votes == (Vote(owner["username"], ("tech",)),)
        # An admin's key may list nobody but the members.
        members = f"/workspaces/{dataset.dataset.workspace.id}/users"
        request(dataset.client, "POST", members, json={"user_id": admin["id"]})
        theirs = rg.Argilla(api_url=dataset.client.api_url, api_key=admin["api_key"])
        seen = LoopDataset(theirs, theirs.datasets(id=dataset.dataset.id), now.argilla)
        names = seen.user_names()
        assert names[admin["id"]] == admin["username"]
        assert owner["id"] not in names


def test_what_a_deleted_user_had_answered_is_on_the_pages_again(
    settings: Callable[..., Settings],
) -> None:
    now = settings()
    with opened(now) as (loop, gold):
        dataset, labels, leaver = loop[0], list(loop[1].labels), new_name()

        def shown() -> int:
            path = f"/me/datasets/{dataset.dataset.id}/records/search"
            scope = {"entity": "record", "property": "status"}
            pending = {"type": "terms", "scope": scope, "values": ["pending"]}
            body = {"filters": {"and": [pending]}}
            return int(request(dataset.client, "POST", path, json=body)["total"])

        step(*loop, now)
        before = {record.id: record.metadata for record in dataset.dataset.records()}
        annotate(dataset, gold, labels, username=leaver, limit=4)
        annotate(dataset, gold, labels)
        assert shown() == 0
        request(dataset.client, "DELETE", f"/users/{dataset.user(leaver)['id']}")
        assert shown() == 0
        counted = Counter(answer.status for answer in dataset.pull())
        assert counted == {"waiting": 4, "labelled": 2}
        assert shown() == 4
        assert {record.id: record.metadata for record in dataset.dataset.records()} == before


def test_what_the_bot_had_answered_is_open_again_when_the_bot_is_deleted(
    settings: Callable[..., Settings],
) -> None:
    now = settings(*MACHINE)
    with opened(now) as (loop, gold):
        dataset = loop[0]
        before = until_the_machine_answers(loop, gold, now)
        request(dataset.client, "DELETE", f"/users/{dataset.user(BOT)['id']}")
    with opened(now) as (loop, _):  # as the next command: it makes the bot anew
        people = [a for a in before if a.status != "machine"]
        assert [a.id for a in loop[0].pull()] == [a.id for a in people]
        assert {a.id for a in people} == {str(r.id) for r in loop[0].dataset.records()}
        annotate(loop[0], gold, list(loop[1].labels))
        assert step(*loop, now).validated > 0


def test_records_that_somebody_else_put_there_are_left_out(
    settings: Callable[..., Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    now = settings()
    with opened(now) as (loop, gold):
        dataset = loop[0]
        step(*loop, now)
        before = dataset.pull()
        ids = ["my-note", None, "plain", f"{before[0].id}-x"]
        fields = {"text": "A text by hand"}
        items = [{"fields": fields} | ({"external_id": id_} if id_ else {}) for id_ in ids]
        request(dataset.client, "POST", f"/datasets/{dataset.dataset.id}/records/bulk",
                json={"items": items})  # fmt: skip
        capsys.readouterr()
        assert dataset.pull() == before
        assert [one.answer for one in read(dataset)] == before
        said = capsys.readouterr().out
        assert said.count(f"4 records of Argilla's data set '{now.argilla.dataset}' left out") == 1
        assert annotate(dataset, gold, list(loop[1].labels)) == 6
        assert step(*loop, now).trained_on == 6


def test_a_discard_may_have_null_for_values(settings: Callable[..., Settings]) -> None:
    now = settings()
    with opened(now) as (loop, _):
        dataset = loop[0]
        step(*loop, now)
        first = dataset.pull()[0]
        path = f"/records/{first.server_id}/responses"
        assert request(dataset.client, "POST", path, json={"status": "discarded"})["values"] is None
        assert dataset.pull()[0].status == "discarded"
        assert read(dataset)[0].answer.status == "discarded"


def labels_question() -> rg.LabelQuestion:
    return rg.LabelQuestion("label", labels=["business", "sports", "tech"])


def embedding() -> rg.VectorField:
    return rg.VectorField("embedding", dimensions=384)


# What differs from one text, and one question with the same labels: made later, by a client.
BY_HAND: dict[str, Callable[[], dict[str, Any]]] = {
    "a text question": lambda: {"questions": [rg.TextQuestion("label")]},
    "a rating": lambda: {"questions": [rg.RatingQuestion("label", values=[1, 2, 3])]},
    "a second question": lambda: {"questions": [labels_question(), rg.TextQuestion("why")]},
    "another question": lambda: {"questions": [rg.TextQuestion("why")]},
    "a second field": lambda: {"fields": [rg.TextField("text"), rg.TextField("title")]},
    "nothing": dict,
    "no embeddings": lambda: {"metadata": [rg.IntegerMetadataProperty("iteration")]},
    "no metadata": lambda: {"vectors": [embedding()]},
    "other metadata": lambda: {
        "vectors": [embedding()], "metadata": [rg.TermsMetadataProperty("iteration")],
    },
}  # fmt: skip


@pytest.mark.parametrize("which", BY_HAND)
def test_a_data_set_of_the_same_name_is_refused_and_left_alone(
    settings: Callable[..., Settings], which: str
) -> None:
    now = settings()
    with argilla_client(now.paths.argilla) as client:
        made_of: dict[str, Any] = {
            "fields": [rg.TextField("text")],
            "questions": [labels_question()],
            **BY_HAND[which](),
        }
        name = now.argilla.dataset
        rg.Dataset(name, now.argilla.workspace, rg.Settings(**made_of), client).create()
        with pytest.raises(ProjectError, match="was not made by this project"), opened(now):
            pass
        properties = client.datasets(name).settings.metadata
        assert len(properties) == len(made_of.get("metadata", []))


def test_the_pools_and_the_test_sets_are_told_from_others_too(
    settings: Callable[..., Settings],
) -> None:
    now = settings()
    with opened(now) as (loop, _):
        dataset, labels = loop[0], loop[1].labels
        for kind in ("pool", "test"):
            made_of = rg.Settings(
                fields=[rg.TextField("text")],
                questions=[labels_question(), *[rg.TextQuestion("why")] * (kind == "test")],
                vectors=[embedding()],
                metadata=[rg.TermsMetadataProperty("model")],
            )
            name = f"{now.argilla.dataset}-{kind}"
            rg.Dataset(name, now.argilla.workspace, made_of, dataset.client).create()
        with pytest.raises(ProjectError, match="-pool' was not made by this project"):
            PoolDataset.open(dataset, labels, loop[1].dim, loop[1].label_threshold)
        with pytest.raises(ProjectError, match="-test' was not made by this project"):
            find_test_set(dataset.client, now.argilla, labels)
        with pytest.raises(ProjectError, match=r"embeddings have 384 numbers, .* project's 2"):
            LoopDataset.open(dataset.client, now.argilla, labels, dim=2)


def test_a_data_set_that_is_deleted_while_a_command_runs_is_missed_in_plain_words(
    settings: Callable[..., Settings],
) -> None:
    now = settings()
    with pytest.raises(ProjectError, match="a moment ago is gone"), opened(now) as (loop, _):
        request(loop[0].client, "DELETE", f"/datasets/{loop[0].dataset.id}")
        step(*loop, now)
    with opened(now) as (loop, _):
        assert step(*loop, now).asked == 6
