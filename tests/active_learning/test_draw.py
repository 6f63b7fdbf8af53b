from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.stats import binom, chisquare

from scripts.active_learning.draw import Drawn, draw
from scripts.active_learning.query import STRATEGIES, QueryState, Sampling

# Margins of 0.8, 0.5, 0.2 and 0.1, so scores of 0.2, 0.5, 0.8 and 0.9.
PROBS = np.array([[0.9, 0.1], [0.25, 0.75], [0.6, 0.4], [0.45, 0.55]])
SCORES = [0.2, 0.5, 0.8, 0.9]


def by_hand(sequence: tuple[int, ...], power: float, anywhere: float) -> list[float]:
    """The chance of each draw of the sequence, given those before it."""
    open_, chances = list(range(len(SCORES))), []
    for row in sequence:
        unsure = SCORES[row] ** power / sum(SCORES[other] ** power for other in open_)
        chances.append(anywhere / len(open_) + (1 - anywhere) * unsure)
        open_.remove(row)
    return chances


def pool(n: int, k: int = 3, seed: int = 0) -> QueryState:
    return QueryState(np.random.default_rng(seed).dirichlet(np.full(k, 0.3), size=n))


@pytest.mark.parametrize("power", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("anywhere", [0.0, 0.3, 1.0])
def test_texts_are_drawn_as_often_as_enumeration_says_and_each_chance_is_the_recorded_one(
    anywhere: float, power: float
):
    rng, repetitions = np.random.default_rng(1), 3000
    seen: Counter[tuple[int, ...]] = Counter()
    for _ in range(repetitions):
        drawn = draw(QueryState(PROBS), 2, Sampling(power=power), anywhere, rng)
        sequence = tuple(drawn.rows.tolist())
        seen[sequence] += 1
        assert drawn.chance == pytest.approx(by_hand(sequence, power, anywhere), abs=1e-7)
        assert drawn.open.tolist() == [4, 3]
        assert drawn.anywhere.tolist() == [anywhere] * 2
    sequences = list(permutations(range(4), 2))
    expected = np.array([np.prod(by_hand(s, power, anywhere)) for s in sequences])
    assert expected.sum() == pytest.approx(1)
    counts = np.array([seen[s] for s in sequences])
    # Sequences that hardly ever come are counted as one.
    rare = repetitions * expected < 5
    observed = np.append(counts[~rare], counts[rare].sum())
    wanted = np.append(expected[~rare], expected[rare].sum()) * repetitions
    keep = wanted > 0
    assert chisquare(observed[keep], wanted[keep]).pvalue > 0.001


@pytest.mark.parametrize("anywhere", [0.2, 0.65, 1.0])
def test_importance_weights_are_one_on_average_and_at_most_one_over_the_uniform_share(
    anywhere: float,
):
    rng = np.random.default_rng(2)
    drawn = [draw(pool(60), 10, Sampling(), anywhere, rng) for _ in range(600)]
    weight = np.array([1 / (d.chance * d.open) for d in drawn])
    error = weight.std(axis=0, ddof=1) / np.sqrt(len(weight))
    # Of the first draw as of the last, whatever was drawn before it.
    assert (np.abs(weight.mean(axis=0) - 1) <= 4 * error + 1e-9).all()
    assert weight.max() <= 1 / anywhere + 1e-9


def test_a_draw_recovers_the_mean_of_the_pool_though_it_prefers_the_unsure_ones():
    state, rng = pool(80), np.random.default_rng(3)
    value = 1 - state.probs.max(axis=1)  # what is asked for is what is preferred
    first = [draw(state, 1, Sampling(), 0.3, rng) for _ in range(4000)]
    rows = np.concatenate([d.rows for d in first])
    weight = np.concatenate([1 / (d.chance * d.open) for d in first])
    weighted = weight * value[rows]
    error = weighted.std(ddof=1) / np.sqrt(len(rows))
    assert abs(weighted.mean() - value.mean()) <= 4 * error
    assert value[rows].mean() > value.mean() + 20 * error  # without weights it does not


@hypothesis_settings(deadline=None)  # a busy machine is no failure
@given(
    size=st.integers(1, 30),
    n=st.integers(0, 40),
    anywhere=st.floats(0, 1),
    power=st.floats(0, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_text_is_drawn_twice_and_no_chance_is_below_the_uniform_one(
    size: int, n: int, anywhere: float, power: float, seed: int
):
    drawn = draw(pool(size), n, Sampling(power=power), anywhere, np.random.default_rng(seed))
    assert all(len(column) == min(n, size) for column in drawn)
    assert len(set(drawn.rows.tolist())) == min(n, size)
    assert set(drawn.rows.tolist()) <= set(range(size))
    assert drawn.open.tolist() == [size - i for i in range(min(n, size))]
    assert (drawn.chance >= anywhere / drawn.open - 1e-12).all()
    assert (drawn.chance > 0).all()
    assert (drawn.chance <= 1 + 1e-12).all()
    if n >= size:
        assert drawn.chance[-1] == pytest.approx(1)  # nothing else was left


@hypothesis_settings(deadline=None)
@given(
    size=st.integers(1, 30), n=st.integers(0, 40), anywhere=st.floats(0, 1), seed=st.integers(0, 99)
)
def test_of_a_strategy_that_takes_the_highest_scores_only_the_uniform_part_has_a_chance(
    size: int, n: int, anywhere: float, seed: int
):
    rng = np.random.default_rng(seed)
    drawn = draw(pool(size), n, STRATEGIES["margin"], anywhere, rng)
    assert all(len(column) == min(n, size) for column in drawn)
    assert len(set(drawn.rows.tolist())) == min(n, size)
    uniform = np.isfinite(drawn.chance)
    assert drawn.chance[uniform] == pytest.approx(1 / drawn.open[uniform])
    assert drawn.open[uniform].tolist() == [size - i for i in range(uniform.sum())]
    assert (drawn.anywhere == uniform).all()


def test_a_strategy_chooses_the_best_of_what_the_uniform_part_has_left():
    # fifo, so what is best is the lowest row.
    rng, parts = np.random.default_rng(4), []
    for _ in range(2000):
        drawn = draw(pool(12), 4, STRATEGIES["fifo"], 0.4, rng)
        uniform = np.isfinite(drawn.chance)
        rest = [row for row in range(12) if row not in drawn.rows[uniform]]
        assert drawn.rows[~uniform].tolist() == rest[: (~uniform).sum()]
        parts.append(drawn.rows[uniform])
    counts = np.bincount([len(part) for part in parts], minlength=5)
    assert chisquare(counts, 2000 * binom.pmf(np.arange(5), 4, 0.4)).pvalue > 0.001
    assert chisquare(np.bincount(np.concatenate(parts), minlength=12)).pvalue > 0.001


def test_rows_that_no_chance_chose_prove_nothing():
    drawn = Drawn.chosen(np.array([5, 2]))
    assert drawn.rows.tolist() == [5, 2]
    assert np.isnan(drawn.chance).all()
    assert drawn.anywhere.tolist() == [0, 0]


@pytest.mark.parametrize("name", ["margin", "margin_sampling", "random"])
def test_from_an_empty_pool_nothing_is_drawn(name: str):
    drawn = draw(pool(0), 5, STRATEGIES[name], 0.5, np.random.default_rng(0))
    assert all(len(column) == 0 for column in drawn)


def test_a_text_the_model_is_sure_of_has_a_chance_even_where_no_draw_falls_anywhere():
    sure = QueryState(np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5]]))
    drawn = draw(sure, 3, Sampling(power=8), 0.0, np.random.default_rng(0))
    assert sorted(drawn.rows.tolist()) == [0, 1, 2]
    # The two sure ones are alike, once they are all there is.
    assert drawn.chance == pytest.approx([1, 0.5, 1])


def test_the_same_seed_draws_the_same_texts():
    first, again = (draw(pool(50), 9, Sampling(), 0.5, np.random.default_rng(7)) for _ in range(2))
    assert first.rows.tolist() == again.rows.tolist()
    assert first.chance.tolist() == again.chance.tolist()
