"""Large pools are scored block by block."""

import numpy as np
import pytest
from spacy.util import registry

from components import classy_scores


@pytest.fixture
def head():
    rng = np.random.default_rng(0)
    return {
        "coef": rng.normal(size=(3, 8)),
        "intercept": rng.normal(size=3),
        "dual": rng.normal(size=(5, 3)),
        "examples": rng.normal(size=(5, 8)).astype("float32"),
        "gamma": np.array(0.3),
    }, rng.normal(size=(100, 8)).astype("float32")


@pytest.mark.parametrize("kind", ["softmax", "sigmoid", "linear_kernel"])
@pytest.mark.parametrize("block", [1, 32, 99])
def test_scores_do_not_depend_on_the_blocks(head, kind, block, monkeypatch):
    arrays, X = head
    score = registry.misc.get(f"classy_scores.{kind}.v1")
    whole = score(arrays, X)
    monkeypatch.setattr(classy_scores, "BLOCK", block)
    np.testing.assert_allclose(score(arrays, X), whole, rtol=1e-12)
    assert score(arrays, X[:0]).shape == (0, 3)


def test_a_small_pool_is_scored_as_ever(head):
    arrays, X = head
    logits = X @ arrays["coef"].T + arrays["intercept"]
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    found = classy_scores.softmax_scores(arrays, X)
    np.testing.assert_array_equal(found, exp / exp.sum(axis=1, keepdims=True))
