"""Starting, stopping and looking at a server, and what it leaves behind."""

import contextlib
import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from scripts.argilla_server import install, manage
from scripts.argilla_server.database import check
from scripts.argilla_server.files import CREDENTIALS, DATABASE, LOG, STATE
from scripts.argilla_server.manage import Credentials, ServerError
from tests.answering import Handler, answering
from tests.argilla_server.fixtures import ROOT, free_port

NEEDS_VENV = pytest.mark.usefixtures("argilla_venv")


def run(
    command: str, *arguments: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `start`, `stop` or `status` as a user does."""
    return subprocess.run(
        [sys.executable, "-m", f"scripts.argilla_{command}", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=150,
    )


class Hello(Handler):
    """Another program."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")


def test_status_of_a_running_server(argilla_home: Path, argilla_server: Credentials) -> None:
    result = run("status", "--home", argilla_home)
    assert result.returncode == 0
    assert argilla_server.api_url in result.stdout


def test_starting_twice_changes_nothing(argilla_home: Path, argilla_server: Credentials) -> None:
    port = argilla_server.api_url.rsplit(":", 1)[1]
    before = manage.status(argilla_home)
    result = run("start", "--home", argilla_home, "--port", port)
    assert result.returncode == 0
    assert argilla_server.api_url in result.stdout
    assert argilla_server.password not in result.stdout
    assert argilla_server.api_key not in result.stdout
    assert manage.status(argilla_home) == before
    assert manage.read_credentials(argilla_home) == argilla_server


def test_starting_on_another_port_says_that_it_already_runs(
    argilla_home: Path, argilla_server: Credentials
) -> None:
    result = run("start", "--home", argilla_home, "--port", str(free_port()))
    assert result.returncode == 0
    assert argilla_server.api_url in result.stdout
    assert "already" in result.stdout + result.stderr


def test_only_the_owner_can_read_what_is_kept(argilla_home: Path) -> None:
    modes = {
        path: stat.S_IMODE(path.stat().st_mode)
        for path in [argilla_home, *argilla_home.rglob("*")]
        if not path.is_relative_to(argilla_home / "tmp")
    }
    assert modes[argilla_home] == 0o700
    assert {modes[argilla_home / name] for name in (CREDENTIALS, DATABASE, LOG)} == {0o600}
    assert not {path: mode for path, mode in modes.items() if mode & 0o077}


def test_it_listens_on_this_machine_only(argilla_home: Path) -> None:
    pid = manage.status(argilla_home).pid
    assert pid is not None
    unit = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    addresses = {
        connection.laddr.ip
        for process in unit
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert len(unit) >= 4
    assert addresses == {"127.0.0.1"}


def test_there_are_no_default_credentials(argilla_server: Credentials) -> None:
    url = f"{argilla_server.api_url}/api/v1"
    assert argilla_server.username == argilla_server.workspace == "argilla"
    assert len(argilla_server.password) >= 12
    for key, answer in [(argilla_server.api_key, 200), ("argilla.apikey", 401), ("", 401)]:
        headers = {"X-Argilla-Api-Key": key}
        assert httpx.get(f"{url}/me", headers=headers).status_code == answer
    for password, answer in [(argilla_server.password, 201), ("1234", 401)]:
        data = {"username": argilla_server.username, "password": password}
        assert httpx.post(f"{url}/token", data=data).status_code == answer


def test_pages_of_other_sites_get_no_access(argilla_server: Credentials) -> None:
    def allowed(origin: str) -> str | None:
        headers = {"Origin": origin, "X-Argilla-Api-Key": argilla_server.api_key}
        answer = httpx.get(f"{argilla_server.api_url}/api/v1/me", headers=headers)
        return answer.headers.get("Access-Control-Allow-Origin")

    assert allowed("http://somewhere.example") is None
    assert allowed(argilla_server.api_url) == argilla_server.api_url


def test_the_page_is_served_and_loads_nothing_from_elsewhere(argilla_server: Credentials) -> None:
    page = httpx.get(argilla_server.api_url)
    assert page.status_code == 200
    assert "<title>Argilla" in page.text
    assert "font-src 'self'" in page.headers["Content-Security-Policy"]
    parts = re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css|ico))"', page.text)
    assert len(parts) >= 3
    for part in parts:
        answer = httpx.get(argilla_server.api_url + part)
        assert answer.status_code == 200
        assert "html" not in answer.headers["Content-Type"]
    assert httpx.get(f"{argilla_server.api_url}/sign-in").text == page.text


