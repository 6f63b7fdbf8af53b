import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from scripts.active_learning.autovalidation import (
    Evidence,
    MachineLabels,
    ValidationSettings,
    choose_threshold,
    choose_thresholds,
    doubtful,
    evidence_needed,
    lower_bound,
    measure,
    passes,
    worth_probing,
)


def test_bounds_are_clopper_and_pearsons():
    # 149 of 149 is the known least evidence for 98 % at 95 %.
    assert evidence_needed(0.98, 0.95) == 149
    assert lower_bound(149, 149, 0.95) >= 0.98 > lower_bound(148, 148, 0.95)
    assert lower_bound(0, 10, 0.95) == 0
    half = measure(5, 10)
    assert half.low == pytest.approx(0.187, abs=1e-3)
    assert half.high == pytest.approx(0.813, abs=1e-3)
    assert (measure(0, 0).low, measure(0, 0).high) == (0, 1)
    assert "not measured" in str(measure(0, 0))


@pytest.mark.parametrize(("slope", "n"), [(0.05, 200), (0.15, 400), (0.4, 1000)])
def test_the_promised_precision_holds_as_often_as_it_is_promised(slope, n):
    """Answers are right with a chance that rises with certainty; the threshold found may let in
    less than the target in at most a tenth of many runs."""
    rng = np.random.default_rng(0)
    broken = found = 0
    runs = 150
    for _ in range(runs):
        certainty = rng.random(n)
        right = rng.random(n) < 1 - slope * (1 - certainty)
        threshold = choose_threshold(certainty, right, target=0.95, confidence=0.9)
        if np.isfinite(threshold):
            found += 1
            true_precision = 1 - slope * (1 - threshold) / 2  # mean over the uniform above it
            broken += true_precision < 0.95
    assert broken <= 0.1 * runs + 2 * np.sqrt(runs * 0.1 * 0.9)
    assert found > 0.3 * runs  # the promise is not kept by never promising


@hypothesis_settings(deadline=None)  # a busy machine is no failure
@given(st.integers(0, 2**32 - 1))
def test_a_higher_target_never_lets_more_through(seed):
    rng = np.random.default_rng(seed)
    certainty = rng.random(300).round(2)
    right = rng.random(300) < certainty**0.1
    low, high = (choose_threshold(certainty, right, t, 0.8) for t in (0.8, 0.95))
    assert low <= high


def test_certainties_that_are_equal_pass_together_or_not_at_all():
    certainty = np.repeat([0.99, 0.9], 100)
    right = np.concatenate([np.ones(100, bool), np.tile([True, False], 50)])
    threshold = choose_threshold(certainty, right, 0.95, 0.9)
    assert threshold == pytest.approx(0.99)
    # All alike: half of a tie can't be let through, so 95 % of it right is not enough for 98 %.
    assert choose_threshold(np.ones(200), np.arange(200) >= 10, 0.98, 0.9) == float("inf")


def test_nothing_is_validated_on_thin_evidence():
    assert choose_threshold(np.zeros(0), np.zeros(0, bool), 0.98, 0.9) == float("inf")
    assert choose_threshold(np.ones(100), np.ones(100, bool), 0.98, 0.9) == float("inf")
    assert choose_threshold(np.ones(200), np.ones(200, bool), 0.98, 0.9) == 1.0


def test_each_class_gets_the_threshold_it_deserves():
    rng = np.random.default_rng(0)
    n = 1500
    labels = rng.integers(2, size=n)
    certainty = rng.uniform(0.5, 1, size=n)
    predicted = labels.copy()
    # Class 0 is always right when predicted; what is predicted as class 1 often isn't below 0.9.
    flip = (certainty < 0.9) & (rng.random(n) < 0.4) & (labels == 0)
    predicted[flip] = 1
    probs = np.where(predicted[:, None] == [0, 1], certainty[:, None], 1 - certainty[:, None])
    evidence = Evidence(probs, labels)
    own, _ = choose_thresholds(ValidationSettings(), 2, evidence)
    assert own[0] < 0.6
    assert own[1] > 0.85
    shared, _ = choose_thresholds(ValidationSettings(per_class=False), 2, evidence)
    assert shared[0] == shared[1]


