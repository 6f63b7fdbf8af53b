import numpy as np
import pytest

from scripts.active_learning.plan import Machine
from scripts.active_learning.proof import NOTHING, Estimate, Promise
from scripts.active_learning.stopping import (
    accuracy_rule,
    budget_rule,
    expected_gain,
    prediction_agreement,
    promise_rule,
    stabilised_rule,
    stop_set,
)


def test_the_budget_holds_when_it_is_spent_and_never_without_one():
    assert not budget_rule(99, 100).holds
    assert budget_rule(100, 100).holds
    assert budget_rule(120, 100).holds
    assert not budget_rule(10**6, None).holds


def test_agreement_takes_chance_out():
    labels = np.array([0, 1, 2] * 30)
    assert prediction_agreement(labels, labels) == 1
    shuffled = np.random.default_rng(0).permutation(labels)
    assert abs(prediction_agreement(labels, shuffled)) < 0.2
    only = np.zeros(9, dtype=int)
    assert prediction_agreement(only, only) == 1  # one class only: kappa itself is undefined
    both = np.stack([labels == 0, labels == 1], axis=1).astype(int)
    assert prediction_agreement(both, both) == 1
    assert prediction_agreement(both, 1 - both) < 0


def test_predictions_are_stable_after_three_close_models_and_not_before():
    assert not stabilised_rule([1.0, 1.0]).holds
    assert stabilised_rule([0.5, 0.99, 0.995, 0.99]).holds
    assert not stabilised_rule([0.99, 0.995, 0.9]).holds
    assert "0.962" in stabilised_rule([0.99, 0.995, 0.9]).reason


def test_the_stop_set_stays_the_same():
    assert stop_set(1000, 50, seed=1).tolist() == stop_set(1000, 50, seed=1).tolist()
    assert len(set(stop_set(1000, 50, seed=1))) == 50
    assert stop_set(5, 50, seed=1).tolist() == [0, 1, 2, 3, 4]


def test_the_promise_holds_when_it_lets_the_machine_answer_all_that_is_left():
    def machine(answered: int, promise: Promise | None) -> Machine:
        labels = np.zeros(answered, dtype=int)
        return Machine(np.arange(answered), labels, 40, 100, NOTHING, promise)

    kept = Promise(-np.inf, 999, 0.05, 45, 0, 0)
    assert promise_rule(machine(40, kept)).holds
    assert not promise_rule(machine(39, Promise(0.6, 999, 0.05, 45, 1, 3))).holds
    assert not promise_rule(machine(0, Promise(np.inf, 0, 0.0, 44, 0, 1))).holds
    assert not promise_rule(machine(40, None)).holds  # above a fixed certainty: no promise


def test_accuracy_must_be_surely_reached():
    estimate = Estimate(0.95, 0.9, 0.98, 100)
    assert accuracy_rule(estimate, 0.85).holds
    assert not accuracy_rule(estimate, 0.94).holds
    assert not accuracy_rule(estimate, None).holds
    assert "0.950 (90 % 0.900-0.980, from 100 draws)" in accuracy_rule(estimate, None).reason
    assert "exact match" in accuracy_rule(estimate, 0.85, several=True).reason


def test_an_accuracy_that_is_not_known_reaches_nothing():
    rule = accuracy_rule(NOTHING, 0.0)
    assert not rule.holds
    assert "not known yet" in rule.reason


def test_expected_gain_follows_a_power_law_and_shrinks():
    sizes = [20, 40, 80, 160, 320]
    total = [2000] * 5
    right = [round(2000 * (1 - 0.9 * n**-0.4)) for n in sizes]
    gain = expected_gain(sizes, right, total, more=20)
    truth = 0.9 * 320**-0.4 - 0.9 * 340**-0.4
    assert gain.value == pytest.approx(truth, rel=0.2)
    assert gain.low <= gain.value <= gain.high
    earlier = expected_gain(sizes[:3], right[:3], total[:3], more=20)
    assert earlier.value > gain.value


def test_expected_gain_is_silent_on_too_little_and_unsure_on_small_samples():
    assert "cannot be said" in str(expected_gain([10, 20], [5, 6], [10, 10], more=10))
    sizes = [20, 40, 60]
    wide = expected_gain(sizes, [7, 8, 9], [10, 10, 10], more=20)
    narrow = expected_gain(sizes, [700, 800, 900], [1000, 1000, 1000], more=20)
    assert wide.high - wide.low > narrow.high - narrow.low
    assert expected_gain(sizes, [9, 8, 7], [10, 10, 10], more=20).value == pytest.approx(0)
