"""The default head on made-up topics, each drawn out along an arc in a pool."""

import pickle

import numpy as np
import pytest
from scipy.special import softmax
from spacy.util import registry

import components.code  # noqa: F401
from components import evidence_head, pool_graph, pool_names
from components.classy_calibration import LEAST_TRUST, USUAL_AGREEMENT, pool_opinions, trust
from components.evidence_head import DEFAULTS, Problem
from tests.components.test_pool_heads import accuracy, arcs

EVIDENCE = registry.misc.get("classy_head.evidence.v1")
KERNEL = registry.misc.get("classy_head.kernel.v1")


def names_of(pool, topic, order=(0, 1, 2)):
    return np.stack([pool[topic == c][:40].mean(axis=0) for c in order])


def problem(n=24, named=True, noise_seed=0):
    pool, topic = arcs()
    pool = pool_graph.unit(pool)
    rows = np.random.default_rng(noise_seed).permutation(len(pool))[:n]
    names = pool_graph.unit(names_of(pool, topic)) if named else None
    return Problem(pool[rows], np.eye(3)[topic[rows]], pool, names, 1.0), rows


def without(case, i):
    keep = np.arange(len(case.X)) != i
    return case._replace(X=case.X[keep], Y=case.Y[keep])


def test_names_and_pool_are_enough_to_begin():
    pool, topic = arcs()
    nothing = np.zeros((0, 12), dtype="float32"), np.zeros((0, 3))
    fitted = EVIDENCE()(*nothing, pool=pool, label_embeddings=names_of(pool, topic))
    assert accuracy(fitted, pool, topic) > 0.9


def test_nothing_known_is_said_to_be_nothing():
    pool, _ = arcs()
    nothing = np.zeros((0, 12), dtype="float32"), np.zeros((0, 3))
    fitted = EVIDENCE()(*nothing, pool=pool)
    probs = registry.misc.get(f"classy_scores.{fitted.kind}.v1")(fitted.arrays, pool)
    assert probs == pytest.approx(np.full((len(pool), 3), 1 / 3))


@pytest.mark.parametrize("order", [(1, 2, 0), (2, 0, 1)])
def test_names_that_mislead_do_no_harm(order):
    pool, topic = arcs()
    rows = np.arange(0, 360, 12)
    args = pool[rows], np.eye(3)[topic[rows]]
    fitted = EVIDENCE()(*args, pool=pool, label_embeddings=names_of(pool, topic, order))
    plain = EVIDENCE()(*args, pool=pool)
    X, y = arcs(seed=1)
    assert accuracy(fitted, X, y) > accuracy(plain, X, y) - 0.02
    assert accuracy(fitted, X, y) > accuracy(KERNEL()(*args), X, y) - 0.02


def test_classes_of_very_different_size_are_not_evened_out():
    """19 of 20 texts are of one class: the names' guesses are about even, the labels are not."""
    pool, topic = arcs(n=400, k=2)
    keep = np.flatnonzero((topic == 0) | (np.arange(len(topic)) % 20 == 0))
    pool, topic = pool[keep], topic[keep]
    rows = np.random.default_rng(0).permutation(len(pool))[:60]
    names = names_of(pool, topic, (0, 1)) + 0.5 * pool[topic == 0].mean(axis=0)
    fitted = EVIDENCE()(
        pool[rows], np.eye(2)[topic[rows]], pool=pool, label_embeddings=names.astype("float32")
    )
    scores = registry.misc.get(f"classy_scores.{fitted.kind}.v1")(fitted.arrays, pool)
    assert scores[:, 1].mean() == pytest.approx((topic == 1).mean(), abs=0.05)


