import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from scripts.active_learning.autovalidation import (
    Evidence,
    MachineLabels,
    ValidationSettings,
    measured_precision,
)
from scripts.active_learning.plan import StepSettings, plan_step
from scripts.active_learning.query import STRATEGIES, QueryState


def pool(n: int, k: int = 3, labelled: int = 5, seed: int = 0) -> QueryState:
    rng = np.random.default_rng(seed)
    return QueryState(
        probs=rng.dirichlet(np.full(k, 0.3), size=n),
        embeddings=rng.normal(size=(n, 8)),
        labelled_embeddings=rng.normal(size=(labelled, 8)),
        labelled_probs=rng.dirichlet(np.ones(k), size=labelled),
    )


def good_evidence(n: int = 1000, k: int = 3, seed: int = 1) -> Evidence:
    """A calibrated model: each answer is right as often as its certainty says."""
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(k, 0.1), size=n)
    labels = np.array([rng.choice(k, p=p) for p in probs])
    return Evidence(probs, labels)


def test_the_tutorials_rule_splits_the_batch_that_the_strategy_took():
    probs = np.array([[0.95, 0.05], [0.9, 0.1], [0.6, 0.4], [0.99, 0.01]])
    state = QueryState(probs, labelled_embeddings=np.ones((2, 3)))
    settings = StepSettings(
        batch_size=3,
        strategy=STRATEGIES["fifo"],
        validation=ValidationSettings("fixed", certainty=0.9, audit_share=0),
    )
    plan = plan_step(state, settings, np.random.default_rng(0))
    assert plan.auto.tolist() == [0]  # 0.9 itself is not above 0.9, row 3 was not in the batch
    assert plan.auto_labels.tolist() == [0]
    assert plan.query.tolist() == [1, 2]


@hypothesis_settings(deadline=None)  # a busy machine is no failure
@given(n=st.integers(0, 60), batch=st.integers(0, 20), seed=st.integers(0, 5))
def test_a_plan_never_gives_a_text_to_both_people_and_machine(n, batch, seed):
    settings = StepSettings(batch_size=batch, random_share=0.3)
    plan = plan_step(pool(n), settings, np.random.default_rng(seed), good_evidence())
    both = np.concatenate([plan.query, plan.auto])
    assert len(set(both.tolist())) == len(both)
    assert set(plan.audit) <= set(plan.auto)
    assert set(plan.sample) <= set(plan.query)
    assert len(plan.query) == min(batch, n - len(plan.auto))
    assert len(plan.auto_labels) == len(plan.auto)


def test_thin_evidence_validates_nothing_and_says_so():
    few = Evidence(np.array([[0.99, 0.005, 0.005]] * 40), np.zeros(40, dtype=int))
    for evidence in (None, few):
        plan = plan_step(pool(200), StepSettings(), np.random.default_rng(0), evidence)
        assert not len(plan.auto)
        assert np.isinf(plan.thresholds).all()
        assert any("no texts by itself yet" in reason for reason in plan.reasons)


def test_enough_evidence_validates_the_sure_ones_over_the_whole_pool():
    plan = plan_step(pool(500), StepSettings(), np.random.default_rng(0), good_evidence())
    assert len(plan.auto) > 20
    sure = pool(500).probs[plan.auto].max(axis=1)
    assert (sure >= plan.thresholds.min()).all()


def test_audits_take_their_share_in_the_long_run():
    settings = StepSettings(validation=ValidationSettings(audit_share=0.1))
    rng = np.random.default_rng(0)
    plans = [plan_step(pool(300, seed=i), settings, rng, good_evidence()) for i in range(20)]
    share = sum(len(p.audit) for p in plans) / sum(len(p.auto) for p in plans)
    assert share == pytest.approx(0.1, abs=0.02)


def test_a_share_of_a_small_batch_is_drawn_at_random_now_and_then():
    settings = StepSettings(batch_size=5, random_share=0.1)
    rng = np.random.default_rng(0)
    sizes = [len(plan_step(pool(50), settings, rng).sample) for _ in range(200)]
    assert set(sizes) == {0, 1}
    assert np.mean(sizes) == pytest.approx(0.5, abs=0.1)


def test_without_labels_the_cold_start_strategy_picks():
    settings = StepSettings(batch_size=4, cold_start=STRATEGIES["fifo"])
    plan = plan_step(pool(10, labelled=0), settings, np.random.default_rng(0))
    assert plan.query.tolist() == [0, 1, 2, 3]


def test_without_labels_the_machine_answers_nothing_under_any_rule():
    sure = QueryState(np.tile([0.99, 0.01], (10, 1)), embeddings=np.eye(10))
    for rule in ("off", "fixed", "precision"):
        settings = StepSettings(batch_size=4, validation=ValidationSettings(rule))
        plan = plan_step(sure, settings, np.random.default_rng(0), good_evidence(k=2))
        assert not len(plan.auto)
        assert len(plan.query) == 4


def test_machine_answers_go_back_when_contradicted_or_when_the_audit_breaks_the_promise():
    probs = np.array([[0.99, 0.01, 0], [0.5, 0.3, 0.2], [0.1, 0.9, 0]])
    labels = np.array([0, 0, 0])  # the last is contradicted, the second only unsure
    settings, rng = StepSettings(), np.random.default_rng(0)
    kept = measured_precision(np.zeros(50, dtype=int), np.zeros(50, dtype=int))
    plan = plan_step(pool(9), settings, rng, good_evidence(), MachineLabels(probs, labels, kept))
    assert plan.withdraw.tolist() == [2]
    broken = measured_precision(np.zeros(50, dtype=int), np.arange(50) % 5)
    plan = plan_step(pool(9), settings, rng, good_evidence(), MachineLabels(probs, labels, broken))
    assert plan.withdraw.tolist() == [1, 2]
    assert any("below the target" in reason for reason in plan.reasons)


def test_several_labels_a_text():
    probs = np.array([[0.999, 0.001], [0.999, 0.6]])
    state = QueryState(probs, labelled_embeddings=np.ones((1, 2)), label_threshold=0.5)
    evidence = Evidence(np.tile([0.999, 0.001], (300, 1)), np.tile([1, 0], (300, 1)))
    plan = plan_step(state, StepSettings(batch_size=1), np.random.default_rng(0), evidence)
    assert plan.auto.tolist() == [0]
    assert plan.auto_labels.tolist() == [[1, 0]]