def test_a_failed_audit_raises_the_threshold():
    rng = np.random.default_rng(0)
    certainty = rng.uniform(0.5, 1, size=1000)
    probs = np.stack([certainty, 1 - certainty], axis=1)
    labels = np.zeros(1000, dtype=int)
    before, _ = choose_thresholds(ValidationSettings(), 2, Evidence(probs, labels))
    audited = np.zeros(1000, dtype=bool)
    audited[:40] = True
    labels[np.flatnonzero(audited & (certainty < 0.7))[:3]] = 1
    after, _ = choose_thresholds(ValidationSettings(), 2, Evidence(probs, labels, audited))
    assert after.min() > before.min()
    kept = audited & (certainty >= after.min())
    assert (labels[kept] == 0).mean() >= 0.98


def test_probes_go_where_they_could_soonest_unlock_most():
    certainty = np.array([0.95] * 30 + [0.6] * 30)
    probs = np.stack([certainty, 1 - certainty], axis=1)
    labels = np.array([0] * 30 + [0, 1] * 15)  # sure answers are right, unsure ones half the time
    evidence = Evidence(probs, labels)
    pool = np.array([[0.97, 0.03]] * 900 + [[0.6, 0.4]] * 900)
    rows, why = worth_probing(ValidationSettings(), pool, evidence, names=["yes", "no"])
    assert set(rows.tolist()) == set(range(900))
    assert "more answers in all classes above a certainty of 0.95" in why[0]
    # Too few texts to be worth the answers, nothing known, another rule: no probes.
    assert not len(worth_probing(ValidationSettings(), pool[:100], evidence)[0])
    assert not len(worth_probing(ValidationSettings(), pool, None)[0])
    assert not len(worth_probing(ValidationSettings("off"), pool, evidence)[0])


def test_probes_skip_a_class_that_spoils_the_rest():
    first = np.arange(80) < 40
    probs = np.where(first[:, None], [0.9, 0.1], [0.1, 0.9])
    labels = np.where(first, 0, np.arange(80) % 2)  # predicted as the second: half are wrong
    pool = np.array([[0.95, 0.05]] * 700 + [[0.05, 0.95]] * 700)
    rows, why = worth_probing(
        ValidationSettings(), pool, Evidence(probs, labels), names=["yes", "no"]
    )
    assert set(rows.tolist()) == set(range(700))
    assert "in yes" in why[0]


def test_the_fixed_rule_needs_no_evidence_and_off_validates_nothing():
    fixed, _ = choose_thresholds(ValidationSettings("fixed", certainty=0.9), 2, None)
    probs = np.array([[0.9, 0.1], [0.91, 0.09]])
    assert passes(probs, fixed).tolist() == [False, True]
    off, reasons = choose_thresholds(ValidationSettings("off"), 2, None)
    assert not passes(np.array([[1.0, 0.0]]), off).any()
    assert "off" in reasons[0]


def test_an_answer_with_several_labels_is_as_sure_as_its_weakest():
    probs = np.array([[0.99, 0.01], [0.99, 0.3]])
    assert passes(probs, np.array([0.9, 0.9]), label_threshold=0.5).tolist() == [True, False]
    machine = MachineLabels(probs, np.array([[1, 0], [1, 1]]))
    rows, _ = doubtful(machine, np.full(2, 0.9), ValidationSettings(), label_threshold=0.5)
    assert rows.tolist() == [1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rule": "sometimes"}, '"off", "fixed" or "precision"'),
        ({"target": 1.0}, "target"),
        ({"audit_share": 5}, "audit_share"),
    ],
)
def test_settings_that_make_no_sense_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        ValidationSettings(**wrong)
