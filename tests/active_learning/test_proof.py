from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import beta, binom, norm, t

from scripts.active_learning.proof import (
    Draws,
    Promise,
    PromiseSettings,
    draws_needed,
    estimate_accuracy,
    keep_promise,
    surest,
    upper_bound,
)

Kind = Literal["dataset", "precision"]
KINDS: tuple[Kind, ...] = ("dataset", "precision")


def uniform(
    certainty: Sequence[float], right: Sequence[bool], pool: int = 1000, open_: int | None = None
) -> Draws:
    """Draws that all fell anywhere, from `open_` texts of the pool."""
    m, n = len(right), open_ or pool
    return Draws(
        np.array(certainty, dtype=float),
        np.array(right, dtype=bool),
        np.full(m, 1 / n),
        np.full(m, n),
        np.ones(m),
        pool,
    )


# Bounds.


@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.95])
@pytest.mark.parametrize(
    ("wrong", "total"), [(0, 1), (0, 45), (1, 77), (3, 20), (19, 20), (7, 300)]
)
def test_the_upper_bound_is_the_largest_share_that_so_few_mistakes_do_not_rule_out(
    wrong: int, total: int, confidence: float
):
    largest = brentq(lambda p: binom.cdf(wrong, total, p) - (1 - confidence), 1e-9, 1 - 1e-9)
    assert float(upper_bound(wrong, total, confidence)) == pytest.approx(largest, abs=1e-6)


def test_of_nothing_or_of_mistakes_alone_nothing_is_known():
    assert float(upper_bound(0, 0, 0.9)) == 1
    assert upper_bound(np.array([5.0, 0.0]), np.array([5.0, 5.0]), 0.9).tolist() == pytest.approx(
        [1, 1 - 0.1 ** (1 / 5)]
    )


@hypothesis_settings(deadline=None)  # a busy machine is no failure
@given(wrong=st.floats(0, 20), total=st.floats(1, 200), more=st.floats(0.01, 5))
def test_the_bound_of_weighted_counts_rises_with_mistakes_and_falls_with_draws(
    wrong: float, total: float, more: float
):
    bound = upper_bound(wrong, total, 0.9)
    assert upper_bound(wrong + more, total, 0.9) >= bound
    assert upper_bound(wrong, total + more, 0.9) <= bound


@pytest.mark.parametrize(("confidence", "needed"), [(0.9, [45, 77, 105]), (0.95, [59, 93, 124])])
def test_so_many_draws_are_needed_with_no_mistake_with_one_and_with_two(
    confidence: float, needed: list[int]
):
    settings = PromiseSettings(error=0.05, confidence=confidence)
    assert [draws_needed(settings, wrong) for wrong in range(3)] == needed


@pytest.mark.parametrize("error", [0.01, 0.05, 0.2, 0.9])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_no_fewer_draws_would_do(error: float, confidence: float):
    settings = PromiseSettings(error=error, confidence=confidence)
    for wrong in (0, 1, 4):
        n = np.arange(wrong + 1, 3000)
        smallest = n[np.argmax(binom.cdf(wrong, n, error) <= 1 - confidence)]
        assert draws_needed(settings, wrong) == smallest


# Which answers may stand.


