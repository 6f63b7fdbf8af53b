"""Backups of a real server: what is in them, what a restore does, and what it refuses."""

import contextlib
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.argilla_server import backup, manage
from scripts.argilla_server.database import check, content
from scripts.argilla_server.files import DATABASE
from scripts.argilla_server.install import ServerError
from scripts.argilla_server.restore import look_at, restore
from tests.argilla_server.fixtures import ROOT, free_port
from tests.argilla_server.helpers import http
from tests.argilla_server.test_crash import Crashed, labelled, submit


@pytest.fixture(scope="module")
def server(argilla_venv: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashed]:
    home = tmp_path_factory.mktemp("backup") / ".argilla"
    yield Crashed(home)
    manage.stop(home)


@pytest.fixture(scope="module")
def small(argilla_venv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped server's data folder with a backup of it, of a data set with one answer; two
    answers are in the database by now."""
    home = tmp_path_factory.mktemp("small") / "home"
    crashed = Crashed(home)
    try:
        _, ids = crashed.dataset(5)
        with crashed.client() as client:
            assert submit(client, ids[0]).status_code == 201
            backup.back_up(home, home.parent / "one.db")
            assert submit(client, ids[1]).status_code == 201
    finally:
        manage.stop(home)
    return home


@pytest.fixture
def folder(small: Path, tmp_path: Path) -> Path:
    """A copy of it to break: `home` and `one.db`."""
    shutil.copytree(small, tmp_path / "home")
    shutil.copy(small.parent / "one.db", tmp_path / "one.db")
    return tmp_path


def answers(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return content(database).answers


def everything(client: httpx.Client, dataset_id: Any) -> dict[str, Any]:
    """All records of a data set as the API gives them."""
    found = client.post(
        f"/datasets/{dataset_id}/records/search",
        params=[("limit", "1000"), ("include", "responses"), ("include", "suggestions")],
        json={},
    )
    return {item["record"]["id"]: item["record"] for item in found.json()["items"]}


def test_a_backup_while_people_answer_restored_on_another_machine(
    server: Crashed, tmp_path: Path
) -> None:
    dataset, ids = server.dataset(200)
    acknowledged: list[str] = []
    enough, stop = threading.Event(), threading.Event()

    def annotate(mine: list[str]) -> None:
        with server.client() as client:
            for record_id in mine:
                if stop.is_set():
                    return
                assert submit(client, record_id).status_code == 201
                acknowledged.append(record_id)
                if len(acknowledged) >= 30:
                    enough.set()

    people = [threading.Thread(target=annotate, args=[ids[at::2]]) for at in range(2)]
    for person in people:
        person.start()
    assert enough.wait(60)
    before = list(acknowledged)
    path, found = backup.back_up(server.home)
    stop.set()
    for person in people:
        person.join()
    assert len(before) < len(ids)
    assert (found.records, found.answers >= len(before)) == (200, True)
    assert path.parent == server.home.parent / "backups"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == [path.name]  # one file
    with server.client() as client:
        here = everything(client, dataset.id)
        token = client.post(
            "/token",
            data={"username": "argilla", "password": server.credentials.password},
        ).json()["access_token"]

    home = tmp_path / "elsewhere"
    staged, kept = restore(path, home)
    assert (staged.content, kept) == (found, None)
    try:
        there_at = manage.start(home, free_port())
        assert there_at.api_key == server.credentials.api_key
        assert there_at.password == server.credentials.password
        with http(there_at) as client:
            there = everything(client, dataset.id)
            words = {"query": {"text": {"q": "text 77"}}}
            search = client.post(f"/datasets/{dataset.id}/records/search", json=words).json()
            assert [i["record"]["fields"]["text"] for i in search["items"]] == ["text 77"]
            assert submit(client, next(i for i in ids if not there[i]["responses"])).is_success
        headers = {"Authorization": f"Bearer {token}"}  # who was signed in still is
        assert httpx.get(f"{there_at.api_url}/api/v1/me", headers=headers).is_success
    finally:
        manage.stop(home)
    assert set(there) == set(here) == set(ids)
    assert all(there[i]["responses"] for i in before)
    for record_id in before:
        assert there[record_id] == here[record_id]
    for record_id in ids:
        untouched = "id", "fields", "metadata", "external_id", "inserted_at", "suggestions"
        assert [there[record_id][k] for k in untouched] == [here[record_id][k] for k in untouched]


def test_restored_while_it_runs_and_after_it_was_killed(server: Crashed) -> None:
    dataset, ids = server.dataset(3)
    with server.client() as client:
        assert submit(client, ids[0]).status_code == 201
        path, _ = backup.back_up(server.home)
        assert submit(client, ids[1]).status_code == 201
    with pytest.raises(ServerError, match="The server runs"):
        restore(path, server.home)
    command = [sys.executable, "-m", "scripts.argilla_restore", "--home", str(server.home)]
    asked = subprocess.run(command, capture_output=True, text=True, input="n\n")
    assert asked.returncode == 1
    assert "Nothing was changed" in asked.stdout + asked.stderr
    assert set(labelled(server, dataset)) == set(ids[:2])

    done = subprocess.run([*command, "--yes"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Restored {path}" in done.stdout
    assert "runs again" in done.stdout
    assert set(labelled(server, dataset)) == {ids[0]}

    # What was written last is in the WAL file alone, which must not get into what is restored.
    with server.client() as client:
        assert submit(client, ids[2]).status_code == 201
    supervisor = server.supervisor
    for process in [*supervisor.children(recursive=True), supervisor]:
        process.kill()
    supervisor.wait()
    assert (server.home / f"{DATABASE}-wal").stat().st_size
    _, kept = restore(path, server.home)
    assert kept is not None
    assert not list(server.home.glob(f"{DATABASE}-*"))
    server.start()
    assert set(labelled(server, dataset)) == {ids[0]}
    assert answers(kept) - answers(path) == 1


def test_killed_anywhere_and_run_again(folder: Path) -> None:
    """Killed before every change of a file, until it gets through."""
    home, path = folder / "home", folder / "one.db"
    program = """
import os, signal, sys
from pathlib import Path
from scripts.argilla_server.restore import restore
CHANGES = {"os.rename", "os.remove", "os.mkdir", "sqlite3.connect", "shutil.rmtree", "shutil.move"}
left = int(sys.argv[1])
def count(event, arguments):
    global left
    changes = event in CHANGES or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR))
    if changes:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
