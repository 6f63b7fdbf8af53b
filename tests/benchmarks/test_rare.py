"""The rare class that a person searches the pool for."""

import numpy as np
import pytest

from scripts.benchmarks import rare
from scripts.benchmarks.corpora import Embedded

CLASSES = ["animals", "games", "money"]
WORDS = {
    "animals": ["otter", "badger", "heron", "newt"],
    "games": ["chess", "poker", "rounders", "bridge"],
    "money": ["ledger", "invoice", "tax", "loan"],
    "other": ["weather", "rain", "storm", "cloud"],
}


def made_up(name: str, classes: list[str], each: int, seed: int) -> rare.Source:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(classes)), each))
    points = np.eye(16)[labels + 8 * seed] + 0.12 * rng.normal(size=(len(labels), 16))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    names = np.stack([points[labels == c].mean(axis=0) for c in range(len(classes))])
    given = [classes[c] for c in labels]
    texts = [f"The {rng.choice(WORDS[label])} of number {i}." for i, label in enumerate(given)]
    return rare.Source(Embedded(name, points, labels, names, names), texts, given)


@pytest.fixture(scope="module")
def sources() -> list[rare.Source]:
    return [made_up("topics", CLASSES, 200, 0), made_up("talk", ["other"], 300, 1)]


def test_a_class_is_rare_in_the_pool_and_the_rest_of_it_is_not_there(
    sources: list[rare.Source],
) -> None:
    conditions = rare.Conditions(size=500, share=0.02)
    found = list(rare.cases(sources, conditions, seed=0))
    assert [case.name for case in found] == [f"topics: {name}" for name in CLASSES]
    for case in found:
        corpus = case.corpus
        assert len(case.texts) == len(corpus.embeddings) == 500
        assert (corpus.truth == case.rare).sum() == 10
        assert corpus.k == 4
        spare, pool = corpus.test_labels[: case.spare], corpus.test_labels[case.spare :]
        assert set(spare.tolist()) == {case.rare}
        assert (pool == corpus.truth).all()
        of_pool = {tuple(point) for point in corpus.embeddings.tolist()}
        assert not of_pool & {tuple(p) for p in corpus.test_embeddings[: case.spare].tolist()}
        assert set(case.words) < set(WORDS[CLASSES[case.rare]])
        for row in np.flatnonzero(corpus.truth == case.rare):
            assert any(word in case.texts[row] for word in WORDS[CLASSES[case.rare]])
    # Too few of a class to be rare and to spare.
    assert not list(rare.cases(sources, rare.Conditions(size=500, share=0.4), seed=0))


def test_the_person_labels_what_the_words_find_and_what_is_like_it(
    sources: list[rare.Source],
) -> None:
    (case, *_) = rare.cases(sources, rare.Conditions(size=500, share=0.02), seed=0)
    first = rare.search(case, similar=0)
    assert len(first) == 3
    assert all(any(word in case.texts[row] for word in case.words) for row in first)
    assert (case.corpus.truth[first] == case.rare).all()
    more = rare.search(case, similar=2)
    assert more[:3].tolist() == first.tolist()
    assert 3 < len(more) == len(set(more.tolist())) <= 9
    points = case.corpus.embeddings
    for row in more[3:]:
        nearest = np.argsort(-(points[first] @ points.T), axis=1)[:, :3]
        assert row in nearest


def test_a_look_labels_what_the_model_is_least_sure_of_on_either_side(
    sources: list[rare.Source],
) -> None:
    (case, *_) = rare.cases(sources, rare.Conditions(size=500, share=0.02), seed=0)
    hits, k = rare.words_in(case), case.corpus.k
    assert (hits[case.corpus.truth == case.rare] > 0).any()
    called = np.arange(500) % 2 == 0
    sure = np.random.default_rng(0).uniform(0.6, 0.9, size=500)

    def model(points) -> np.ndarray:
        probs = np.tile(((1 - sure) / (k - 1))[:, None], (1, k))
        probs[np.arange(500), np.where(called, case.rare, (case.rare + 1) % k)] = sure
        return probs

    asked = np.argsort(sure)[:20]
    open_ = ~np.isin(np.arange(500), asked)
    mine = np.flatnonzero(called & open_)
    other = np.flatnonzero(~called & open_ & (hits > 0))
    expected = [*mine[np.argsort(sure[mine])][:3], *other[np.argsort(sure[other])][:3]]
    assert rare.look_again(case, hits, asked, model, check=3).tolist() == expected


def test_a_person_searches_and_looks_again_now_and_then(sources: list[rare.Source]) -> None:
    conditions = rare.Conditions(size=500, share=0.02, similar=1, every=10)
    (case, *_) = rare.cases(sources, conditions, seed=0)
    searched = rare.search(case, 1).tolist()

    def model(points) -> np.ndarray:
        return np.full((len(points), case.corpus.k), 1 / case.corpus.k)

    rest = np.setdiff1d(np.arange(500), searched)
    for again in (False, True):
        found = rare.person(case, conditions, again)
        assert found(rest[:5], model).tolist() == searched
        asked = np.concatenate([rest[:5], searched])
        assert not len(found(np.concatenate([asked, rest[5:14]]), model))
        later = np.concatenate([asked, rest[5:15]])
        assert bool(len(found(later, model))) == again
        assert not len(found(later, model))


def test_labels_in_the_pool_count_and_the_class_is_found_sooner(
    sources: list[rare.Source],
) -> None:
    conditions = rare.Conditions(size=500, share=0.02, budget=100, similar=3)
    rows = rare.compare(sources, conditions, seeds=1)
    assert [row["class"] for row in rows] == [*(f"topics: {name}" for name in CLASSES), "all"]
    for row in rows:
        assert int(row["pool"]) == 500
        assert int(row["of them right"]) > 3
        for arm in ("search", "looks"):
            assert 5 < int(row[arm]) <= 100
            assert int(row[f"recall {arm}"]) >= 80
            assert int(row[f"precision {arm}"]) >= 50
    (case, *_) = rare.cases(sources, conditions, seed=0)
    seen = rare.looks(case, 100, 0, rare.person(case, conditions, again=False))
    assert [one.finds for one in seen] == [False] * (len(seen) - 1) + [True]
    assert seen[0].labels > 5  # those of the search are among the first
