import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from scripts.active_learning.query import STRATEGIES, QueryState
from scripts.active_learning.scores import uncertainty


def state_of(n: int, k: int = 4, d: int = 6, m: int = 5, seed: int = 0) -> QueryState:
    rng = np.random.default_rng(seed)
    return QueryState(
        probs=rng.dirichlet(np.ones(k), size=n),
        embeddings=rng.normal(size=(n, d)).astype("float32"),
        labelled_embeddings=rng.normal(size=(m, d)).astype("float32"),
        labelled_probs=rng.dirichlet(np.ones(k), size=m),
    )


@pytest.mark.parametrize("name", sorted(STRATEGIES))
@hypothesis_settings(deadline=None)  # a busy machine is no failure
@given(n=st.integers(0, 30), pool=st.integers(0, 25), labelled=st.integers(0, 4))
def test_every_strategy_returns_distinct_rows_of_the_pool(name, n, pool, labelled):
    rows = STRATEGIES[name](state_of(pool, m=labelled), n, np.random.default_rng(0))
    assert len(rows) == min(n, pool)
    assert len(set(rows.tolist())) == len(rows)
    assert all(0 <= row < pool for row in rows)


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_the_same_seed_gives_the_same_rows(name):
    state = state_of(60)
    first, second = (STRATEGIES[name](state, 10, np.random.default_rng(3)) for _ in range(2))
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_identical_texts_and_a_model_that_knows_nothing_are_no_trouble(name):
    same = QueryState(probs=np.full((20, 3), 1 / 3), embeddings=np.ones((20, 4)))
    assert len(set(STRATEGIES[name](same, 8, np.random.default_rng(0)).tolist())) == 8


def test_measures_of_uncertainty_differ_where_they_should():
    probs = np.array(
        [
            [0.90, 0.05, 0.05],  # sure
            [0.50, 0.49, 0.01],  # two classes tie: margin's first
            [0.45, 0.35, 0.20],  # least confident, and the most even
        ]
    )
    state, rng = QueryState(probs), np.random.default_rng(0)
    assert STRATEGIES["margin"](state, 3, rng).tolist() == [1, 2, 0]
    assert STRATEGIES["least_confidence"](state, 3, rng).tolist() == [2, 1, 0]
    assert STRATEGIES["entropy"](state, 3, rng).tolist() == [2, 1, 0]
    assert STRATEGIES["fifo"](state, 2, rng).tolist() == [0, 1]


def test_ties_are_broken_at_random_and_not_by_the_order_of_the_file():
    state = QueryState(np.full((100, 4), 0.25))
    picks = STRATEGIES["margin"](state, 10, np.random.default_rng(1))
    assert picks.tolist() != list(range(10))


def test_uncertainty_is_scaled_to_one():
    assert uncertainty(np.full((1, 4), 0.25)) == pytest.approx([1.0])
    assert uncertainty(np.array([[1.0, 0, 0]])) == pytest.approx([0.0])
    assert uncertainty(np.array([[0.5, 0.5], [0.75, 0.25]])) == pytest.approx([1.0, 0.5])


def test_uncertainty_of_many_labels_is_that_of_the_least_certain_label():
    probs = np.array([[0.99, 0.01], [0.99, 0.5], [0.0, 1.0]])
    assert uncertainty(probs, multi_label=True) == pytest.approx([0.02, 1.0, 0.0])
    state = QueryState(probs, label_threshold=0.5)
    for name in ("least_confidence", "margin", "entropy"):
        assert STRATEGIES[name](state, 1, np.random.default_rng(0)).tolist() == [1]


def test_a_model_gone_wrong_is_reported_and_not_ranked():
    with pytest.raises(ValueError, match="not finite"):
        QueryState(np.array([[np.nan, 0.5]]))
    with pytest.raises(ValueError, match="3 embeddings"):
        QueryState(np.array([[0.5, 0.5]]), embeddings=np.ones((3, 2)))


def three_topics(n_each: int = 40) -> tuple[QueryState, np.ndarray]:
    """Three far topics; the first has labels and is known, the third is the unsure one."""
    rng = np.random.default_rng(0)
    topic = np.repeat([0, 1, 2], n_each)
    points = np.eye(10)[topic] + 0.05 * rng.normal(size=(len(topic), 10))
    probs = np.where(topic[:, None] == 2, [0.5, 0.5], [0.97, 0.03])
    return QueryState(probs, points, points[:10], probs[:10]), topic


def test_kcenter_goes_where_nothing_is_labelled():
    state, topic = three_topics()
    assert set(topic[STRATEGIES["kcenter"](state, 2, np.random.default_rng(0))]) == {1, 2}


def test_typiclust_takes_typical_texts_of_topics_without_labels():
    state, topic = three_topics()
    rows = STRATEGIES["typiclust"](state, 2, np.random.default_rng(0))
    assert set(topic[rows]) <= {1, 2}
    first = STRATEGIES["typiclust"](
        QueryState(state.probs, state.embeddings), 3, np.random.default_rng(0)
    )
    assert set(topic[first]) == {0, 1, 2}


def test_contrastive_asks_where_neighbours_are_judged_differently():
    points = np.eye(4)[[0, 0, 1, 1]]
    probs = np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5], [0.6, 0.4]])
    labelled_probs = np.array([[0.9, 0.1]] * 12 + [[0.5, 0.5]] * 12)
    labelled = np.repeat(np.eye(4)[:2], 12, axis=0)
    state = QueryState(probs, points, labelled, labelled_probs)
    assert STRATEGIES["contrastive"](state, 1, np.random.default_rng(0)).tolist() == [1]


@pytest.mark.parametrize("name", ["badge", "diverse_uncertainty"])
def test_unsure_texts_are_taken_from_different_places(name):
    rng = np.random.default_rng(0)
    place = np.repeat(np.arange(6), 30)
    points = np.eye(12)[place] + 0.01 * rng.normal(size=(180, 12))
    # Places 0 to 4 are unsure, the first by a hair more than the others; 5 is sure.
    probs = np.where(place[:, None] == 5, [0.999, 0.001], [0.55, 0.45])
    probs = np.where(place[:, None] == 0, [0.5, 0.5], probs)
    state = QueryState(probs, points)
    rows = STRATEGIES[name](state, 5, np.random.default_rng(0))
    assert (place[rows] == 5).sum() <= (name == "badge")  # sampled, so now and then a sure one
    assert len(set(place[rows])) >= 3
    plain = STRATEGIES["margin"](state, 5, np.random.default_rng(0))
    assert set(place[plain]) == {0}


def test_a_strategy_that_needs_embeddings_says_so():
    with pytest.raises(ValueError, match="holds none"):
        STRATEGIES["kcenter"](QueryState(np.full((3, 2), 0.5)), 2, np.random.default_rng(0))