restore(Path(sys.argv[2]), Path(sys.argv[3]))
"""
    kept = folder / "backups"
    for at in range(100):
        code = subprocess.run(
            [sys.executable, "-c", program, str(at), str(path), str(home)], cwd=ROOT
        ).returncode
        found = answers(home / DATABASE)
        assert check(home / DATABASE)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        if found == 1:  # it was put in place: what was there before is kept, and is put back
            replaced = [p for p in kept.glob("*.db") if answers(p) == 2]
            assert replaced
            shutil.copy(replaced[0], home / DATABASE)
        else:
            assert found == 2
    assert at > 10
    assert answers(home / DATABASE) == 1
    assert not (home / f"{DATABASE}.restored").exists()


def test_what_is_no_good_backup_is_refused_and_nothing_changes(folder: Path) -> None:
    home, path = folder / "home", folder / "one.db"
    good = path.read_bytes()
    before = (home / DATABASE).read_bytes()
    page = 4096
    broken = {
        "cannot be restored: it is empty": b"",
        "file is not a database": b"label,text\n" * 1000,
        "malformed|is damaged|rong|out of order|cannot be restored": good[: len(good) // 2],
        "cannot be restored": good[: 3 * page] + os.urandom(60 * page) + good[63 * page :],
    }
    for words, data in broken.items():
        path.write_bytes(data)
        for refuse in (look_at, restore):
            with pytest.raises(ServerError, match=words):
                refuse(path, home)
    other = folder / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as database, database:
        database.execute("CREATE TABLE cats (name)")
    with pytest.raises(ServerError, match="no database of Argilla's"):
        restore(other, home)
    path.write_bytes(good)
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'abcdef012345'")
    with pytest.raises(ServerError, match="made by a newer Argilla server"):
        restore(path, home)
    with pytest.raises(ServerError, match="There is no backup"):
        restore(folder / "nothing.db", home)
    with pytest.raises(ServerError, match=f"There is no folder {folder / 'nothing'}"):
        backup.back_up(home, folder / "nothing" / "one.db")
    assert (home / DATABASE).read_bytes() == before
    assert not list(home.glob("*.restored*"))
    assert not (folder / "backups").exists()


def test_an_index_that_misses_records_is_dropped_and_so_made_anew(folder: Path) -> None:
    path, home = folder / "one.db", folder / "home"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM records_text WHERE rowid = 1")
    restore(path, home)
    with contextlib.closing(sqlite3.connect(home / DATABASE)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (0,)  # see text_index.ensure
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        assert "records_text" not in tables


def test_an_older_backup_is_migrated_when_the_server_starts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, home = folder / "one.db", folder / "home"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP TABLE datasets_users")  # the last migration, undone
        database.execute("UPDATE alembic_version SET version_num = '6ed1b8bf8e08'")
    _, kept = restore(path, home)
    assert kept is not None
    assert kept.exists()
    try:
        credentials = manage.start(home, free_port())
        with http(credentials) as client:
            assert client.get("/me").is_success
    finally:
        manage.stop(home)
    assert "An older Argilla server made the database" in capsys.readouterr().out
    assert answers(home / DATABASE) == 1


def test_a_damaged_database_names_the_backup_and_is_kept(folder: Path) -> None:
    home = folder / "home"
    path, _ = backup.back_up(home)
    good = (home / DATABASE).read_bytes()
    page = 4096
    for data in (b"", good[: len(good) // 2], good[: 3 * page] + os.urandom(60 * page)):
        (home / DATABASE).write_bytes(data)
        with pytest.raises(ServerError, match="is damaged") as refused:
            manage.start(home, free_port())
        assert f"weasel run argilla-restore . --vars.backup {path}" in str(refused.value)
        assert (home / DATABASE).read_bytes() == data
    with pytest.raises(ServerError, match="is damaged"):
        backup.back_up(home)
    _, kept = restore(path, home)
    assert kept is not None
    assert (kept / DATABASE).read_bytes() == data
    assert check(home / DATABASE)
    assert answers(home / DATABASE) == 2
    (home / DATABASE).rename(home / "away")
    (home / f"{DATABASE}-wal").write_bytes(b"x")
    with pytest.raises(ServerError, match="is gone"):
        manage.start(home, free_port())


def test_a_newer_database_is_refused_and_kept(folder: Path) -> None:
    home = folder / "home"
    with contextlib.closing(sqlite3.connect(home / DATABASE)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'abcdef012345'")
    before = (home / DATABASE).read_bytes()
    with pytest.raises(ServerError, match=r"a newer Argilla server \(revision abcdef012345"):
        manage.start(home, free_port())
    assert (home / DATABASE).read_bytes() == before
