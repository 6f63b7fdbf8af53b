"""Data sets on another server: all of it is there, and the loop goes on as it would have here."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import argilla as rg
import httpx
import pytest
import srsly

from scripts.argilla_move import main as argilla_move
from scripts.argilla_server import manage
from scripts.argilla_server.manage import Credentials
from scripts.cli.errors import ProjectError
from scripts.loop.annotate import annotate
from scripts.loop.browse import browse
from scripts.loop.found import take_found
from scripts.loop.settings import Settings
from scripts.loop.step import step
from scripts.records.copy import Side, copy_records, differences, tally
from scripts.records.rest import all_users, data_sets, page_url, user_ids
from tests.argilla_server.fixtures import free_port
from tests.loop.test_browse import answer_of, begun, correct, open_ids, pool_records, say
from tests.loop_fixtures import context_of, new_name, opened
from tests.records.snapshots import get, snapshot


@pytest.fixture(scope="module")
def other_server(argilla_venv: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home = tmp_path_factory.mktemp("other") / "home"
    manage.start(home, free_port())
    yield manage.read_credentials(home)
    manage.stop(home)


def respond(client: rg.Argilla, record: str, **said: Any) -> None:
    client.http_client.post(f"/api/v1/records/{record}/responses", json=said).raise_for_status()


def settings_of(client: rg.Argilla, name: str) -> list[Any]:
    """All that was set, without the server's own ids and times."""
    (one,) = [found for found in get(client, "/me/datasets") if found["name"] == name]
    parts = ["fields", "questions", "vectors-settings"]
    paths = [*(f"/datasets/{one['id']}/{p}" for p in parts)]
    paths.append(f"/me/datasets/{one['id']}/metadata-properties")
    own = {"id", "dataset_id", "workspace_id", "inserted_at", "updated_at", "last_activity_at"}
    items = [one, *(item for path in paths for item in get(client, path))]
    return [{key: value for key, value in item.items() if key not in own} for item in items]


def of_every_kind(client: rg.Argilla) -> str:
    """A data set that is not the loop's: all kinds of fields and questions, some records without an
    id of their own, drafts, discards and suggestions."""
    name = new_name()
    dataset = rg.Dataset(
        name=name,
        workspace="argilla",
        settings=rg.Settings(
            guidelines="Read *all* of it.",
            allow_extra_metadata=True,
            fields=[
                rg.TextField("text", use_markdown=True),
                rg.ChatField("chat", required=False),
                rg.ImageField("image", required=False),
            ],
            questions=[
                rg.LabelQuestion("one", labels=["a", "b", "c", "d"], visible_labels=3),
                rg.MultiLabelQuestion("many", ["x", "y"], required=False),
                rg.RatingQuestion("stars", [1, 2, 3], required=False),
                rg.RankingQuestion("order", ["p", "q"], required=False),
                rg.SpanQuestion("parts", field="text", labels=["who"], required=False),
                rg.TextQuestion("why", required=False),
            ],
            metadata=[
                rg.TermsMetadataProperty("kind", options=["k", "l"]),
                rg.FloatMetadataProperty("size", min=0, max=1, visible_for_annotators=False),
            ],
            vectors=[rg.VectorField("v", dimensions=3)],
            distribution=rg.TaskDistribution(min_submitted=2),
        ),
        client=client,
    ).create()
    chat = [{"role": "user", "content": "Hello"}, {"role": "bot", "content": "Hi"}]
    records = [
        rg.Record(
            fields={
                "text": f"Ann has text {n}",
                "chat": chat,
                "image": "https://example.com/i.png",
            },
            metadata={"kind": "k", "size": 0.5, "extra": [n, "more"]},
            vectors={"v": [0.1, 0.2, n]},
            suggestions=[
                rg.Suggestion("one", "a", score=0.25, agent="m-1"),
                rg.Suggestion("many", ["x", "y"], score=[0.5, 0.75], agent="m-1"),
                rg.Suggestion("parts", [{"start": 0, "end": 3, "label": "who"}]),
            ],
            **({"id": f"id-{n}"} if n % 2 else {}),
        )
        for n in range(8)
    ]
    dataset.records._api.bulk_create(
        dataset.id, dataset.records._ingest_records(records, user_id=client.me.id)
    )
    ids = [record["id"] for record in get(client, f"/datasets/{dataset.id}/records")]
    everything = {
        "one": {"value": "b"},
        "many": {"value": ["y"]},
        "stars": {"value": 2},
        "order": {"value": [{"value": "q", "rank": 1}, {"value": "p", "rank": 2}]},
        "parts": {"value": [{"start": 0, "end": 3, "label": "who"}]},
        "why": {"value": "because"},
    }
    respond(client, ids[0], status="submitted", values=everything)
    respond(client, ids[1], status="discarded", values={"one": {"value": "c"}})
    respond(client, ids[2], status="discarded")
    respond(client, ids[3], status="draft", values={"why": {"value": "hm"}})
    respond(client, ids[4], status="draft")  # nothing chosen: Argilla does not take it again
    return name


