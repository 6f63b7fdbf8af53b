"""The loop that Argilla's webhooks drive: a real server, a real worker, a real listener."""

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import argilla as rg
import httpx
import pytest

from scripts.argilla_server import manage
from scripts.cli.errors import ProjectError
from scripts.loop.annotate import annotate
from scripts.loop.settings import Settings
from scripts.loop.step import step
from scripts.records.webhook import listening
from tests.argilla_server.fixtures import free_port
from tests.loop_fixtures import opened


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`live` in a process of its own, after it has said where to label."""
    live = subprocess.Popen(
        [sys.executable, "-u", "-m", "scripts.live", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        hear(live, "Label at")
        yield live
    finally:
        live.terminate()  # so that it takes its webhook along
        try:
            live.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            live.kill()
            live.communicate()


def hear(live: subprocess.Popen[str], words: str) -> str:
    """What it says up to these words."""
    said = ""
    assert live.stdout is not None
    for line in live.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(said)


def webhooks(client: rg.Argilla, name: str) -> list[str]:
    return [str(hook.url) for hook in client.webhooks if str(hook.description).endswith(name)]


def test_an_answer_on_the_server_sets_the_event(settings: Callable[..., Settings]) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        dataset = loop[0]
        step(*loop, chosen)
        with listening(dataset, "127.0.0.1", 0) as answered:
            assert len(webhooks(dataset.client, chosen.argilla.dataset)) == 1
            assert not answered.wait(1)
            annotate(dataset, gold, list(loop[1].labels), limit=1)
            assert answered.wait(90)
        assert not webhooks(dataset.client, chosen.argilla.dataset)


@pytest.mark.parametrize("how", [[], ["--poll", "0.5"]], ids=["webhook", "poll"])
def test_steps_follow_answers_until_the_budget_is_spent(
    settings: Callable[..., Settings], overrides: list[str], how: list[str]
) -> None:
    chosen = settings()
    command = [sys.executable, "-m", "scripts.live", *overrides, "--loop.budget", "16"]
    live = subprocess.Popen(
        [*command, "--every", "600", *how],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        with opened(chosen) as (loop, gold):
            for _ in itertools.takewhile(lambda _: live.poll() is None, range(120)):
                annotate(loop[0], gold, list(loop[1].labels))
                time.sleep(0.5)
            said, _ = live.communicate(timeout=30)
            assert live.returncode == 0, said
            assert "budget of 16 answers is spent" in said
            answers = loop[0].answers()
            assert [a.status for a in answers] == ["labelled"] * 16
            assert max(a.iteration for a in answers) == 2
    finally:
        live.kill()


def test_a_webhook_goes_with_its_run_or_with_the_next(
    settings: Callable[..., Settings], overrides: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, _):
        dataset, name = loop[0], chosen.argilla.dataset
        with running(*overrides) as live:
            assert len(webhooks(dataset.client, name)) == 1
            live.send_signal(signal.SIGTERM)
            hear(live, "Nothing is lost")
            assert live.wait(30) == 130
        assert not webhooks(dataset.client, name)

        with running(*overrides) as live:
            live.kill()
            live.wait()
            (stale,) = webhooks(dataset.client, name)
        with running(*overrides) as live:
            (used,) = webhooks(dataset.client, name)
            assert used != stale
            # A second one is told, on this machine and anywhere else.
            said = subprocess.run(
                [sys.executable, "-m", "scripts.live", *overrides], capture_output=True, text=True
            )
            assert said.returncode == 1
            assert f"`weasel run live` (process {live.pid}) is at work" in said.stdout
            with pytest.raises(ProjectError, match="Another `weasel run live`"):  # noqa: SIM117
                with listening(dataset, "127.0.0.1", 0):
                    pass
            assert webhooks(dataset.client, name) == [used]
            # What Argilla has not signed is refused.
            forged = {"type": "response.created", "timestamp": "2026-01-01T00:00:00Z", "data": {}}
            assert httpx.post(used, json=forged).status_code == 401
        assert "left behind" not in capsys.readouterr().out


def test_a_webhook_goes_though_the_run_was_cut_in_the_middle_of_a_request(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object, **__: object) -> None:
        raise RuntimeError("the connection is in the middle of a request")

    chosen = settings()
    with opened(chosen) as (loop, _):
        client, name = loop[0].client, chosen.argilla.dataset
        with monkeypatch.context() as patch, listening(loop[0], "127.0.0.1", 0):
            assert len(webhooks(client, name)) == 1
            patch.setattr(client.http_client, "send", cut)
        assert not webhooks(client, name)


def test_data_sets_of_one_name_in_two_workspaces(settings: Callable[..., Settings]) -> None:
    here = settings()
    with opened(here) as (loop, _):
        dataset, name = loop[0], here.argilla.dataset
        workspace = rg.Workspace(name=name, client=dataset.client).create()
        with opened(settings("--argilla.workspace", name)) as (there, _):
            with listening(dataset, "127.0.0.1", 0), listening(there[0], "127.0.0.1", 0):
                assert len(webhooks(dataset.client, name)) == 2
                with pytest.raises(ProjectError, match="Another `weasel run live`"):  # noqa: SIM117
                    with listening(dataset, "127.0.0.1", 0):
                        pass
            there[0].dataset.delete()
            workspace.delete()
        # What a run of an earlier version left behind goes too.
        old = f"http://127.0.0.1:{free_port()}/answered"
        rg.Webhook(
            url=old,
            events=["response.created"],
            description=f"active learning of {name}",
            _client=dataset.client,
        ).create()
        assert webhooks(dataset.client, name) == [old]
        with listening(dataset, "127.0.0.1", 0):
            (new,) = webhooks(dataset.client, name)
            assert new != old


def test_a_server_that_is_away_and_back_is_said_at_once(
    settings: Callable[..., Settings],
    overrides: list[str],
    argilla_venv: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ARGILLA_API_URL")
    monkeypatch.delenv("ARGILLA_API_KEY")
    home, port = tmp_path / "home", free_port()
    at_home = ("--paths.argilla", str(home), "--loop.budget", "6")
    manage.start(home, port)
    try:
        with running(*overrides, *at_home, "--every", "3600") as live:
            hear(live, "Step 0")
            manage.stop(home)
            hear(live, "does not answer")
            manage.start(home, port)
            hear(live, "answers again")
            with opened(settings(*at_home)) as (loop, gold):
                annotate(loop[0], gold, list(loop[1].labels))
                hear(live, "budget of 6 answers is spent")
                assert live.wait(30) == 0
                assert not webhooks(loop[0].client, loop[0].settings.dataset)
    finally:
        manage.stop(home)
