"""Words of messages."""

import pytest

from scripts.active_learning.proof import Estimate
from scripts.active_learning.stopping import budget_rule
from scripts.cli.words import count, size


@pytest.mark.parametrize(("n", "said"), [(0, "0 texts"), (1, "1 text"), (2, "2 texts")])
def test_one_is_singular(n: int, said: str) -> None:
    assert count(n, "text") == said


@pytest.mark.parametrize(
    ("n", "said"), [(383_671, "0.4 MB"), (83_301_738, "83.3 MB"), (2_500_000_000, "2.5 GB")]
)
def test_a_small_package_has_a_size(n: int, said: str) -> None:
    assert size(n) == said


def test_one_text_in_the_reasons_of_a_step() -> None:
    assert "from 1 draw)" in str(Estimate(0.9, 0.5, 1.0, 1))
    assert "0 of 1 label given" in budget_rule(0, 1).reason
