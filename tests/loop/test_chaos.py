"""Random SIGKILLs while a loop runs; `python -m tests.chaos` is the same for longer."""

from pathlib import Path

import pytest

from tests.loop.disturbed import Chaos


def test_a_loop_ends_as_if_nothing_had_happened(
    argilla_venv: Path,
    small_corpus: Path,
    pipelines: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("ARGILLA_API_URL", "ARGILLA_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    chaos = Chaos(tmp_path, small_corpus, pipelines / "textcat.cfg", budget=25, pace=0.5)
    outcome = chaos.run(kills=10, seconds=40)
    assert not outcome.wrong
    assert outcome.kills
    assert outcome.acknowledged + outcome.unsure == 25 * len(outcome.loops)
