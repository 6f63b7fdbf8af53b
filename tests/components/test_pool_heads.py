import pickle

import numpy as np
import pytest
from spacy.util import registry

import components.classy_heads
import components.pool_heads  # noqa: F401

POOL = registry.misc.get("classy_head.pool.v1")
LOGISTIC = registry.misc.get("classy_head.logistic.v1")


def arcs(n=120, k=3, d=12, seed=0):
    """k topics, each drawn out along an arc, so that one label says little of the far end."""
    rng = np.random.default_rng(seed)
    topic = np.repeat(np.arange(k), n)
    angle = np.tile(np.linspace(0, 1.2, n), k)
    points = 0.08 * rng.normal(size=(n * k, d))
    points[np.arange(n * k), 2 * topic] += np.cos(angle)
    points[np.arange(n * k), 2 * topic + 1] += np.sin(angle)
    # The far ends lean towards the next topic's start.
    points[np.arange(n * k), (2 * topic + 2) % (2 * k)] += 0.7 * angle
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype("float32"), topic


def accuracy(fitted, X, y):
    probs = registry.misc.get(f"classy_scores.{fitted.kind}.v1")(fitted.arrays, X)
    assert probs.sum(axis=1) == pytest.approx(np.ones(len(X)))
    return (probs.argmax(axis=1) == y).mean()


def test_the_pool_teaches_what_few_labels_do_not():
    pool, topic = arcs()
    X, y = arcs(seed=1)
    one_each = np.array([0, 120, 240])
    Y = np.eye(3)[topic[one_each]]
    with_pool = accuracy(POOL()(pool[one_each], Y, pool=pool), X, y)
    without = accuracy(LOGISTIC()(pool[one_each], Y), X, y)
    assert with_pool > 0.75
    assert with_pool > without + 0.05


def test_without_any_label_the_names_are_enough_to_begin():
    pool, topic = arcs()
    names = np.stack([pool[topic == c][:40].mean(axis=0) for c in range(3)])
    nothing = np.zeros((0, 12), dtype="float32")
    fitted = POOL()(nothing, np.zeros((0, 3)), pool=pool, label_embeddings=names)
    assert accuracy(fitted, pool, topic) > 0.9


def test_labels_by_people_overrule_the_names():
    pool, topic = arcs()
    wrong_names = np.stack([pool[topic == c][:40].mean(axis=0) for c in (1, 2, 0)])
    rows = np.arange(0, 360, 12)
    fitted = POOL()(pool[rows], np.eye(3)[topic[rows]], pool=pool, label_embeddings=wrong_names)
    assert accuracy(fitted, pool, topic) > 0.9


def test_what_is_kept_is_one_linear_layer():
    pool, topic = arcs()
    fitted = POOL()(pool[::30], np.eye(3)[topic[::30]], pool=pool)
    assert fitted.kind == "softmax"
    assert {name: a.shape for name, a in fitted.arrays.items()} == {
        "coef": (3, 12),
        "intercept": (3,),
    }


def test_same_seed_same_head_and_a_large_pool_is_sampled():
    pool, topic = arcs()
    rows = np.arange(0, 360, 20)
    args = pool[rows], np.eye(3)[topic[rows]]
    first, again, other = (POOL(max_pool=100)(*args, pool=pool, seed=s) for s in (1, 1, 2))
    assert (first.arrays["coef"] == again.arrays["coef"]).all()
    assert (first.arrays["coef"] != other.arrays["coef"]).any()
    assert accuracy(first, pool, topic) > 0.9


@pytest.mark.parametrize("case", ["no pool", "tiny pool", "multi_label"])
def test_where_a_graph_makes_no_sense_it_is_plain_logistic_regression(case):
    pool, topic = arcs()
    X, Y = pool[::30], np.eye(3)[topic[::30]]
    given = {"no pool": None, "tiny pool": pool[:5], "multi_label": pool}[case]
    several = case == "multi_label"
    fitted = POOL()(X, Y, pool=given, multi_label=several)
    plain = LOGISTIC()(X, Y, multi_label=several)
    assert fitted.kind == plain.kind
    assert (fitted.arrays["coef"] == plain.arrays["coef"]).all()


def test_the_head_can_be_pickled_for_other_processes():
    pool, topic = arcs()
    head = pickle.loads(pickle.dumps(POOL()))
    fitted = head(pool[::30], np.eye(3)[topic[::30]], pool=pool)
    assert accuracy(fitted, pool, topic) > 0.9


def test_through_spacys_door_the_pool_helps_before_the_first_label(make_pipeline):
    topics = {
        "cooking": ["soup", "bread", "an onion stew", "fried rice", "a cake", "pasta sauce"],
        "astronomy": ["Saturn", "a comet", "the galaxy", "a telescope", "Jupiter's moons", "stars"],
    }
    pool = [
        f"All about {word}, part {i}." for row in topics.values() for word in row for i in "123"
    ]
    pipeline = make_pipeline(
        initialize={"labels": list(topics), "pool": pool},
        classifier={"@misc": "classy_head.pool.v1"},
    )
    plain = make_pipeline(initialize={"labels": list(topics)})
    for label, words in topics.items():
        for doc in pipeline.pipe(words):
            assert max(doc.cats, key=doc.cats.get) == label
            assert sum(doc.cats.values()) == pytest.approx(1)
    # The pool was used: the same names alone give other scores.
    assert pipeline("a comet").cats != plain("a comet").cats


def test_balance_gives_a_rare_class_its_say():
    pool, topic = arcs()
    keep = np.flatnonzero((topic != 2) | (np.arange(len(topic)) % 20 == 0))
    pool, topic = pool[keep], topic[keep]
    rows = np.concatenate([np.flatnonzero(topic == c)[:: 3 if c == 2 else 20] for c in range(3)])
    X, y = arcs(seed=1)
    said = []
    for balance in (0.0, 0.5, 1.0):
        fitted = POOL(balance=balance)(pool[rows], np.eye(3)[topic[rows]], pool=pool)
        assert accuracy(fitted, X, y) > 0.8
        scores = registry.misc.get(f"classy_scores.{fitted.kind}.v1")(fitted.arrays, X[y == 2])
        said.append(scores[:, 2].mean())
    assert said[0] < said[1] < said[2]
