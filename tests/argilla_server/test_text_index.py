"""The index in the real database: made for what was there before, and with many at work."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import argilla as rg
import pytest

from scripts.argilla_server import manage, text_index
from scripts.argilla_server.files import DATABASE
from scripts.argilla_server.manage import Credentials
from tests.argilla_server.fixtures import free_port
from tests.argilla_server.helpers import http


@pytest.fixture
def home(argilla_venv: Path, tmp_path: Path) -> Iterator[Path]:
    """A data folder of its own."""
    yield tmp_path / "home"
    manage.stop(tmp_path / "home")


def make(credentials: Credentials, n: int) -> rg.Dataset:
    """A new data set of n records."""
    client = rg.Argilla(api_url=credentials.api_url, api_key=credentials.api_key)
    labels = rg.LabelQuestion("topic", labels=["a", "b"])
    settings = rg.Settings(fields=[rg.TextField("text")], questions=[labels])
    name = f"texts-{uuid4().hex[:8]}"
    dataset = rg.Dataset(name, credentials.workspace, settings=settings, client=client).create()
    dataset.records.log([{"id": str(i), "text": f"apple number{i}"} for i in range(n)])
    return dataset


def test_a_database_of_before_the_text_index_gets_it(home: Path) -> None:
    """And the index is part of every transaction, in the server's real database."""
    credentials = manage.start(home, free_port())
    dataset = make(credentials, 20)
    manage.stop(home)
    with contextlib.closing(sqlite3.connect(home / DATABASE)) as database:
        before = database.execute("SELECT * FROM records ORDER BY id").fetchall()
        text_index.drop(database)

    credentials = manage.start(home, free_port())
    client = rg.Argilla(api_url=credentials.api_url, api_key=credentials.api_key)
    records = client.datasets(dataset.name).records
    assert len(list(records(rg.Query(query="apple")))) == 20
    assert [record.id for record in records(rg.Query(query="number7"))] == ["7"]
    manage.stop(home)

    with contextlib.closing(sqlite3.connect(home / DATABASE)) as database:
        text_index.connect(database)
        database.execute("PRAGMA foreign_keys = ON")

        def count(expression: str) -> int:
            found = "SELECT count(*) FROM records_text WHERE records_text MATCH ?"
            return int(database.execute(found, (expression,)).fetchone()[0])

        assert database.execute("SELECT * FROM records ORDER BY id").fetchall() == before
        database.execute("""UPDATE records SET fields = '{"text": "pear"}'""")
        assert (count("apple"), count("pear")) == (0, 20)
        database.rollback()
        assert (count("apple"), count("pear")) == (20, 0)
        database.execute("DELETE FROM datasets")
        assert count("apple") == 0
        database.execute("INSERT INTO records_text (records_text) VALUES ('integrity-check')")


def test_ten_search_while_two_write(argilla_server: Credentials) -> None:
    dataset = make(argilla_server, 10)
    path = f"/datasets/{dataset.id}/records"
    statuses: set[int] = set()
    written = threading.Event()

    def search() -> None:
        with http(argilla_server) as client:
            while not written.is_set():
                for query in ("apple", "apple | pear -number1", "-number2", "nu*"):
                    text = {"query": {"text": {"q": query}}}
                    statuses.add(client.post(f"/me{path}/search", json=text).status_code)

    def write(writer: int) -> None:
        with http(argilla_server) as client:
            for batch in range(3):
                items = [
                    {"external_id": f"{writer}-{batch}-{i}", "fields": {"text": "apple pear"}}
                    for i in range(50)
                ]
                statuses.add(client.put(f"{path}/bulk", json={"items": items}).status_code)

    searchers = [threading.Thread(target=search) for _ in range(10)]
    writers = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    try:
        for thread in [*searchers, *writers]:
            thread.start()
        for thread in writers:
            thread.join()
        written.set()
        for thread in searchers:
            thread.join()
        assert statuses == {200}
        with http(argilla_server) as client:
            text = {"query": {"text": {"q": "pear"}}}
            assert client.post(f"{path}/search", json=text).json()["total"] == 300
    finally:
        written.set()
        dataset.delete()
