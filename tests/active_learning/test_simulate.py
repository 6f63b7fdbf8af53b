import itertools
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from scripts.active_learning.cross_validation import Predict
from scripts.active_learning.draw import DrawSettings
from scripts.active_learning.plan import StepSettings
from scripts.active_learning.proof import PromiseSettings
from scripts.active_learning.query import STRATEGIES
from scripts.active_learning.simulate import (
    Corpus,
    Fit,
    SimulationSettings,
    Snapshot,
    at_budgets,
    simulate,
)


def corpus(n: int = 400, k: int = 3, noise: float = 0.0, seed: int = 0) -> Corpus:
    rng = np.random.default_rng(seed)
    labels = rng.integers(k, size=2 * n)
    points = np.eye(8)[labels] + 0.35 * rng.normal(size=(2 * n, 8))
    answers = np.where(rng.random(n) < noise, (labels[:n] + 1) % k, labels[:n])
    return Corpus(points[:n], answers, labels[:n], points[n:], labels[n:], k)


def fit(embeddings, labels) -> Predict:
    if not len(labels):
        return lambda X: np.full((len(X), 3), 1 / 3)
    if len(np.unique(labels)) == 1:
        return lambda X: np.tile(np.eye(3)[labels[0]], (len(X), 1))
    model = LogisticRegression(C=10).fit(embeddings, labels)

    def predict(X):
        probs = np.zeros((len(X), 3))
        if len(X):
            probs[:, model.classes_] = model.predict_proba(X)
        return probs

    return predict


def run(
    step: StepSettings | None = None,
    seed: int = 0,
    data: Corpus | None = None,
    by: Fit = fit,
    **settings,
) -> list[Snapshot]:
    return simulate(
        data or corpus(),
        by,
        step or StepSettings(batch_size=20),
        SimulationSettings(**settings),
        np.random.default_rng(seed),
    )


def fixed(predict: Predict, sizes: list[int] | None = None) -> Fit:
    """A model that does not learn. sizes: how many texts it is given each time."""

    def fit_it(embeddings, labels) -> Predict:
        if sizes is not None:
            sizes.append(len(embeddings))
        return predict

    return fit_it


def nearest_corner(X: np.ndarray) -> np.ndarray:
    raised = np.exp(4 * X[:, :3])
    return raised / raised.sum(axis=1, keepdims=True)


def test_the_budget_is_spent_to_the_last_label_and_no_text_is_asked_twice():
    snapshots = run(budget=75, start=10)
    assert snapshots[0].labels == 10
    assert snapshots[-1].labels == 75
    assert [s.labels for s in snapshots] == [10, 30, 50, 70, 75]
    assert len(set(snapshots[-1].asked.tolist())) == 75
    for before, after in itertools.pairwise(snapshots):
        assert after.asked[: before.labels].tolist() == before.asked.tolist()


@pytest.mark.parametrize("strategy", ["margin_sampling", "margin"])
def test_a_pool_that_runs_out_ends_the_loop(strategy: str):
    step = StepSettings(batch_size=20, strategy=STRATEGIES[strategy])
    last = run(step, budget=10_000, data=corpus(n=60))[-1]
    assert sorted(last.asked.tolist()) == list(range(60))


def test_the_model_learns_and_the_same_seed_repeats_itself():
    data = corpus()
    first, again, other = run(budget=100), run(budget=100), run(budget=100, seed=1)
    for a, b in zip(first, again, strict=True):
        assert a.asked.tolist() == b.asked.tolist()
        assert a.certainty.tolist() == b.certainty.tolist()
        assert a.decided.accuracy == b.decided.accuracy or not a.decided.accuracy.total
        assert a.decided.promise == b.decided.promise
    assert other[-1].asked.tolist() != first[-1].asked.tolist()
    accuracy = [(s.predicted == data.test_labels).mean() for s in first]
    assert accuracy[-1] > 0.85


