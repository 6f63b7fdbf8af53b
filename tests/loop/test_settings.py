"""Settings: found without spaCy, and with functions of the user."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import spacy

from scripts.active_learning.plan import StepSettings
from scripts.active_learning.query import STRATEGIES
from scripts.cli.errors import ProjectError
from scripts.loop.annotate import annotate
from scripts.loop.settings import Settings, load_settings
from scripts.loop.step import step
from tests.loop_fixtures import opened

OWN = """
import numpy as np
import spacy

@spacy.registry.misc("{name}")
def make(back: int = 1):
    def last(state, n, rng):
        return np.arange(len(state))[::-back][:n]
    return last
"""


def test_a_strategy_of_the_user_takes_part_in_every_command(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text(OWN.format(name="test_own_strategy.v1"))
    config = Path("configs/loop.cfg").read_text()
    config = config.replace('code = ""', f'code = "{tmp_path / "own.py"}"')
    config = config.replace("query_strategy.margin_sampling.v1", "test_own_strategy.v1")
    (tmp_path / "loop.cfg").write_text(config)
    chosen = settings("--loop.draw.anywhere", 0, path=tmp_path / "loop.cfg")
    assert chosen.loop.strategy(np.zeros((9, 2)), 2, None).tolist() == [8, 7]  # type: ignore
    with opened(chosen) as (loop, gold):
        dataset, learner, pool = loop
        step(*loop, chosen)
        annotate(dataset, gold, list(learner.labels))
        asked = {answer.id for answer in dataset.pull()}
        step(*loop, chosen)
        new = {answer.id for answer in dataset.pull()} - asked
        assert new == set([id_ for id_ in pool.ids if id_ not in asked][-5:])


def test_code_that_is_missing_or_fails(settings: Callable[..., Settings], tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"no Python file nowhere\.py"):
        settings("--paths.code", "nowhere.py")
    (tmp_path / "own.py").write_text("1 / 0")
    with pytest.raises(ProjectError, match=r"own\.py .* cannot be imported") as error:
        settings("--paths.code", tmp_path / "own.py")
    assert "ZeroDivisionError" in error.value.hint


def test_spacy_finds_the_strategies_and_the_settings_what_spacy_registers(
    settings: Callable[..., Settings],
) -> None:
    for name, strategy in STRATEGIES.items():
        assert spacy.registry.misc.get(f"query_strategy.{name}.v1")() == strategy
    spacy.registry.misc("test_registered.v1", func=lambda: STRATEGIES["random"])
    chosen = settings("--loop.strategy.@misc", "test_registered.v1")
    assert chosen.loop.strategy is STRATEGIES["random"]


def test_code_has_no_defaults_of_its_own() -> None:
    loop = load_settings(Path("configs/loop.cfg"), ["--argilla.dataset", "test"]).loop
    assert loop.plan(loop.batch_size) == StepSettings()


def test_a_name_that_argilla_would_refuse_is_refused_before(small_corpus: Path) -> None:
    named = ["--paths.corpus", str(small_corpus), "--argilla.dataset"]
    assert load_settings(Path("configs/loop.cfg"), [*named, " "]).argilla.dataset == "headlines"
    with pytest.raises(ProjectError) as error:
        load_settings(Path("configs/loop.cfg"), [*named, "x" * 190])
    assert "argilla.dataset: String should have at most 160" in error.value.hint


@pytest.mark.parametrize(
    ("name", "value"), [("seed", -1), ("strategy.power", -2), ("draw.teach", -5)]
)
def test_what_would_fail_in_a_step_is_refused_at_once(name: str, value: int) -> None:
    with pytest.raises(ProjectError) as error:
        load_settings(Path("configs/loop.cfg"), [f"--loop.{name}", str(value)])
    assert name.rpartition(".")[2] in error.value.hint


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("loop.strategy", "margin", r"loop\.strategy is a block .* --loop\.strategy\.@misc "),
        ("loop.strategy.power", "high", r"^strategy\.power: .*'high'"),
        ("loop.strategy.powr", "3", r"^strategy\.powr: unexpected argument"),
        ("loop.strategy.power", "-1", "power must be at least 0"),
    ],
)
def test_a_wrong_strategy_is_said_in_a_line(
    settings: Callable[..., Settings], name: str, value: str, said: str
) -> None:
    with pytest.raises(ProjectError) as error:
        settings(f"--{name}", value)
    assert re.search(said, error.value.hint)
    assert "\n" not in error.value.hint