@pytest.mark.parametrize("named", [False, True])
def test_kernel_expert_leaves_each_example_out(named):
    case, _ = problem()
    case = case._replace(X=case.X.astype("float64"))
    # With the class weights of all examples, so that only the example itself is missing.
    gaussian = registry.misc.get("classy_kernel.gaussian.v1")
    points = np.vstack([case.X, case.names])
    kernels = gaussian(points, points, 1.0), gaussian(case.pool, points, 1.0)
    held_out = evidence_head._kernel_expert(case, 0.5, kernels, named).held_out
    X, Y = case.X, case.Y
    if named:
        X, Y = np.vstack([X, case.names]), np.vstack([Y, np.eye(3)])
    balance = registry.misc.get("classy_calibration.balance.v1")
    balanced = balance(np.ones(len(Y)), Y.argmax(axis=1))
    for i in (0, 7, 23):
        rest = np.arange(len(X)) != i
        kernel = gaussian(X[rest], X[rest], 1.0) + np.diag(0.5 / balanced[rest])
        dual = np.linalg.solve(kernel, Y[rest] - 1 / 3)
        expected = gaussian(X[[i]], X[rest], 1.0) @ dual
        np.testing.assert_allclose(held_out[i], expected[0], atol=1e-8)


def test_graph_expert_leaves_each_example_out():
    case, rows = problem()
    found = evidence_head._graph_expert(case, DEFAULTS)
    y, total = case.Y.argmax(axis=1), case.Y.sum(axis=0)
    Y = case.Y.copy()
    Y[5] *= 1e-12  # said nothing, but for the balance of the classes
    Y[y == y[5]] *= (total[y[5]] - 1) / total[y[5]]  # balance as if it were still there
    case_without = case._replace(Y=Y)
    expected = evidence_head._graph_expert(case_without, DEFAULTS).on_pool[rows[5]]
    order = found.held_out[5].argsort()
    assert (expected.argsort() == order).all()
    assert found.held_out[5][order[-1]] < found.on_pool[rows[5]][order[-1]] + 1e-9


def test_an_expert_that_is_wrong_gets_no_say():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 60)
    right = 2 * np.eye(3)[y] + rng.normal(size=(60, 3))
    wrong = 2 * np.eye(3)[(y + 1) % 3] + rng.normal(size=(60, 3))
    held_out = np.stack([right, wrong])
    scale, _ = pool_opinions(held_out, np.ones(2), np.full(2, 2.0), y)
    assert scale[0] > 0.8
    assert scale[1] == 0