def test_the_machine_answers_nothing_at_first_and_keeps_its_promise_later():
    settings = PromiseSettings(error=0.1, confidence=0.9)
    step = StepSettings(batch_size=20, promise=settings)
    runs = [run(step, seed, corpus(seed=seed), budget=150) for seed in range(8)]
    assert not any(snapshots[0].machine for snapshots in runs)  # no draw yet, only the cold start
    ends = [snapshots[-1] for snapshots in runs]
    assert all(s.machine for s in ends)
    # In the long run one of ten runs may break it.
    broken = [(s.machine - s.machine_right) / 400 > 0.1 for s in ends]
    assert sum(broken) <= 2
    for s in ends:
        assert s.decided.wrong_at_most("dataset")[0] <= 0.1
        assert s.decided.open == 400 - s.labels
        assert s.decided.pool == 400


def test_draws_hold_what_was_drawn_and_answers_that_are_wrong_count_as_people_gave_them():
    data = corpus(noise=0.3)
    snapshots = run(StepSettings(batch_size=20), data=data, budget=90, start=10)
    for s in snapshots:
        draws = s.pool.draws
        assert len(draws) == s.labels - 10  # the first batch was not drawn, but is known
        assert draws.pool == 400
        assert np.isnan(draws.chance[:10]).all()
        assert draws.open.tolist() == [0] * 10 + [390 - i for i in range(s.labels - 10)]
        assert draws.anywhere.tolist() == [0.0] * 10 + [0.25] * min(len(draws), 40) + [0.9] * max(
            len(draws) - 40, 0
        )
        wrong = data.answers[s.asked] != data.truth[s.asked]
        # The model knows the truth better than they do, and is held to have been wrong.
        assert (~draws.right[wrong]).mean() >= 0.5
        assert len(s.pool.certainty) == len(s.pool.right) == 400 - s.labels


def test_a_strategy_alone_leaves_no_draws():
    step = StepSettings(
        batch_size=20, strategy=STRATEGIES["margin"], draw=DrawSettings(anywhere=0, prove=0)
    )
    snapshots = run(step, budget=60)
    assert not any(len(s.pool.draws) for s in snapshots)
    assert not any(s.machine for s in snapshots)


def test_what_is_held_out_decides_and_not_what_the_model_says_of_its_own_examples():
    def by_heart(embeddings, labels):
        """Knows what it has seen, and guesses the rest wrong, and is sure."""
        known = {x.tobytes(): label for x, label in zip(embeddings, labels, strict=True)}

        def predict(X):
            wrong = (nearest_corner(X).argmax(axis=1) + 1) % 3
            said = [known.get(x.tobytes(), w) for x, w in zip(X, wrong, strict=True)]
            return 0.98 * np.eye(3)[np.array(said, dtype=int)] + 0.02 / 3

        return predict

    bad = run(by=by_heart, budget=110)[-1]
    assert bad.pool.draws.right.mean() < 0.3
    assert bad.machine == 0
    good = run(by=fixed(nearest_corner), budget=110)[-1]
    assert good.machine > 200
    assert bad.decided.accuracy.value < 0.5 < good.decided.accuracy.value


def test_looking_seldom_asks_the_same_texts_and_judges_the_same_at_a_look():
    always, seldom, never = (run(budget=130, look_every=n) for n in (1, 3, 0))
    for a, b, c in zip(always, seldom, never, strict=True):
        assert a.asked.tolist() == b.asked.tolist() == c.asked.tolist()
        assert c.pool.draws is None
    looked = [s.pool.draws is not None for s in seldom]
    assert looked == [n % 3 == 0 or n == len(looked) - 1 for n in range(len(looked))]
    for a, b in zip(always, seldom, strict=True):
        if b.pool.draws is not None:
            assert a.decided.promise == b.decided.promise
            assert a.machine == b.machine