def brute_force(draws: Draws, settings: PromiseSettings) -> list[bool]:
    """Which of the draws' certainties the lowest allowed threshold lets in: all thresholds are
    tried. Of the precision, from the highest with enough above it, until one fails."""
    let_in = [False] * len(draws)
    cuts = [*sorted(set(draws.certainty.tolist()), reverse=True), -np.inf]
    alpha = 1 - settings.confidence + 1e-12
    for cut in cuts:
        above = [c > cut for c in draws.certainty]
        wrong = sum(a and not r for a, r in zip(above, draws.right, strict=True))
        if settings.kind == "dataset":
            share = draws.open[0] / draws.pool
            fits = binom.cdf(wrong, len(draws), min(settings.error / share, 1)) <= alpha
            let_in = above if fits else let_in
        elif sum(above) >= draws_needed(settings):
            if binom.cdf(wrong, sum(above), settings.error) > alpha:
                break
            let_in = above
    return let_in


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ties", [False, True])
@hypothesis_settings(deadline=None, max_examples=60)
@given(
    m=st.integers(1, 150),
    error=st.sampled_from([0.02, 0.05, 0.1, 0.3]),
    confidence=st.sampled_from([0.8, 0.9, 0.95]),
    slope=st.floats(0, 0.6),
    open_=st.sampled_from([1000, 400]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_threshold_is_the_lowest_that_trying_all_of_them_allows(
    kind: Kind,
    ties: bool,
    m: int,
    error: float,
    confidence: float,
    slope: float,
    open_: int,
    seed: int,
):
    rng = np.random.default_rng(seed)
    certainty = rng.choice(np.linspace(0.5, 1, 8), m) if ties else rng.uniform(0.5, 1, m)
    right = rng.random(m) < 1 - 2 * slope * (1 - certainty)
    settings = PromiseSettings(error=error, confidence=confidence, kind=kind)
    draws = uniform(certainty, right, open_=open_)
    promise = keep_promise(draws, settings)
    assert (certainty > promise.threshold).tolist() == brute_force(draws, settings)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_promised_does_not_depend_on_the_order_of_the_draws(kind: Kind):
    certainty = np.array([0.99] * 44 + [0.9] * 6)
    right = np.array([True] * 49 + [False])  # one of those at 0.9 is wrong
    settings, rng = PromiseSettings(kind=kind), np.random.default_rng(0)
    orders = [rng.permutation(50) for _ in range(20)]
    found = [keep_promise(uniform(certainty[o], right[o]), settings) for o in orders]
    assert {p.threshold for p in found} == {keep_promise(uniform(certainty, right), settings)[0]}


@pytest.mark.parametrize("kind", KINDS)
def test_a_threshold_lets_in_strictly_more_certain_texts_only(kind: Kind):
    # 100 right ones, then mistakes: the first that is too much is not let in, nor its like.
    certainty = np.concatenate([np.linspace(0.99, 0.9, 100), np.linspace(0.8, 0.6, 20)])
    right = np.arange(120) < 100
    draws = uniform(certainty, right)
    threshold = keep_promise(draws, PromiseSettings(kind=kind)).threshold
    assert threshold in certainty
    let_in = certainty > threshold
    bound = upper_bound((~right[let_in]).sum(), 120 if kind == "dataset" else let_in.sum(), 0.9)
    assert bound <= 0.05
    assert let_in.sum() > 100
    one_more = certainty >= threshold
    bound = upper_bound((~right[one_more]).sum(), 120 if kind == "dataset" else one_more.sum(), 0.9)
    assert bound > 0.05


def test_certainties_that_are_equal_pass_together_or_not_at_all():
    right = np.concatenate([np.ones(100, bool), np.tile([True, False], 50)])
    draws = uniform(np.repeat([0.99, 0.9], 100), right)
    assert keep_promise(draws, PromiseSettings()).threshold == pytest.approx(0.9)
    # All alike: half of a tie can't be let through, so nothing is above the threshold.
    alike = uniform(np.ones(200), np.arange(200) >= 30)
    assert not (alike.certainty > keep_promise(alike, PromiseSettings()).threshold).any()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_promised_without_draws_or_with_too_few(kind: Kind):
    settings = PromiseSettings(kind=kind)
    assert keep_promise(None, settings) == Promise(np.inf, 0, 0.0, 0.0, 0.0, 45.0)
    assert keep_promise(uniform([], []), settings) == Promise(np.inf, 0, 0.0, 0.0, 0.0, 45.0)
    few = keep_promise(uniform([0.9] * 44, [True] * 44), settings)
    assert (few.threshold, few.more) == (np.inf, 1.0)
    enough = keep_promise(uniform([0.9] * 45, [True] * 45), settings)
    assert (enough.threshold, enough.more) == (-np.inf, 0.0)
    assert enough.bound == pytest.approx(1 - 0.1 ** (1 / 45))


@pytest.mark.parametrize("kind", KINDS)
def test_draws_that_never_fell_anywhere_promise_nothing(kind: Kind):
    draws = Draws(
        np.full(500, 0.9), np.ones(500, bool), np.full(500, 0.01), np.full(500, 900),
        np.zeros(500), 1000,
    )  # fmt: skip
    promise = keep_promise(draws, PromiseSettings(kind=kind))
    assert promise.threshold == np.inf
    assert promise.checked == 0
    assert estimate_accuracy(draws, np.full(9, 0.9)).total == 0


@hypothesis_settings(deadline=None)
@given(
    chance=st.lists(st.floats(1e-6, 1), min_size=1, max_size=30),
    anywhere=st.floats(0.01, 1),
    open_=st.integers(1, 1000),
)
def test_a_mistake_counts_at_most_one_and_less_where_it_was_likely_to_be_asked(
    chance: list[float], anywhere: float, open_: int
):
    m = len(chance)
    real = np.maximum(np.array(chance), anywhere / open_)  # as every draw's is
    draws = Draws(
        np.full(m, 0.5), np.zeros(m, bool), real, np.full(m, open_), np.full(m, anywhere), open_
    )
    promise = keep_promise(draws, PromiseSettings())
    assert promise.wrong == pytest.approx((anywhere / (real * open_)).sum())
    assert (draws.count <= 1 + 1e-9).all()
    assert promise.wrong <= m + 1e-6
    assert promise.checked == pytest.approx(anywhere * m)


def test_fewer_more_labels_are_needed_with_each_right_answer_and_more_with_a_mistake():
    right = [True] * 20
    more = [
        keep_promise(uniform([0.9] * (20 + i), [*right, *[True] * i]), PromiseSettings()).more
        for i in range(30)
    ]
    assert more == [max(25.0 - i, 0) for i in range(30)]
    mistake = keep_promise(uniform([0.9] * 21, [*right, False]), PromiseSettings())
    assert mistake.more == 77 - 21


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("open_", [1000, 500])
@pytest.mark.parametrize("wrong", [0, 1, 3])
def test_that_many_more_right_answers_let_it_answer_all(kind: Kind, open_: int, wrong: int):
    settings = PromiseSettings(kind=kind)
    certainty, right = [*[0.9] * 5, *[0.6] * wrong], [*[True] * 5, *[False] * wrong]
    promise = keep_promise(uniform(certainty, right, open_=open_), settings)
    more = int(np.ceil(promise.more))
    assert promise.threshold > 0.6
    assert more > 0
    after = uniform([*[0.95] * more, *certainty], [*[True] * more, *right], open_=open_)
    assert keep_promise(after, settings).threshold == -np.inf


def test_mistakes_among_the_surest_say_how_many_right_ones_outweigh_them():
    # Of the 45 surest two are wrong, so no precision is promised, in spite of all the rest.
    certainty, right = np.linspace(0.99, 0.6, 245), ~np.isin(np.arange(245), [19, 29])
    promise = keep_promise(uniform(certainty, right), PromiseSettings())
    assert promise.threshold == -np.inf  # of the whole data set few are wrong
    settings = PromiseSettings(kind="precision")
    promise = keep_promise(uniform(certainty, right), settings)
    assert promise.threshold == np.inf
    assert promise.more == pytest.approx(77 * 245 / 20 - 245)
    # So many more, as certain as those before.
    more = int(np.ceil(promise.more))
    after = uniform([*certainty, *np.resize(certainty, more)], [*right, *[True] * more])
    assert keep_promise(after, settings).threshold == -np.inf


def test_precision_counts_a_draw_by_what_it_is_worth() -> None:
    """Sure texts are drawn by hardly anything but the part that falls anywhere: each is a uniform
    draw, and of the others few are."""
    sure, unsure, open_ = 60, 180, 1000
    chance = np.r_[np.full(sure, 0.25 / open_), np.full(unsure, 5 / open_)]
    draws = Draws(
        np.r_[np.linspace(1, 0.9, sure), np.linspace(0.8, 0.5, unsure)],
        np.arange(sure + unsure) < sure + 90,
        chance,
        np.full(sure + unsure, open_),
        np.full(sure + unsure, 0.25),
        open_,
    )
    promise = keep_promise(draws, PromiseSettings(kind="precision"))
    assert 0.5 < promise.threshold < 0.7  # in the midst of the others, as mistakes begin there
    assert promise.bound <= 0.05


def with_labels_that_nobody_drew(draws: Draws, n: int, rng: np.random.Generator) -> Draws:
    """As many wrong and right ones, of any certainty, anywhere among the draws."""
    at = np.sort(rng.integers(len(draws.right) + 1, size=n))
    columns = {
        "certainty": rng.uniform(0.5, 1, n),
        "right": rng.random(n) < 0.5,
        "chance": np.full(n, np.nan),
        "open": np.zeros(n, dtype=int),
        "anywhere": np.zeros(n),
    }
    both = {name: np.insert(getattr(draws, name), at, new) for name, new in columns.items()}
    return Draws(**both, pool=draws.pool)


@pytest.mark.parametrize("kind", KINDS)
@hypothesis_settings(deadline=None, max_examples=40)
@given(m=st.integers(0, 150), n=st.integers(1, 50), seed=st.integers(0, 2**32 - 1))
def test_labels_that_nobody_drew_prove_nothing(kind: Kind, m: int, n: int, seed: int):
    rng = np.random.default_rng(seed)
    certainty = rng.uniform(0.5, 1, m)
    drawn = uniform(certainty, rng.random(m) < 1 - 0.4 * (1 - certainty))
    both, settings = with_labels_that_nobody_drew(drawn, n, rng), PromiseSettings(kind=kind)
    assert (len(both), both.uniform, both.count.sum()) == (m, m, pytest.approx(m))
    before, after = (keep_promise(d, settings) for d in (drawn, both))
    assert after.checked == before.checked
    assert after.more == before.more
    open_ = rng.uniform(0.5, 1, 500)
    first = surest(open_, before).tolist()
    assert surest(open_, after).tolist() == first


def test_no_more_texts_are_answered_than_lie_above_the_threshold_by_the_draws():
    # Held out, half of the draws are above it; of those that are open the model is surer.
    certainty = np.linspace(1, 0.5, 200)
    draws = uniform(certainty, np.arange(200) < 100)
    promise = keep_promise(draws, PromiseSettings())
    above = int((certainty > promise.threshold).sum())
    assert 100 < above < 110
    assert promise.most == 1000 * above // 200
    open_ = np.random.default_rng(0).permutation(np.linspace(0.9, 1, 900))
    rows = surest(open_, promise)
    assert len(rows) == promise.most
    assert open_[rows].tolist() == sorted(open_, reverse=True)[: promise.most]
    # Where the model is less sure, the threshold is what limits it.
    assert len(surest(np.linspace(0.5, 0.8, 900), promise)) < promise.most
    everything = keep_promise(uniform(certainty, np.ones(200, bool)), PromiseSettings())
    assert len(surest(np.zeros(900), everything)) == 900


# The accuracy.


def test_the_formula_of_the_estimated_accuracy():
    rng = np.random.default_rng(0)
    anywhere, open_ = np.repeat([0.65, 0.2], 20), 300 - np.arange(40)
    chance = (anywhere + (1 - anywhere) * 2 * rng.random(40)) / open_
    drawn = Draws(rng.uniform(0.5, 1, 40), rng.random(40) < 0.8, chance, open_, anywhere, 300)
    draws = with_labels_that_nobody_drew(drawn, 7, rng)
    certainty = rng.uniform(0.5, 1, 253)
    n, rows = len(certainty), [j for j, share in enumerate(draws.anywhere) if share]
    c, wrong = draws.certainty, [float(not r) for r in draws.right]
    unsure = 1 + sum(x * (1 - x) for x in certainty)
    share = {j: draws.anywhere[j] ** 0.5 / draws.open[j] for j in rows}
    share = {j: s / (unsure + sum(x * (1 - x) for x in c[j:])) for j, s in share.items()}
    share = {j: s / sum(share.values()) for j, s in share.items()}

    def said(values: Sequence[float], j: int) -> float:
        """Of all that were open to draw j, less what has a label since."""
        return (values[j] / draws.chance[j] - sum(values[j:])) / n

    def off(belief: float) -> dict[int, float]:
        model = sum(1 - x for x in certainty) / n
        return {j: said(wrong, j) - belief * (said(1 - c, j) - model) for j in rows}

    def spread(values: dict[int, float]) -> float:
        mean = sum(share[j] * x for j, x in values.items())
        return sum(share[j] ** 2 * (x - mean) ** 2 for j, x in values.items())

    # The belief of least spread, half of the way from 1: 40 draws against 40 as the model expects.
    plain, believed = off(0.0), off(1.0)
    model_only = {j: plain[j] - believed[j] for j in rows}
    squares = sum(share[j] ** 2 * x**2 for j, x in model_only.items())
    mean = sum(share[j] * x for j, x in believed.items())
    slope = sum(share[j] ** 2 * x * (believed[j] - mean) for j, x in model_only.items())
    found = off(1 + slope / squares * 40 / 80)
    error = sum(share[j] * x for j, x in found.items())
    assert spread(found) < spread(believed)
    expected = sum((share[j] / draws.chance[j] / n) ** 2 * c[j] * (1 - c[j]) for j in rows)
    variance = (40 * spread(found) + 40 * expected) / 80
    for confidence in (0.9, 0.5):
        tail = (1 + confidence) / 2
        effective = 1 / sum(s**2 for s in share.values())
        wider = (t.ppf(tail, effective - 1) / norm.ppf(tail)) ** 2
        worth = error * (1 - error) / (variance * wider)
        estimate = estimate_accuracy(draws, certainty, confidence)
        low, high = beta((1 - error) * worth + 0.5, error * worth + 0.5).interval(confidence)
        assert estimate.value == pytest.approx(1 - error)
        assert (estimate.low, estimate.high) == pytest.approx((low, high))
        assert (estimate.total, estimate.confidence) == (40, confidence)


def test_an_error_of_nearly_none_by_luck_has_the_interval_of_one_that_is_likely():
    rng = np.random.default_rng(2)
    draws = uniform(rng.uniform(0.8, 1, 100), [True] * 100)
    estimate = estimate_accuracy(draws, np.full(900, 0.95))
    assert estimate.value > 0.99
    # 100 uniform draws without a mistake: at most 3 % by Clopper and Pearson's interval of 90 %.
    assert 0.94 < estimate.low < 0.98


def test_a_certainty_that_means_nothing_is_not_believed():
    # It says 0.55 or 0.95 and is right in 9 of 10 either way. By chance the draws hold more of the
    # sure ones, so that whoever believes it takes the others for worse.
    certainty, right = np.tile([0.95, 0.95, 0.95, 0.55], 100), np.arange(400) % 10 > 0
    draws = uniform(certainty, right)
    open_ = 1000 - np.arange(400)
    draws = replace(draws, open=open_, chance=1 / open_)
    estimate = estimate_accuracy(draws, np.tile([0.95, 0.55], 300))
    believed = np.tile([0.95, 0.55], 300).mean() + (right - certainty).mean()
    assert believed < 0.81
    assert estimate.value == pytest.approx(0.9, abs=0.01)


def test_a_model_that_was_never_wrong_is_not_called_perfect():
    estimate = estimate_accuracy(uniform([1.0] * 40, [True] * 40), np.ones(100))
    assert 0.98 < estimate.value < 1
    assert estimate.low < estimate.value < estimate.high <= 1
    worst = estimate_accuracy(uniform([1.0] * 40, [False] * 40), np.ones(100))
    assert 0 < worst.value < 0.02


def test_without_draws_or_open_texts_no_accuracy_is_estimated():
    draws = uniform([0.9] * 5, [True] * 5)
    for nothing in (
        estimate_accuracy(None, np.ones(3)),
        estimate_accuracy(uniform([], []), np.ones(3)),
        estimate_accuracy(draws, np.zeros(0)),
    ):
        assert (nothing.low, nothing.high, nothing.total) == (0, 1, 0)
        assert str(nothing) == "not known yet"
    assert "from 5 draws" in str(estimate_accuracy(draws, np.full(9, 0.9)))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rule": "sometimes"}, "rule must be one of promise, fixed, off, not 'sometimes'"),
        ({"kind": "recall"}, "kind must be one of dataset, precision, not 'recall'"),
        ({"error": 0.0}, "error must lie between 0 and 1, both excluded"),
        ({"error": 5}, "error must lie between 0 and 1, both excluded"),
        ({"confidence": 1.0}, "confidence must lie between 0 and 1, both excluded"),
        ({"certainty": 1.1}, "certainty must lie between 0 and 1"),
    ],
)
def test_settings_that_make_no_sense_are_named(wrong: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=f"^{message}$"):
        PromiseSettings(**wrong)