def test_telemetry_is_off_and_the_home_of_the_user_is_left_alone(
    argilla_home: Path, argilla_server: Credentials
) -> None:
    pid = manage.status(argilla_home).pid
    assert pid is not None
    for process in psutil.Process(pid).children(recursive=True):
        assert not [f.path for f in process.open_files() if str(Path.home() / ".argilla") in f.path]
    settings = [process.environ() for process in psutil.Process(pid).children()]
    assert {s.get("HF_HUB_DISABLE_TELEMETRY") for s in settings if "ARGILLA_HOME_PATH" in s} == {
        "1"
    }


def test_status_and_stop_when_nothing_runs(tmp_path: Path) -> None:
    status = run("status", "--home", tmp_path / "home")
    assert (status.returncode, "stopped" in status.stdout) == (3, True)
    stop = run("stop", "--home", tmp_path / "home")
    assert (stop.returncode, "not running" in stop.stdout) == (0, True)
    assert not (tmp_path / "home").exists()


@NEEDS_VENV
def test_port_in_use_by_another_program(tmp_path: Path) -> None:
    with answering(Hello) as url:
        port = url.rpartition(":")[2]
        result = run("start", "--home", tmp_path / "home", "--port", port)
    output = result.stdout + result.stderr
    assert result.returncode == 1
    assert f"Port {port} is used by another program" in output
    assert "--port" in output
    assert "argilla_port" in output
    assert "Traceback" not in output
    assert manage.status(tmp_path / "home").state == "stopped"


def test_port_in_use_by_another_argilla(argilla_server: Credentials, tmp_path: Path) -> None:
    port = int(argilla_server.api_url.rsplit(":", 1)[1])
    with pytest.raises(ServerError, match="an Argilla server with another data folder"):
        manage.start(tmp_path / "home", port)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("important")
    tmp_path.chmod(0o755)
    with pytest.raises(ServerError, match="holds other files"):
        manage.start(tmp_path, free_port())
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert os.listdir(tmp_path) == ["thesis.txt"]


@NEEDS_VENV
def test_unreadable_credentials_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / CREDENTIALS).write_text("{")
    with pytest.raises(ServerError, match=r"Correct it, or delete it"):
        manage.start(tmp_path, free_port())
    assert (tmp_path / CREDENTIALS).read_text() == "{"


@NEEDS_VENV
def test_a_broken_database_gives_a_message_and_is_kept(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / CREDENTIALS).write_text(
        json.dumps(dict.fromkeys(("api_url", "username", "password", "api_key", "workspace"), "x"))
    )
    (home / DATABASE).write_bytes(b"this is no database" * 100)
    result = run("start", "--home", home, "--port", str(free_port()))
    output = result.stdout + result.stderr
    assert result.returncode == 1
    assert f"The database {home / DATABASE} is damaged: it is no SQLite database" in output
    assert "Traceback" not in output
    assert (home / DATABASE).read_bytes().startswith(b"this is no database")
    assert manage.status(home).state == "stopped"