def test_move_record_by_record_and_the_next_step_is_the_same(
    settings: Callable[..., Settings],
    overrides: list[str],
    argilla_server: Credentials,
    other_server: Credentials,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chosen = settings("--loop.promise.rule", "fixed", "--loop.promise.certainty", 0.8)
    name, context = chosen.argilla.dataset, context_of(overrides)
    with opened(chosen) as (loop, gold):
        source = loop[0].client
        step(*loop, chosen)
        annotate(loop[0], gold, list(loop[1].labels))
        step(*loop, chosen)
        annotate(loop[0], gold, list(loop[1].labels), username="anna")
        every = of_every_kind(source)
    to = {"url": other_server.api_url, "key": other_server.api_key}
    argilla_move(context, [name, every], passwords=tmp_path / "new", **to)
    said = capsys.readouterr().out
    assert "the counts are the same" in said
    assert "submitted by anna: 5" in said
    assert "1 draft without a choice left out" in said
    assert f"export ARGILLA_API_URL={other_server.api_url}" in said
    made = srsly.read_json(tmp_path / "new")
    assert {"anna", "classy-bot", "simulated-oracle"} <= set(made)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
    for secret in [argilla_server.api_key, other_server.api_key, *made.values()]:
        assert secret not in said

    target = rg.Argilla(api_url=other_server.api_url, api_key=other_server.api_key)
    # Those who were moved can sign in there.
    signed = {"username": "anna", "password": made["anna"]}
    assert target.http_client.post("/api/v1/token", data=signed).is_success
    # The loop's opens in the order of the loop.
    assert f"{name}: {page_url(target, _id(target, name), of_loop=True)}\n" in said
    for one in (name, every):
        assert settings_of(target, one) == settings_of(source, one)
        before, after = snapshot(source, one)[1], snapshot(target, one)[1]
        assert list(before) == list(after)
        for id_ in before:
            said = before[id_]["responses"].items()
            kept = {user: r for user, r in said if r[1] or r[0] != "draft"}
            assert after[id_] == {**before[id_], "responses": kept}, id_

    # Again: nothing is copied, what was answered there since stays, and the difference is said.
    later = {"status": "submitted", "values": {"one": {"value": "d"}}}
    path = f"/api/v1/responses/{_response(target, every, 'id-3')}"
    target.http_client.put(path, json=later).raise_for_status()
    with pytest.raises(ProjectError, match="Not all is the same"):
        argilla_move(context, [name, every], **to)
    assert "submitted by argilla: 1 there, 2 here" in capsys.readouterr().out

    # The next step there asks what it would have asked here.
    def next_step() -> list[Any]:
        with opened(chosen) as (loop, _):
            assert step(*loop, chosen).asked == 5
            found = snapshot(loop[0].client, name)[1]
        return [(id_, r["suggestions"], r["metadata"], r["responses"]) for id_, r in found.items()]

    here = next_step()
    monkeypatch.setenv("ARGILLA_API_URL", other_server.api_url)
    monkeypatch.setenv("ARGILLA_API_KEY", other_server.api_key)
    assert next_step() == here


def test_what_the_loop_has_outlives_what_the_pool_has_older(
    settings: Callable[..., Settings],
    overrides: list[str],
    other_server: Credentials,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A copy dates all answers anew. What was corrected in the loop stays so, a second look stays
    open, and what was said in it stays there."""
    chosen = settings()
    name, context = chosen.argilla.dataset, context_of(overrides)
    to = {"url": other_server.api_url, "key": other_server.api_key}
    with opened(chosen) as (loop, gold):
        dataset = loop[0]
        begun(loop, chosen, gold)
        browse(*loop, chosen)
        corrected, looked_at, *_ = open_ids(loop)
        asked = dataset.answers()[0].text_id
        for id_ in (corrected, looked_at):
            say(dataset, id_, "tech")
        assert take_found(dataset) == 2
        correct(dataset, corrected, "sports")
        again = [answer_of(dataset, id_) for id_ in (looked_at, asked)]
        dataset.push([dataset.again(answer, 1) for answer in again])
        say(dataset, asked, "tech")
        # Nobody takes it for the newer one any more, when it is copied.
        with pytest.raises(ProjectError, match=f"1 answer in '{name}-pool' not in '{name}'"):
            argilla_move(context, [name], **to)
        target = rg.Argilla(**{f"api_{key}": value for key, value in to.items()})
        assert name not in {one["name"] for one in get(target, "/me/datasets")}
        assert take_found(dataset) == 1
        here = {answer.id: (answer.status, answer.labels) for answer in dataset.pull()}
        assert here[corrected] == ("labelled", ("sports",))
        assert here[f"{looked_at}-2"] == ("waiting", ())
        assert here[f"{asked}-2"] == ("labelled", ("tech",))
    argilla_move(context, [name], **to)
    monkeypatch.setenv("ARGILLA_API_URL", other_server.api_url)
    monkeypatch.setenv("ARGILLA_API_KEY", other_server.api_key)
    with opened(chosen) as (loop, _):
        assert len(pool_records(loop[0])) == len(loop[2])  # named or not, it goes along
        assert take_found(loop[0]) == 0
        assert {a.id: (a.status, a.labels) for a in loop[0].pull()} == here


def _id(client: rg.Argilla, name: str) -> str:
    return next(one["id"] for one in get(client, "/me/datasets") if one["name"] == name)


def _response(client: rg.Argilla, name: str, external_id: str) -> str:
    path = f"/datasets/{_id(client, name)}/records"
    for record in get(client, path, include="responses"):
        if record["external_id"] == external_id:
            return record["responses"][0]["id"]
    raise LookupError(external_id)


def test_a_copy_that_was_cut_short_goes_on(
    argilla_server: Credentials, other_server: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scripts.records import copy, move

    source = rg.Argilla(api_url=argilla_server.api_url, api_key=argilla_server.api_key)
    target = rg.Argilla(api_url=other_server.api_url, api_key=other_server.api_key)
    name = of_every_kind(source)
    workspace = move.target_workspace(source, target, "argilla")
    dataset = data_sets(source, str(source.workspaces("argilla").id))[name]
    there = copy.create(target, workspace["id"], name, copy.settings_of(source, dataset))
    sides = [
        Side(source, dataset["id"], user_ids(source)),
        Side(target, there["id"], user_ids(target)),
    ]
    # Three records to a request, and the third request never comes.
    monkeypatch.setattr(copy, "MOST", 3)
    write, sizes = copy.upsert, []

    def two_only(client: rg.Argilla, dataset_id: str, items: list[Any]) -> None:
        if len(sizes) == 2:
            raise KeyboardInterrupt
        sizes.append(len(items))
        write(client, dataset_id, items)

    with monkeypatch.context() as patch:
        patch.setattr(copy, "upsert", two_only)
        with pytest.raises(KeyboardInterrupt):
            copy_records(*sides, convert=lambda record: record)
    assert sizes == [3, 3]
    lacking = differences(tally(sides[0]), tally(sides[1]))
    assert "records: 8 there, 6 here" in lacking
    assert copy_records(*sides, convert=lambda record: record) == 2
    assert copy_records(*sides, convert=lambda record: record) == 0
    assert not differences(tally(sides[0]), tally(sides[1]))
    # Removed there: the comparison says so.
    gone = get(target, f"/datasets/{there['id']}/records")[0]["id"]
    path = f"/api/v1/datasets/{there['id']}/records"
    target.http_client.delete(path, params={"ids": gone}).raise_for_status()
    assert "records: 8 there, 7 here" in differences(tally(sides[0]), tally(sides[1]))


def test_the_passwords_of_users_made_outlive_a_copy_that_was_cut_short(
    settings: Callable[..., Settings],
    overrides: list[str],
    other_server: Credentials,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from scripts.records import move

    chosen, context, name = settings(), context_of(overrides), new_name()
    with opened(chosen) as (loop, _):
        loop[0].user(name)
    kept = tmp_path / "passwords.json"
    kept.write_text('{"of before": "secret"}')
    kept.chmod(0o644)
    to = {"url": other_server.api_url, "key": other_server.api_key, "passwords": kept}

    def cut(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(move, "copy_records", cut)
        with pytest.raises(KeyboardInterrupt):
            argilla_move(context, [chosen.argilla.dataset], **to)
    for _ in range(2):
        made = srsly.read_json(kept)
        assert made["of before"] == "secret"
        assert kept.stat().st_mode & 0o777 == 0o600
        signed = {"username": name, "password": made[name]}
        assert httpx.post(f"{other_server.api_url}/api/v1/token", data=signed).is_success
        argilla_move(context, [chosen.argilla.dataset], **to)
    kept.write_text("my notes")
    with opened(chosen) as (loop, _):
        loop[0].user(f"{name}-2")
    with pytest.raises(ProjectError, match="something else in it"):
        argilla_move(context, [chosen.argilla.dataset], **to)
    assert kept.read_text() == "my notes"


def test_what_cannot_be_moved(
    settings: Callable[..., Settings],
    overrides: list[str],
    argilla_server: Credentials,
    other_server: Credentials,
) -> None:
    context = context_of(overrides)
    with opened(settings()) as (loop, _):
        client = loop[0].client
    name = settings().argilla.dataset
    same = {"url": argilla_server.api_url.replace("127.0.0.1", "localhost")}
    with pytest.raises(ProjectError, match="the same Argilla server"):
        argilla_move(context, [name], key=argilla_server.api_key, **same)
    with pytest.raises(ProjectError, match="does not know the API key"):
        argilla_move(context, [name], url=other_server.api_url, key="wrong")
    with pytest.raises(ProjectError, match="No Argilla server answers"):
        argilla_move(context, [name], url="http://127.0.0.1:9", key="x")
    with pytest.raises(ProjectError, match="Where to"):
        argilla_move(context, [name])
    to = {"url": other_server.api_url, "key": other_server.api_key}
    with pytest.raises(ProjectError, match="no data set 'nothing'"):
        argilla_move(context, ["nothing"], **to)
    target = rg.Argilla(api_url=other_server.api_url, api_key=other_server.api_key)
    admin = rg.User(username="admin", role="admin", password="12345678", client=target).create()
    (key,) = [user["api_key"] for user in all_users(target) if user["id"] == str(admin.id)]
    with pytest.raises(ProjectError, match=f"{other_server.api_url} is no owner's") as refused:
        argilla_move(context, [name], url=other_server.api_url, key=key)
    assert "ARGILLA_TARGET_KEY" in refused.value.hint
    rg.Dataset(
        name=name,
        settings=rg.Settings(
            fields=[rg.TextField("other")], questions=[rg.TextQuestion("what")], guidelines="x"
        ),
        client=target,
        workspace="argilla",
    ).create()
    with pytest.raises(ProjectError, match="with other fields"):
        argilla_move(context, [name], **to)
    assert client.datasets(name) is not None
    assert os.environ["ARGILLA_API_URL"] == argilla_server.api_url
