from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from scripts.active_learning.draw import DrawSettings
from scripts.active_learning.plan import Machine, StepSettings, in_words, let_answer, plan_step
from scripts.active_learning.proof import NOTHING, Draws, Promise, PromiseSettings
from scripts.active_learning.query import STRATEGIES, QueryState


def pool(n: int, k: int = 3, labelled: int = 5, seed: int = 0) -> QueryState:
    rng = np.random.default_rng(seed)
    return QueryState(
        probs=rng.dirichlet(np.full(k, 0.3), size=n),
        embeddings=rng.normal(size=(n, 8)),
        labelled_embeddings=rng.normal(size=(labelled, 8)),
        labelled_probs=rng.dirichlet(np.ones(k), size=labelled),
    )


def draws(right: int, wrong: int = 0, pool: int = 1000, anywhere: float = 1.0) -> Draws:
    """Uniform draws: the mistakes are the less certain ones."""
    m = right + wrong
    return Draws(
        np.concatenate([np.linspace(0.99, 0.8, right), np.linspace(0.7, 0.5, wrong)]),
        np.arange(m) < right,
        np.full(m, 1 / pool),
        np.full(m, pool),
        np.full(m, anywhere),
        pool,
    )


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@hypothesis_settings(deadline=None)  # a busy machine is no failure
@given(
    n=st.integers(0, 60),
    batch=st.integers(0, 20),
    strategy=st.sampled_from(["margin", "margin_sampling", "random"]),
    right=st.integers(0, 100),
    seed=st.integers(0, 5),
)
def test_a_plan_never_asks_a_text_twice(n: int, batch: int, strategy: str, right: int, seed: int):
    settings = StepSettings(batch_size=batch, strategy=STRATEGIES[strategy])
    plan = plan_step(pool(n), settings, np.random.default_rng(seed), draws(right, 2))
    asked = plan.drawn.rows.tolist()
    assert len(set(asked)) == len(asked) == min(batch, n)
    assert set(asked) <= set(range(n))
    answered = plan.machine.rows.tolist()
    assert len(set(answered)) == len(answered) == len(plan.machine.labels)
    assert plan.machine.open == n


def test_the_machine_answers_only_above_the_threshold_the_surest_first():
    state, proof = pool(500), draws(100, 20)
    machine = plan_step(state, StepSettings(), rng(), proof).machine
    assert machine.promise is not None
    assert 0.5 < machine.promise.threshold < 0.7
    certainty = state.probs.max(axis=1)
    assert set(machine.rows) == set(np.flatnonzero(certainty > machine.promise.threshold))
    assert 0 < len(machine.rows) < 500 <= machine.promise.most
    assert (np.diff(certainty[machine.rows]) <= 0).all()
    assert (machine.labels == state.probs[machine.rows].argmax(axis=1)).all()
    assert not machine.covers


def test_with_too_few_draws_the_machine_answers_nothing_and_with_enough_right_ones_all():
    for few in (None, draws(44)):
        machine = plan_step(pool(200), StepSettings(), rng(), few).machine
        assert not len(machine.rows)
        assert not machine.covers
    machine = plan_step(pool(200), StepSettings(), rng(), draws(45)).machine
    assert len(machine.rows) == 200
    assert machine.covers


def test_the_fixed_rule_answers_above_its_certainty_whatever_was_drawn():
    probs = np.array([[0.95, 0.05], [0.9, 0.1], [0.6, 0.4], [0.01, 0.99]])
    state = QueryState(probs, labelled_embeddings=np.ones((2, 3)))
    settings = StepSettings(promise=PromiseSettings("fixed", certainty=0.9))
    for proof in (None, draws(0, 50)):
        machine = plan_step(state, settings, rng(), proof).machine
        assert machine.rows.tolist() == [0, 3]  # 0.9 itself is not above 0.9
        assert machine.labels.tolist() == [0, 1]
        assert machine.promise is None
        assert not machine.covers
        assert machine.wrong_at_most("dataset") == (0, 0)