def test_an_interrupted_installation_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# nothing\n")
    monkeypatch.setattr(install, "REQUIREMENTS", requirements)
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").touch()
    with pytest.raises(ServerError, match="was not made by this command"):
        install.ensure_venv(venv)
    assert (venv / "bin" / "python").exists()

    (venv / "requirements.sha256").write_text("incomplete\n")
    python = install.ensure_venv(venv)
    assert subprocess.run([python, "-c", "import pip"]).returncode == 0
    made = python.stat().st_ctime_ns
    assert install.ensure_venv(venv).stat().st_ctime_ns == made  # used again

    requirements.write_text("not a requirement !!\n")
    with pytest.raises(ServerError, match="Could not install the Argilla server"):
        install.ensure_venv(venv)
    assert "incomplete" in (venv / "requirements.sha256").read_text()  # made again next time


@pytest.fixture(scope="module")
def home(argilla_venv: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder for tests that stop the server or kill it; deep enough to be too long a
    path for a Unix socket."""
    home = tmp_path_factory.mktemp("argilla") / ("a long name with spaces and a 100% sign " * 2)
    yield home
    manage.stop(home)


def test_two_commands_that_start_it_at_once(home: Path) -> None:
    manage.stop(home)
    (home / LOG).unlink(missing_ok=True)
    port = str(free_port())
    results: list[subprocess.CompletedProcess[str]] = []
    threads = [
        threading.Thread(
            target=lambda: results.append(run("start", "--home", home, "--port", port))
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.returncode for result in results] == [0, 0]
    assert manage.status(home).state == "running"
    assert (home / LOG).read_text().count("starting on") == 1


def test_sessions_and_credentials_outlive_a_restart(home: Path) -> None:
    credentials = manage.start(home, free_port())
    data = {"username": credentials.username, "password": credentials.password}
    token = httpx.post(f"{credentials.api_url}/api/v1/token", data=data).json()["access_token"]

    result = run("stop", "--home", home)
    assert result.returncode == 0
    assert run("status", "--home", home).returncode == 3
    assert not (home / STATE).exists()
    assert not list(home.glob(f"{DATABASE}-*"))  # all of it in one file
    with pytest.raises(httpx.ConnectError):
        httpx.get(credentials.api_url)

    port = free_port()
    again = manage.start(home, port)
    assert again.api_url == f"http://127.0.0.1:{port}"
    assert (again.password, again.api_key) == (credentials.password, credentials.api_key)
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{again.api_url}/api/v1/me", headers=headers).status_code == 200


def test_an_older_database_is_migrated_and_lost_credentials_are_replaced(home: Path) -> None:
    before = manage.start(home, free_port())
    manage.stop(home)
    with contextlib.closing(sqlite3.connect(home / DATABASE)) as database, database:
        # The last migration, undone.
        (newest,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        database.execute("DROP TABLE datasets_users")
        database.execute("UPDATE alembic_version SET version_num = '6ed1b8bf8e08'")
    (home / CREDENTIALS).unlink()

    credentials = manage.start(home, free_port())
    assert credentials.api_key != before.api_key
    headers = {"X-Argilla-Api-Key": credentials.api_key}
    me = httpx.get(f"{credentials.api_url}/api/v1/me", headers=headers)
    assert me.json()["username"] == credentials.username
    with contextlib.closing(sqlite3.connect(home / DATABASE)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == (newest,)
    (kept,) = (home.parent / "backups").glob("*-6ed1b8bf8e08-*.db")
    assert check(kept) == "6ed1b8bf8e08"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_it_says_so_when_it_does_not_answer(home: Path) -> None:
    manage.start(home, free_port())
    pid = manage.status(home).pid
    assert pid is not None
    web = next(
        p
        for p in psutil.Process(pid).children()
        if p.cmdline()[-2:-1] != ["-m"] and "web" in p.cmdline()[2]
    )
    web.send_signal(signal.SIGSTOP)
    try:
        result = run("status", "--home", home)
        assert result.returncode == 1
        assert "does not answer" in result.stdout + result.stderr
    finally:
        web.send_signal(signal.SIGCONT)
    assert manage.status(home).state == "running"
