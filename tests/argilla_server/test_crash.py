"""What is left when parts of a running server, or all of it, are killed; and background jobs."""

import contextlib
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import argilla as rg
import httpx
import psutil
import pytest

from scripts.argilla_server import manage
from scripts.argilla_server.files import LOG, UNIT_LOCK, is_locked
from scripts.argilla_server.manage import Credentials
from tests.answering import Handler, answering
from tests.argilla_server.fixtures import free_port
from tests.argilla_server.helpers import http

Events = queue.Queue[dict[str, Any]]


class Crashed:
    """A server to kill."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.credentials = manage.start(home, self.port)

    def start(self) -> Credentials:
        """Start it again, as a user does who knows nothing of what happened."""
        self.credentials = manage.start(self.home, self.port)
        return self.credentials

    @property
    def supervisor(self) -> psutil.Process:
        pid = manage.status(self.home).pid
        assert pid is not None
        return psutil.Process(pid)

    def parts(self) -> dict[str, psutil.Process]:
        """The processes of the parts that live: redis, web and worker."""
        found = {}
        for process in self.supervisor.children():
            with contextlib.suppress(psutil.Error):
                command = " ".join(process.cmdline()[:3])
                names = [name for name in ("redis-server", ".web", ".worker") if name in command]
                found |= dict.fromkeys(names, process)
        return found

    def kill(self, name: str) -> None:
        """Kill a part, and wait until another has taken its place."""
        wait(lambda: name in self.parts())
        killed = self.parts()[name]
        killed.kill()
        wait(lambda: self.parts().get(name, killed) != killed)

    def client(self) -> httpx.Client:
        return http(self.credentials)

    def dataset(self, n: int, min_submitted: int = 1) -> tuple[rg.Dataset, list[str]]:
        """A new data set of n records, and their ids."""
        client = rg.Argilla(api_url=self.credentials.api_url, api_key=self.credentials.api_key)
        settings = rg.Settings(
            fields=[rg.TextField("text")],
            questions=[rg.LabelQuestion("topic", labels=["a", "b"])],
            distribution=rg.TaskDistribution(min_submitted=min_submitted),
        )
        dataset = rg.Dataset(
            f"crash-{uuid4().hex[:8]}", "argilla", settings=settings, client=client
        ).create()
        dataset.records.log([{"text": f"text {i}"} for i in range(n)])
        return dataset, [str(record._model.id) for record in dataset.records()]


def submit(client: httpx.Client, record_id: str) -> httpx.Response:
    answer = {"status": "submitted", "values": {"topic": {"value": "a"}}}
    return client.post(f"/records/{record_id}/responses", json=answer)


def wait(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.1)


def labelled(crashed: Crashed, dataset: rg.Dataset) -> dict[str, str]:
    """The records that have a submitted response, with the records' status."""
    with crashed.client() as client:
        items = client.post(
            f"/datasets/{dataset.id}/records/search",
            params={"limit": 1000, "include": "responses"},
            json={},
        ).json()["items"]
    records = [item["record"] for item in items]
    return {r["id"]: r["status"] for r in records if r["responses"]}


@pytest.fixture(scope="module")
def server(argilla_venv: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashed]:
    home = tmp_path_factory.mktemp("crash") / "home"
    yield Crashed(home)
    manage.stop(home)


@pytest.fixture
def crashed(server: Crashed) -> Crashed:
    """The server, running, whatever the test before has done to it."""
    server.start()
    return server


