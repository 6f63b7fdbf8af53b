import numpy as np
import pytest

from scripts.active_learning.quality import (
    contradicting_duplicates,
    krippendorff_alpha,
    label_errors,
)


def noisy_answers(n=300, k=4, noise=0.2, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(k, size=n)
    probs = rng.dirichlet(np.ones(k), size=n) * 0.4 + 0.6 * np.eye(k)[truth]
    wrong = rng.random(n) < noise
    given = np.where(wrong, (truth + rng.integers(1, k, size=n)) % k, truth)
    return probs, given, wrong


def test_review_finds_most_wrong_answers_worst_first_and_within_its_cap():
    probs, given, wrong = noisy_answers()
    rows = label_errors(probs, given, most=0.2)
    assert len(rows) <= 60
    assert wrong[rows].sum() >= 0.7 * wrong.sum()
    margin = probs[rows, given[rows]] - probs[rows].max(axis=1)
    assert (np.diff(margin) >= 0).all()


def test_review_leaves_good_answers_alone():
    probs, given, _ = noisy_answers(noise=0)
    assert not len(label_errors(probs, given))


def test_review_of_classes_nobody_used_and_of_nothing():
    probs, given, _ = noisy_answers(k=3)
    wider = np.hstack([probs, np.full((len(probs), 2), 1e-6)])
    assert label_errors(wider, given).tolist() == label_errors(probs, given).tolist()
    assert not len(label_errors(probs[:0], given[:0]))
    assert not len(label_errors(probs[:3], np.zeros(3, dtype=int)))


def test_review_of_several_labels_a_text():
    probs = np.array([[0.9, 0.1], [0.9, 0.2], [0.1, 0.7]])
    rows = label_errors(probs, np.array([[1, 0], [0, 0], [0, 1]]), label_threshold=0.5, most=1)
    assert rows.tolist() == [1]


def test_duplicates_contradict_only_when_their_answers_differ():
    points = np.array([[1, 0, 0], [1, 0.01, 0], [1, 0, 0.02], [0, 1, 0], [0, 1, 0]])
    assert contradicting_duplicates(points, np.array([0, 1, 0, 2, 2])) == [(0, 1), (1, 2)]
    assert contradicting_duplicates(points, np.array([0, 0, 0, 2, 2])) == []
    assert contradicting_duplicates(points[:1], np.array([0])) == []


def test_alpha_of_agreement_chance_and_holes():
    same = np.array([[0, 1, 2, 0], [0, 1, 2, 0]])
    assert krippendorff_alpha(same) == pytest.approx(1)
    rng = np.random.default_rng(0)
    assert abs(krippendorff_alpha(rng.integers(3, size=(2, 500)))) < 0.1
    holes = np.array([[0, 1, -1, 2], [0, -1, 1, 2], [-1, 1, 1, 0]])
    # by hand: 9 values, disagreements only on the last text
    assert 0.4 < krippendorff_alpha(holes) < 0.8
    assert np.isnan(krippendorff_alpha(np.array([[0, -1], [-1, 1]])))
    assert krippendorff_alpha(np.zeros((2, 4), dtype=int)) == 1
    both = np.stack([same == 0, same == 1], axis=2).astype(int)
    assert krippendorff_alpha(both) == pytest.approx(1)
    # Labels that nobody gives are no agreement.
    chance = rng.integers(2, size=(2, 500, 1))
    unused = np.concatenate([chance, np.zeros((2, 500, 9), dtype=int)], axis=2)
    assert krippendorff_alpha(unused) == krippendorff_alpha(chance[:, :, 0]) < 0.1
    assert krippendorff_alpha(unused[:, :, 1:]) == 1
