import numpy as np
import pytest

from scripts.active_learning.decisions import decide


def test_the_threshold_decides_and_certainty_is_the_chance_that_the_least_sure_label_is_right():
    probs = np.array([[0.4, 0.1], [0.2, 0.25], [0.9, 0.35]])
    labels, certainty = decide(probs, label_threshold=0.3)
    assert labels.tolist() == [[1, 0], [0, 0], [1, 1]]
    assert certainty == pytest.approx([0.4, 0.75, 0.35])
    labels, certainty = decide(probs, label_threshold=0.5)
    assert labels.tolist() == [[0, 0], [0, 0], [1, 0]]
    assert certainty == pytest.approx([0.6, 0.75, 0.65])


def test_without_a_threshold_the_most_probable_class_is_the_answer():
    labels, certainty = decide(np.array([[0.4, 0.1], [0.2, 0.25]]))
    assert labels.tolist() == [0, 1]
    assert certainty == pytest.approx([0.4, 0.25])
