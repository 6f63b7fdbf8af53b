"""The server is killed in the middle of a run, as by a flat battery, and the loop goes on."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from scripts.argilla_server import manage
from scripts.cli.errors import ProjectError
from scripts.loop.annotate import annotate
from scripts.loop.settings import Settings
from scripts.loop.step import step
from tests.argilla_server.fixtures import free_port
from tests.loop_fixtures import opened


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
