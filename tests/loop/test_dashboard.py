"""What a person reads while `live` runs, and at its end."""

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.live import Live

from scripts.active_learning.plan import Machine
from scripts.active_learning.proof import NOTHING, Estimate, Promise
from scripts.loop.dashboard import Dashboard
from scripts.loop.settings import load_settings
from scripts.loop.step import StepResult, show


def told(corpus: Path, accuracy: Estimate, checked: float, more: float) -> str:
    """What the table says after a step, without the folds."""
    settings = load_settings(Path("configs/loop.cfg"), ["--paths.corpus", str(corpus)])
    out = io.StringIO()
    nothing = np.array([], dtype=np.intp)
    promise = Promise(np.inf, 0, 1.0, checked=checked, wrong=0.0, more=more)
    machine = Machine(nothing, nothing, 9, 10, accuracy, promise)
    with Live(console=Console(file=out, width=80), auto_refresh=False) as live:
        Dashboard(settings, live).stepped(StepResult(1, asked=5, trained_on=1, machine=machine))
    return " ".join(out.getvalue().split())


def test_one_check_is_singular_and_a_part_of_one_is_one_more(small_corpus: Path) -> None:
    assert "nothing yet: 1 check so far; 1 more right check would" in told(
        small_corpus, NOTHING, 1.0, 0.3
    )
    assert "nothing yet: 12 checks so far; 61 more right checks would" in told(
        small_corpus, NOTHING, 12.0, 61.0
    )


def test_an_accuracy_that_is_not_known_is_not_called_an_estimate(small_corpus: Path) -> None:
    assert "Accuracy not known yet Last training" in told(small_corpus, NOTHING, 0.0, 45.0)
    known = told(small_corpus, Estimate(0.9, 0.8, 0.95, 20), 0.0, 45.0)
    assert "from 20 draws), estimated on the other texts Last" in known


def test_the_end_of_the_loop_says_what_comes_next(capsys: pytest.CaptureFixture[str]) -> None:
    show(StepResult(9, why="the budget of 100 answers is spent", finished=True))
    assert "weasel run finish" in capsys.readouterr().out
    show(StepResult(9, why="20 records to be answered"), "http://127.0.0.1/")
    assert "weasel run finish" not in capsys.readouterr().out
