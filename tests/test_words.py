"""Words of messages."""

import pytest

from scripts.active_learning.proof import Estimate
from scripts.active_learning.stopping import budget_rule
from scripts.cli.words import count


@pytest.mark.parametrize(("n", "said"), [(0, "0 texts"), (1, "1 text"), (2, "2 texts")])
def test_one_is_singular(n: int, said: str) -> None:
    assert count(n, "text") == said


def test_one_text_in_the_reasons_of_a_step() -> None:
    assert "from 1 draw)" in str(Estimate(0.9, 0.5, 1.0, 1))
    assert "0 of 1 label given" in budget_rule(0, 1).reason