@pytest.fixture
def webhook(crashed: Crashed) -> Iterator[Events]:
    """What the server tells a webhook about."""
    events: Events = queue.Queue()

    class Receiver(Handler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            events.put(json.loads(content))
            self.send_response(200)
            self.end_headers()

    with answering(Receiver) as url, crashed.client() as client:
        made = client.post("/webhooks", json={"url": url, "events": ["response.created"]})
        assert made.status_code == 201, made.text
        yield events
        client.delete(f"/webhooks/{made.json()['id']}")


def test_webhooks_are_delivered_and_survive_the_loss_of_parts(
    crashed: Crashed, webhook: Events
) -> None:
    dataset, ids = crashed.dataset(2)
    with crashed.client() as client:
        assert submit(client, ids[0]).status_code == 201
        event = webhook.get(timeout=30)
        assert event["type"] == "response.created"
        assert event["data"]["values"] == {"topic": {"value": "a"}}

        for name in ("redis-server", ".worker"):
            crashed.kill(name)
        wait(lambda: submit(client, ids[1]).status_code in (201, 409))
        assert webhook.get(timeout=60)["type"] == "response.created"
    assert set(labelled(crashed, dataset).values()) == {"completed"}


def test_jobs_know_the_search_engine(crashed: Crashed) -> None:
    dataset, ids = crashed.dataset(3, min_submitted=2)
    with crashed.client() as client:
        assert submit(client, ids[0]).status_code == 201
        assert labelled(crashed, dataset) == {ids[0]: "pending"}
        distribution = {"strategy": "overlap", "min_submitted": 1}
        client.patch(f"/datasets/{dataset.id}", json={"distribution": distribution})
        wait(lambda: labelled(crashed, dataset) == {ids[0]: "completed"})


def test_requests_wait_while_a_killed_web_server_is_started_again(crashed: Crashed) -> None:
    dataset, ids = crashed.dataset(2)
    with crashed.client() as client:
        assert submit(client, ids[0]).status_code == 201
    crashed.kill(".web")
    with crashed.client() as client:
        client.timeout = httpx.Timeout(120)
        assert submit(client, ids[1]).status_code == 201
    assert labelled(crashed, dataset) == dict.fromkeys(ids, "completed")
    assert manage.status(crashed.home).state == "running"


@pytest.mark.parametrize("everything", [True, False], ids=["all of it", "the supervisor"])
def test_no_submitted_label_is_lost(crashed: Crashed, everything: bool) -> None:
    dataset, ids = crashed.dataset(150)
    acknowledged: list[str] = []
    enough = threading.Event()

    def annotate() -> None:
        with crashed.client() as client:
            for record_id in ids:
                try:
                    if submit(client, record_id).status_code != 201:
                        return
                except httpx.HTTPError:
                    return
                acknowledged.append(record_id)
                if len(acknowledged) >= 20:
                    enough.set()

    annotator = threading.Thread(target=annotate)
    supervisor = crashed.supervisor
    unit = [supervisor, *supervisor.children(recursive=True)]
    annotator.start()
    assert enough.wait(60)
    for process in unit if everything else [supervisor]:
        with contextlib.suppress(psutil.NoSuchProcess):  # a job of the worker may be over by now
            process.kill()
    supervisor.wait()
    # At once: the rest may still be ending.
    before = crashed.credentials
    assert crashed.start() == before
    annotator.join()

    found = labelled(crashed, dataset)
    assert 20 <= len(acknowledged) < len(ids)
    assert set(found) >= set(acknowledged)
    # The one that was under way may be there as well; nothing is half done.
    assert len(found) - len(acknowledged) <= 1
    assert set(found.values()) == {"completed"}
    with crashed.client() as client:
        assert submit(client, ids[-1]).status_code == 201


def test_the_rest_ends_when_the_supervisor_is_killed(crashed: Crashed) -> None:
    supervisor = crashed.supervisor
    unit = supervisor.children(recursive=True)
    supervisor.kill()
    supervisor.wait()
    assert manage.status(crashed.home).state != "running"
    assert not psutil.wait_procs(unit, timeout=30)[1]
    assert manage.status(crashed.home).state == "stopped"
    assert not is_locked(crashed.home / UNIT_LOCK)
    assert manage.stop(crashed.home) is False


def test_damaged_files_of_redis_are_put_aside(crashed: Crashed) -> None:
    manage.stop(crashed.home)
    (crashed.home / "redis" / "appendonly.aof").write_bytes(b"*3\r\n$not a command\r\n" * 9)
    crashed.start()
    assert "moved away" in (crashed.home / LOG).read_text()
    assert list(crashed.home.glob("redis.broken.*"))
