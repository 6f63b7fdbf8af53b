"""The server is killed in the middle of a run, as by a flat battery, and the loop goes on."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import argilla as rg
import psutil
import pytest

from scripts.argilla_server import manage
from scripts.argilla_server.manage import Credentials
from scripts.cli.errors import ProjectError
from scripts.loop.annotate import annotate
from scripts.loop.settings import Settings
from scripts.loop.step import step
from scripts.records.client import argilla_client
from scripts.records.dataset import LoopDataset
from scripts.records.pool_dataset import PoolDataset, pool_name
from tests.argilla_server.fixtures import free_port
from tests.loop_fixtures import new_name, opened


def kill(home: Path) -> None:
    """SIGKILL to the server and all its children at once: none can tidy up."""
    pid = manage.status(home).pid
    assert pid is not None
    unit = psutil.Process(pid)
    family = [unit, *unit.children(recursive=True)]
    for process in family:
        os.kill(process.pid, signal.SIGKILL)
    psutil.wait_procs(family, timeout=30)


def test_no_label_is_lost_and_the_step_goes_on(
    settings: Callable[..., Settings],
    argilla_venv: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No variables: the loop finds the embedded server by itself.
    monkeypatch.delenv("ARGILLA_API_URL")
    monkeypatch.delenv("ARGILLA_API_KEY")
    home = tmp_path / "home"
    chosen = settings("--paths.argilla", home)
    port = free_port()
    manage.start(home, port)
    try:
        with opened(chosen) as (loop, gold):
            labels = list(loop[1].labels)
            step(*loop, chosen)
            annotate(loop[0], gold, labels)
            step(*loop, chosen)
            annotate(loop[0], gold, labels, limit=3)
            before = loop[0].pull()
        with pytest.raises(ProjectError, match="No Argilla server answers"):  # noqa: SIM117
            with opened(chosen) as (loop, gold):
                kill(home)
                annotate(loop[0], gold, labels)

        manage.start(home, port)
        with opened(chosen) as (loop, gold):
            assert loop[0].pull() == before
            assert "2 records to be answered" in step(*loop, chosen).why
            annotate(loop[0], gold, labels)
            assert step(*loop, chosen).trained_on == 11
    finally:
        manage.stop(home)


def test_a_data_set_that_was_cut_short_in_the_making_is_made_anew(
    settings: Callable[..., Settings], argilla_server: Credentials
) -> None:
    chosen = settings()
    with argilla_client(chosen.paths.argilla) as client:
        workspace = client.workspaces(chosen.argilla.workspace)
        assert workspace is not None
        for name in (chosen.argilla.dataset, pool_name(chosen.argilla.dataset)):
            # As `live` leaves it when it is killed between its requests.
            body = {"name": name, "workspace_id": str(workspace.id)}
            client.http_client.post("/api/v1/datasets", json=body).raise_for_status()
        with pytest.raises(ProjectError, match="There is no data set"):
            LoopDataset.open(client, chosen.argilla, {}, dim=None)
    with opened(chosen) as (loop, gold):
        assert step(*loop, chosen).asked == 6
        assert annotate(loop[0], gold, list(loop[1].labels)) == 6
        assert step(*loop, chosen).trained_on == 6
        shown = PoolDataset.open(loop[0], loop[1].labels, loop[1].dim, loop[1].label_threshold)
        assert not shown.there()


def test_a_user_whose_making_was_cut_short_joins_the_workspace(
    settings: Callable[..., Settings],
) -> None:
    with opened(settings()) as (loop, _):
        dataset, name = loop[0], new_name()
        user = rg.User(
            username=name, first_name=name, role="annotator", password="x" * 24,
            client=dataset.client,
        ).create()  # fmt: skip
        members = dataset.dataset.workspace.users
        assert user.id not in {member.id for member in members}
        assert dataset.user(name)["id"] == str(user.id)
        assert user.id in {member.id for member in members}