def test_experts_that_disagree_about_the_pool_are_trusted_less():
    """Each knows a share of the texts and guesses the rest, which is where their kappa is from."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 20_000)

    def expert(share):
        guess = rng.integers(0, 3, len(truth))
        return np.eye(3)[np.where(rng.random(len(truth)) < share, truth, guess)]

    usual = USUAL_AGREEMENT**0.5
    for share in (0.4, 0.6):
        assert trust(expert(share), expert(share)) == pytest.approx(share / usual, abs=0.02)
    assert trust(expert(0.95), expert(0.95)) == 1
    assert trust(expert(0), expert(1)) == LEAST_TRUST
    one_label = np.eye(3)[np.zeros(5, int)]
    assert trust(one_label, one_label) == 1


def test_labels_of_which_the_pool_knows_nothing_lower_what_is_usual_but_for_the_names():
    case, _ = problem()
    case = case._replace(Y=np.random.default_rng(0).permutation(case.Y))
    kernel, graph, names, _ = evidence_head._experts(case, DEFAULTS)
    share = trust(kernel.on_pool, graph.on_pool)
    assert LEAST_TRUST < share < 0.9
    assert graph.usual == pytest.approx(share * evidence_head.GRAPH_SCALE * evidence_head._few(3))
    assert names.usual == 1


def test_experts_keep_their_usual_scale_without_examples():
    usual, nobody = np.array([1.0, 6.0]), np.zeros(0, int)
    scale, bias = pool_opinions(np.zeros((2, 0, 3)), usual, np.full(2, 2.0), nobody)
    assert scale == pytest.approx([1.0, 6.0])
    assert bias == pytest.approx(np.zeros(3))


def test_the_usual_lead_makes_as_sure_among_few_labels_as_among_four():
    def certainty(k):
        return 1 / (1 + (k - 1) * np.exp(-evidence_head.USUAL_MARGIN * evidence_head._few(k)))

    assert certainty(2) == pytest.approx(certainty(4))
    assert certainty(3) == pytest.approx(certainty(4))
    assert evidence_head._few(4) == evidence_head._few(20) == 1


def test_names_that_mean_nothing_are_less_sure():
    pool, topic = arcs()
    pool = pool_graph.unit(pool)
    good = pool_graph.unit(names_of(pool, topic))
    random = pool_graph.unit(np.random.default_rng(3).normal(size=(3, 12)))
    certainty = []
    for names in (good, random):
        coef, intercept = pool_names.names_model(pool, names, 15)
        labels = (pool @ coef.T + intercept).argmax(axis=1)
        certainty.append(pool_names.expected_accuracy(pool, names, labels))
    assert certainty[0] > 0.85
    assert certainty[1] < certainty[0] - 0.2


def test_more_labels_than_texts():
    rng = np.random.default_rng(0)
    pool, names = (pool_graph.unit(rng.normal(size=(n, 12))) for n in (17, 30))
    assert 0 < pool_names.expected_accuracy(pool, names, np.arange(17)) <= 1


def test_scale_to_certainty():
    logits = np.random.default_rng(0).normal(size=(500, 4))
    scale = pool_names.scale_to_certainty(logits, 0.7)
    probs = softmax(scale * logits, axis=1)
    assert probs.max(axis=1).mean() == pytest.approx(0.7, abs=1e-6)


def test_deterministic_and_nothing_but_arrays():
    pool, topic = arcs()
    args = pool[::30], np.eye(3)[topic[::30]]
    names = names_of(pool, topic)
    first, second = (EVIDENCE()(*args, pool=pool, label_embeddings=names, seed=3) for _ in range(2))
    assert first.kind == second.kind == "linear_kernel"
    for key, array in first.arrays.items():
        assert array.dtype.kind in "fi"
        np.testing.assert_array_equal(array, second.arrays[key])


def test_one_more_example_changes_little():
    """From step to step the blend moves, it does not jump."""
    pool, topic = arcs()
    rows = np.random.default_rng(1).permutation(len(pool))[:31]
    probs = []
    for some in (rows[:-1], rows):
        fitted = EVIDENCE()(
            pool[some],
            np.eye(3)[topic[some]],
            pool=pool,
            label_embeddings=names_of(pool, topic),
        )
        probs.append(registry.misc.get("classy_scores.linear_kernel.v1")(fitted.arrays, pool))
    assert np.abs(probs[0] - probs[1]).mean() < 0.05


@pytest.mark.parametrize("seen", [[0], [0, 1]])
def test_labels_without_examples(seen):
    pool, topic = arcs()
    rows = np.flatnonzero(np.isin(topic, seen))[::20]
    fitted = EVIDENCE()(
        pool[rows], np.eye(3)[topic[rows]], pool=pool, label_embeddings=names_of(pool, topic)
    )
    assert accuracy(fitted, pool, topic) > 0.6


@pytest.mark.parametrize("case", ["no pool", "tiny pool", "multi_label"])
def test_where_a_graph_makes_no_sense_it_is_the_kernel_head(case):
    pool, topic = arcs()
    X, Y = pool[::30], np.eye(3)[topic[::30]]
    given = {"no pool": None, "tiny pool": pool[:5], "multi_label": pool}[case]
    several = case == "multi_label"
    fitted = EVIDENCE()(X, Y, pool=given, multi_label=several)
    plain = KERNEL()(X, Y, multi_label=several)
    assert fitted.kind == plain.kind
    for key, array in fitted.arrays.items():
        np.testing.assert_array_equal(array, plain.arrays[key])


def test_a_large_pool_is_sampled_by_the_seed():
    pool, topic = arcs()
    args = pool[::20], np.eye(3)[topic[::20]]
    first, again, other = (EVIDENCE(max_pool=100)(*args, pool=pool, seed=s) for s in (1, 1, 2))
    assert (first.arrays["coef"] == again.arrays["coef"]).all()
    assert (first.arrays["coef"] != other.arrays["coef"]).any()
    assert accuracy(first, pool, topic) > 0.9


def test_the_head_can_be_pickled_for_other_processes():
    assert pickle.loads(pickle.dumps(EVIDENCE())).keywords == EVIDENCE().keywords