def test_with_the_rule_off_people_answer_all():
    settings = StepSettings(promise=PromiseSettings("off"))
    plan = plan_step(pool(50), settings, rng(), draws(500))
    assert not len(plan.machine.rows)
    assert plan.machine.promise is None
    assert len(plan.drawn.rows) == settings.batch_size
    # What the model is worth is known all the same.
    assert plan.machine.accuracy.total == 500


def test_without_labels_the_cold_start_picks_and_no_chance_did():
    settings = StepSettings(batch_size=4, cold_start=STRATEGIES["fifo"])
    drawn = plan_step(pool(10, labelled=0), settings, rng(), None).drawn
    assert drawn.rows.tolist() == [0, 1, 2, 3]
    assert np.isnan(drawn.chance).all()
    assert not drawn.anywhere.any()


@pytest.mark.parametrize("rule", ["off", "fixed", "promise"])
def test_without_labels_the_machine_answers_nothing_under_any_rule(rule):
    sure = QueryState(np.tile([0.99, 0.01], (10, 1)), embeddings=np.eye(10))
    settings = StepSettings(batch_size=4, promise=PromiseSettings(rule))
    plan = plan_step(sure, settings, rng(), draws(100))
    assert not len(plan.machine.rows)
    assert len(plan.drawn.rows) == 4


@pytest.mark.parametrize(
    ("labels", "proof", "rule", "error", "share"),
    [
        (39, None, "promise", 0.05, 0.2),  # first it is taught
        (39, draws(44), "promise", 0.05, 0.2),
        (40, None, "promise", 0.05, 0.8),
        (90, draws(44), "promise", 0.05, 0.8),
        (90, draws(45), "promise", 0.05, 0.2),
        (90, draws(40, 5), "promise", 0.05, 0.2),  # mistakes don't make more worth their while
        (90, draws(89, anywhere=0.5), "promise", 0.05, 0.8),  # worth 44.5
        (90, draws(90, anywhere=0.5), "promise", 0.05, 0.2),
        (90, draws(45), "promise", 0.02, 0.8),  # 114 for this one
        (120, draws(114), "promise", 0.02, 0.2),
        (90, None, "fixed", 0.05, 0.2),
        (90, None, "off", 0.05, 0.2),
        # What waits was drawn before what comes now: label number 39, then 40.
        (20, replace(draws(10), waiting=19), "promise", 0.05, 0.2),
        (20, replace(draws(10), waiting=20), "promise", 0.05, 0.8),
        # Of those that wait the late ones were drawn to prove: 32 and 0.8 * 16, 0.8 * 17.
        (36, replace(draws(32), waiting=20), "promise", 0.05, 0.8),
        (37, replace(draws(32), waiting=20), "promise", 0.05, 0.2),
    ],
)
def test_once_the_model_is_taught_more_draws_fall_anywhere_until_they_can_prove_something(
    labels, proof, rule, error, share
):
    settings = StepSettings(
        draw=DrawSettings(anywhere=0.2, prove=0.8, teach=40), promise=PromiseSettings(rule, error)
    )
    drawn = plan_step(pool(50, labelled=labels), settings, rng(), proof).drawn
    assert drawn.anywhere.tolist() == [share] * settings.batch_size


def test_several_labels_a_text():
    probs = np.array([[0.999, 0.001], [0.999, 0.6]])
    state = QueryState(probs, labelled_embeddings=np.ones((1, 2)), label_threshold=0.5)
    settings = StepSettings(batch_size=1, promise=PromiseSettings("fixed", certainty=0.9))
    machine = plan_step(state, settings, rng(), None).machine
    assert machine.rows.tolist() == [0]  # an answer is as sure as its weakest label
    assert machine.labels.tolist() == [[1, 0]]


def machine_of(
    answered: int, promise: Promise | None, open_: int = 800, pool: int = 1000
) -> Machine:
    return Machine(
        np.arange(answered), np.zeros(answered, dtype=int), open_, pool, NOTHING, promise
    )


