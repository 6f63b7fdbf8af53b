"""What `report` prints of the steps."""

import pytest

from scripts.loop.replay import Row
from scripts.loop.steps_table import show_end


@pytest.mark.parametrize(("answered", "rest"), [(0.5, ", if people label the rest"), (1.0, "")])
def test_the_promise_names_what_it_asks_of_people(
    answered: float, rest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show_end(Row(3, 60, 0, 400, answered, 0.041, 0.01, 0.95, 0.9, 0.98, 0.9, 0.9, 0.9))
    said = capsys.readouterr().out
    assert f"at most 4.1% of all labels are wrong{rest}; really wrong: 1.0%." in said