def test_the_machines_answers_are_trained_on_only_if_they_are_meant_to_be():
    step = StepSettings(batch_size=20, promise=PromiseSettings("fixed", certainty=0.9))
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    def fit_it(X, labels):
        seen.append((X, labels))
        return nearest_corner

    off = run(step, by=fit_it, budget=70, look_every=0)
    assert [len(labels) for _, labels in seen] == [0, *[s.labels for s in off]]
    assert off[0].machine > 0
    seen.clear()
    on = run(step, by=fit_it, budget=70, use_machine_labels=True, look_every=0)
    assert [s.labels for s in on] == [s.labels for s in off]
    data = corpus()
    for (X, labels), before, now in zip(seen[2:], on[:-1], on[1:], strict=True):
        assert labels[: now.labels].tolist() == data.answers[now.asked].tolist()
        # Beyond people's: what it answered before, without those that people were asked since.
        theirs = before.decided.rows
        assert len(labels) <= now.labels + len(theirs)
        assert len(labels) >= now.labels + len(theirs) - (now.labels - before.labels)
        assert len(labels) > now.labels + 50
        assert labels[now.labels :].tolist() == nearest_corner(X[now.labels :]).argmax(1).tolist()
        assert len(np.unique(X, axis=0)) == len(X)


def test_cross_validation_keeps_the_machines_answers_in_every_fold():
    sizes: list[int] = []
    step = StepSettings(batch_size=20, promise=PromiseSettings("fixed", certainty=0.9))
    by = fixed(nearest_corner, sizes)
    snapshots = run(step, by=by, budget=30, use_machine_labels=True)
    assert [s.labels for s in snapshots] == [10, 30]
    everything = sizes[7]
    assert sizes[:7] == [0, 10, *[8] * 5]
    assert everything > 30 + 50
    assert sizes[8:] == [everything - 6] * 5  # a fifth of people's answers left out of each


def test_budgets_show_the_last_model_within_them():
    snapshots = run(budget=100, start=10)
    found = at_budgets(snapshots, (5, 50, 100))
    assert sorted(found) == [50, 100]
    assert found[50].labels == 50
    assert at_budgets([replace(s, labels=60) for s in snapshots[:1]], (50,)) == {}


def test_what_people_find_by_themselves_teaches_proves_nothing_and_counts() -> None:
    data = corpus()
    told: list[int] = []

    def found(asked, model) -> np.ndarray:
        assert len(asked) == len(set(asked.tolist()))
        assert model(data.embeddings).shape == (400, 3)
        told.append(len(asked))
        rows = [3, 1, 4, 15, 9] if len(told) == 1 else [26, 5] if len(told) == 3 else []
        return np.array(rows, dtype=np.intp)

    step = StepSettings(batch_size=20)
    settings = SimulationSettings(budget=100, start=20)
    snapshots = simulate(data, fit, step, settings, np.random.default_rng(0), found)
    alone = simulate(data, fit, step, settings, np.random.default_rng(0))
    first = alone[0].asked.tolist()
    new = [row for row in [3, 1, 4, 15, 9] if row not in first]
    assert snapshots[0].asked.tolist() == first + new
    before = snapshots[1].asked.tolist()
    later = [row for row in [26, 5] if row not in snapshots[2].asked[: told[2]]]
    assert snapshots[2].asked.tolist()[: len(before)] == before
    assert snapshots[2].asked.tolist()[told[2] :] == later
    assert snapshots[-1].labels == 100
    assert len(set(snapshots[-1].asked.tolist())) == 100
    draws = snapshots[-1].pool.draws
    assert np.isnan(draws.chance).sum() == 20 + len(new) + len(later)
    chosen = np.isnan(draws.chance)
    assert draws.uniform == pytest.approx(draws.anywhere[~chosen].sum())
    ended = simulate(
        data, fit, step, settings, np.random.default_rng(0), done=lambda s: s.labels >= 60
    )
    assert [s.labels for s in ended] == [20, 40, 60]


@pytest.mark.parametrize("queue", [0, 10])
def test_what_people_find_does_not_outspend_the_budget(queue: int) -> None:
    data = corpus()

    def found(asked, model) -> np.ndarray:
        return np.setdiff1d(np.arange(400), asked)[:50]

    step = StepSettings(batch_size=5)
    settings = SimulationSettings(budget=45, start=10, queue=queue)
    snapshots = simulate(data, fit, step, settings, np.random.default_rng(0), found)
    assert snapshots[-1].labels == 45
