import itertools

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from scripts.active_learning.autovalidation import ValidationSettings
from scripts.active_learning.plan import StepSettings
from scripts.active_learning.simulate import Corpus, SimulationSettings, at_budgets, simulate


def corpus(n=400, k=3, noise=0.0, seed=0) -> Corpus:
    rng = np.random.default_rng(seed)
    labels = rng.integers(k, size=2 * n)
    points = np.eye(8)[labels] + 0.35 * rng.normal(size=(2 * n, 8))
    answers = np.where(rng.random(n) < noise, (labels[:n] + 1) % k, labels[:n])
    return Corpus(points[:n], answers, labels[:n], points[n:], labels[n:], k)


def fit(embeddings, labels, weight):
    if len(np.unique(labels)) == 1:
        return lambda X: np.tile(np.eye(3)[labels[0]], (len(X), 1))
    model = LogisticRegression(C=10).fit(embeddings, labels, sample_weight=weight)

    def predict(X):
        probs = np.zeros((len(X), 3))
        if len(X):
            probs[:, model.classes_] = model.predict_proba(X)
        return probs

    return predict


def run(step=None, seed=0, data=None, **settings):
    return simulate(
        data or corpus(),
        fit,
        step or StepSettings(batch_size=20),
        SimulationSettings(**settings),
        np.random.default_rng(seed),
    )


def test_the_budget_is_spent_to_the_last_label_and_no_text_is_asked_twice():
    snapshots = run(budget=75, start=10)
    assert snapshots[0].labels == 10
    assert snapshots[-1].labels == 75
    assert len(set(snapshots[-1].asked.tolist())) == 75
    assert all(b.labels > a.labels for a, b in itertools.pairwise(snapshots))


def test_a_pool_that_runs_out_ends_the_loop():
    assert run(budget=10_000, data=corpus(n=60))[-1].labels <= 60


def test_the_model_learns_and_the_same_seed_repeats_itself():
    data = corpus()
    first, again = run(budget=100), run(budget=100)
    assert first[-1].asked.tolist() == again[-1].asked.tolist()
    accuracy = [(s.predicted == data.test_labels).mean() for s in first]
    assert accuracy[-1] > 0.85


def test_validated_texts_are_right_about_as_often_as_promised_and_some_are_audited():
    step = StepSettings(
        batch_size=20,
        random_share=0.3,
        validation=ValidationSettings(target=0.9, confidence=0.8, audit_share=0.1),
    )
    ends = [run(step, seed, corpus(seed=seed), budget=200)[-1] for seed in range(4)]
    assert sum(s.ever_right for s in ends) / sum(s.ever_machine for s in ends) > 0.9
    assert sum(s.audited for s in ends) > 0
    assert all(s.labels == 200 for s in ends if s.machine < 150)


def test_budgets_show_the_last_model_within_them():
    snapshots = run(budget=100, start=10)
    found = at_budgets(snapshots, (5, 50, 100))
    assert sorted(found) == [50, 100]
    assert found[50].labels == pytest.approx(50)