def test_what_is_wrong_at_most_is_of_the_data_set_or_of_the_machines_labels():
    machine = machine_of(400, Promise(0.6, 999, 0.04, 100, 2, 5))
    assert machine.wrong_at_most("dataset") == pytest.approx((0.04, 0.1))
    assert machine.wrong_at_most("precision") == pytest.approx((0.016, 0.04))
    # The other way round it is the same again.
    back = machine_of(400, Promise(0.6, 999, 0.1, 100, 2, 5))
    assert back.wrong_at_most("precision") == pytest.approx((0.04, 0.1))
    assert machine_of(10, Promise(0.6, 999, 0.04, 100, 2, 5)).wrong_at_most("dataset")[1] == 1
    assert machine_of(0, Promise(np.inf, 999, 0.0, 9, 0, 36)).wrong_at_most("dataset") == (0, 0)


def test_the_words_say_what_is_promised_with_both_figures_and_what_it_takes_to_finish():
    machine = machine_of(400, Promise(0.6, 999, 0.04, 100.4, 1.8, 5.2))
    promise, todo = in_words(machine, PromiseSettings())
    assert promise == (
        "the machine answers 400 of the 800 texts that people have not labelled (50 %); with 90 % "
        "confidence at most 5 % of all labels are wrong if people label the rest (of the "
        "machine's labels alone at most 10.0 %)"
    )
    assert todo == "2 wrong of 100 checked so far: 6 more right ones would let it answer all"

    promise, todo = in_words(machine, PromiseSettings(kind="precision", error=0.04))
    assert "at most 4 % of its labels are wrong" in promise
    assert "of all labels at most 1.6 %, if people label the rest" in promise
    nearly = machine_of(400, Promise(0.6, 999, 0.04, 44.6, 0, 0.4))
    assert "1 more right one would" in in_words(nearly, PromiseSettings())[1]


def test_the_words_of_a_machine_that_may_not_answer_yet_or_may_answer_all():
    (nothing,) = in_words(machine_of(0, Promise(np.inf, 999, 0.0, 9, 0, 36)), PromiseSettings())
    assert nothing == (
        "the machine may not answer anything yet at 90 % confidence; 0 wrong of 9 checked so far: "
        "36 more right ones would let it answer all"
    )
    _, todo = in_words(machine_of(800, Promise(-np.inf, 999, 0.05, 45, 0, 0)), PromiseSettings())
    assert "0 wrong of 45 checked so far" in todo
    assert "nothing is left to label, `weasel run finish` finishes it" in todo
    _, todo = in_words(machine_of(80, Promise(0.9, 999, 0.05, 99, 30, 600)), PromiseSettings())
    assert "too many for it to answer all: people label the rest, or leave it open" in todo
    # A hard promise takes many labels, and no mistake is not too many.
    promise = Promise(np.inf, 999, 0.0, 10, 0, 219)
    (hard,) = in_words(machine_of(0, promise), PromiseSettings(error=0.01))
    assert "0 wrong of 10 checked so far: 219 more right ones would let it answer all" in hard


def test_the_words_of_the_other_rules_promise_nothing():
    (fixed,) = in_words(machine_of(1, None, open_=1), PromiseSettings("fixed", certainty=0.8))
    assert fixed == (
        "the machine answers 1 of the 1 text that people have not labelled (100 %): all above a "
        "certainty of 0.8, whatever that is worth"
    )
    (off,) = in_words(machine_of(0, None), PromiseSettings("off"))
    assert off == "the machine answers nothing: [loop.promise] rule is off"


def test_the_words_say_what_a_step_decides():
    settings = PromiseSettings()
    for proof in (None, draws(44), draws(45), draws(100, 20), draws(50, 100)):
        machine = let_answer(pool(300), settings, proof)
        words = " ".join(in_words(machine, settings))
        assert ("may not answer anything" in words) == (not len(machine.rows))
        assert ("nothing is left to label" in words) == machine.covers
