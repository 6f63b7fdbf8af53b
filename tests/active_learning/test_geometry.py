import numpy as np
import pytest

from scripts.active_learning import geometry
from scripts.active_learning.geometry import (
    clusters,
    farthest_first,
    nearest,
    typicality,
    unit,
    without_near_duplicates,
)


def blobs(sizes, d=8, spread=0.05, seed=0):
    rng = np.random.default_rng(seed)
    centres = np.eye(d)[: len(sizes)]
    points = [c + spread * rng.normal(size=(n, d)) for c, n in zip(centres, sizes, strict=True)]
    return unit(np.vstack(points)), np.repeat(np.arange(len(sizes)), sizes)


def test_nearest_is_exact_whatever_the_block_size(monkeypatch):
    rng = np.random.default_rng(0)
    points, others = unit(rng.normal(size=(50, 5))), unit(rng.normal(size=(33, 5)))
    exact = np.argsort(-(points @ others.T), axis=1)[:, :4]
    whole = nearest(points, others, 4)
    monkeypatch.setattr(geometry, "BLOCK", 70)
    small = nearest(points, others, 4)
    assert whole[0].tolist() == exact.tolist() == small[0].tolist()
    assert (np.diff(whole[1], axis=1) <= 0).all()
    assert nearest(points, others, 99)[0].shape == (50, 33)


def test_farthest_first_covers_within_twice_the_best_radius():
    points, blob = blobs([40, 3, 20, 1, 15])
    picked = farthest_first(points, points[:0], 5, np.random.default_rng(0))
    assert set(blob[picked]) == {0, 1, 2, 3, 4}  # one centre a blob is the best possible
    # what is covered already is not asked for
    rest = farthest_first(points, points[blob == 0], 4, np.random.default_rng(0))
    assert set(blob[rest]) == {1, 2, 3, 4}


def test_clusters_find_blobs():
    points, blob = blobs([30, 30, 30])
    found = clusters(points, 3, np.random.default_rng(0))
    assert all(len(set(found[blob == b])) == 1 for b in range(3))
    assert len(set(found)) == 3


def test_clusters_of_a_sample_hold_for_all_points(monkeypatch):
    monkeypatch.setattr(geometry, "SAMPLE", 60)
    points, blob = blobs([80, 80, 80])
    found = clusters(points, 3, np.random.default_rng(0))
    assert len(found) == 240
    assert len({(a, b) for a, b in zip(found.tolist(), blob.tolist(), strict=True)}) == 3


def test_near_duplicates_come_last_and_only_to_fill_up():
    points = unit(np.array([[1, 0], [1, 0.01], [0, 1], [1, 0.02]]))
    order = np.arange(4)
    assert without_near_duplicates(points, order, 2, 0.95).tolist() == [0, 2]
    assert without_near_duplicates(points, order, 4, 0.95).tolist() == [0, 2, 1, 3]


def test_typical_points_lie_in_the_middle():
    rng = np.random.default_rng(0)
    points = unit(np.vstack([np.eye(6)[0] + 0.1 * rng.normal(size=(60, 6)), -np.eye(6)[:1]]))
    dense = typicality(points)
    assert dense.argmin() == 60  # the outlier
    centre = points[:60].mean(axis=0)
    assert np.corrcoef(dense[:60], points[:60] @ centre)[0, 1] > 0.5


def test_rows_of_zeros_stay_finite():
    assert unit(np.zeros((2, 3))) == pytest.approx(0)
