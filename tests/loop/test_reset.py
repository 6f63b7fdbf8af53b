"""Starting anew: what is deleted, what is asked before, and what is kept."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import srsly

from scripts.cli.errors import ProjectError
from scripts.loop.annotate import annotate
from scripts.loop.lease import lease
from scripts.loop.reset import backup
from scripts.loop.session import open_loop
from scripts.loop.settings import Settings
from scripts.loop.step import step
from scripts.records.client import argilla_client
from scripts.records.schema import find
from scripts.reset import main
from tests.loop_fixtures import context_of, opened


def reset(*arguments: str, typed: str = "") -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.reset", *arguments],
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_labels_are_kept_and_can_be_put_back(
    settings: Callable[..., Settings], overrides: list[str]
) -> None:
    chosen = settings()
    name = chosen.argilla.dataset
    with opened(chosen) as (loop, gold):
        step(*loop, chosen)
        annotate(loop[0], gold, list(loop[1].labels), limit=5)
        client = loop[0].client
        # Asked again, and not answered yet: its label is kept all the same.
        first = next(a for a in loop[0].answers() if a.status == "labelled")
        loop[0].push([loop[0].again(first, 1)])
        for typed in ("", "\n", "something else\n"):
            code, said = reset(*overrides, typed=typed)
            assert code == 1
            assert "6 records, 5 answers by people, 0 by machine" in said
            assert "Nothing was deleted" in said
        assert len(loop[0].answers()) == 6

        code, said = reset(*overrides, typed=f"{name}\n")
        assert code == 0, said
        assert find(client, chosen.argilla)[1] is None
        (kept,) = chosen.paths.corpus.glob(f"{name}-labels-*.jsonl")
        assert str(kept) in said
        rows = {row["text"]: row["label"] for row in srsly.read_jsonl(kept)}
        assert len(rows) == 5
    code, said = reset(*overrides, "--yes")
    assert code == 1
    assert f"There is no data set '{name}'" in said
    # Nor is one made by what only looks at it.
    with pytest.raises(ProjectError, match="There is no data set"), open_loop(chosen, make=False):
        pass
    with argilla_client(chosen.paths.argilla) as again:
        assert find(again, chosen.argilla)[1] is None

    command = [sys.executable, "-m", "scripts.seed", str(kept), *overrides]
    assert "5 examples put into Argilla" in subprocess.check_output(command, text=True)
    with opened(chosen) as (loop, _):
        assert {a.text: a.labels[0] for a in loop[0].answers()} == rows
    kept.unlink()
    assert reset(*overrides, "--yes", "--no-keep")[0] == 0
    assert not list(chosen.paths.corpus.glob(f"{name}-labels-*.jsonl"))


def test_a_data_set_may_be_called_what_no_file_can_be(tmp_path: Path) -> None:
    assert backup([], False, tmp_path, "news/2024: a", "now")[0].exists()
    assert [path.name for path in tmp_path.iterdir()] == ["news-2024- a-labels-now.jsonl"]


def test_what_is_answered_while_it_asks_is_kept(
    settings: Callable[..., Settings], overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings()
    name = chosen.argilla.dataset
    with opened(chosen) as (loop, gold):
        step(*loop, chosen)
        annotate(loop[0], gold, list(loop[1].labels), limit=2)

        def asked(*_: Any, **__: Any) -> str:
            annotate(loop[0], gold, list(loop[1].labels))
            return name

        monkeypatch.setattr("typer.prompt", asked)
        main(context_of(overrides))
        assert find(loop[0].client, chosen.argilla)[1] is None
    (kept,) = chosen.paths.corpus.glob(f"{name}-labels-*.jsonl")
    assert len(list(srsly.read_jsonl(kept))) == 6
    kept.unlink()


def test_it_waits_for_a_command_that_is_at_work(
    settings: Callable[..., Settings], overrides: list[str]
) -> None:
    chosen = settings()
    with opened(chosen) as (loop, _):
        step(*loop, chosen)
        with lease(chosen.paths.corpus, "step"):
            command = [sys.executable, "-u", "-m", "scripts.reset", *overrides, "--yes"]
            waits = subprocess.Popen([*command, "--no-keep"], stdout=subprocess.PIPE, text=True)
            assert any("is at work on" in line for line in waits.stdout or ())
            assert find(loop[0].client, chosen.argilla)[1] is not None
        assert "Deleted" in waits.communicate(timeout=60)[0]
        assert find(loop[0].client, chosen.argilla)[1] is None
