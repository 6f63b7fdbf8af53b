import numpy as np
import pytest

from scripts.active_learning.metrics import expected_calibration_error, labels_to_reach


def test_calibration_error_is_small_when_certainty_means_what_it_says():
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), size=4000)
    labels = np.array([rng.choice(3, p=p) for p in probs])
    assert expected_calibration_error(probs, labels) < 0.03
    boasting = probs**5 / (probs**5).sum(axis=1, keepdims=True)
    assert expected_calibration_error(boasting, labels) > 0.15
    assert np.isnan(expected_calibration_error(probs[:0], labels[:0]))


def test_labels_to_reach_interpolates_and_waits_for_good():
    labels = np.array([20, 40, 60, 80])
    assert labels_to_reach(labels, np.array([0.5, 0.7, 0.8, 0.9]), 0.75) == pytest.approx(50)
    assert labels_to_reach(labels, np.array([0.5, 0.8, 0.6, 0.9]), 0.75) == pytest.approx(70)
    assert labels_to_reach(labels, np.array([0.9] * 4), 0.75) == 20
    assert labels_to_reach(labels, np.array([0.9, 0.9, 0.9, 0.5]), 0.75) == float("inf")
