import numpy as np
import pytest

from scripts.active_learning.stopping import (
    Stratum,
    accuracy_rule,
    budget_rule,
    estimate_accuracy,
    expected_gain,
    prediction_agreement,
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


def test_the_intervals_of_the_estimated_accuracy_hold_the_truth():
    rng = np.random.default_rng(0)
    truth, held = 0.7 * 0.99 + 0.3 * 0.8, 0
    for seed in range(200):
        strata = [
            Stratum(7000, int(rng.binomial(60, 0.99)), 60),
            Stratum(3000, int(rng.binomial(30, 0.8)), 30),
        ]
        estimate = estimate_accuracy(strata, seed)
        held += estimate.low <= truth <= estimate.high
    assert held >= 180  # 95 % promised


def test_estimates_without_a_sample_know_nothing():
    nothing = estimate_accuracy([Stratum(100, 0, 0)])
    assert (nothing.low, nothing.high, nothing.total) == (0, 1, 0)
    assert not accuracy_rule(nothing, 0.0).holds
    perfect = estimate_accuracy([Stratum(100, 40, 40)])
    assert perfect.high == 1
    assert perfect.low > 0.9


def test_accuracy_must_be_surely_reached():
    estimate = estimate_accuracy([Stratum(1000, 95, 100)])
    assert accuracy_rule(estimate, 0.85).holds
    assert not accuracy_rule(estimate, 0.94).holds
    assert not accuracy_rule(estimate, None).holds


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
