"""Heads on made-up embeddings: clusters around k directions."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC, OneClassSVM
from spacy.util import registry

from components import classy_calibration, classy_svc

DIM = 24
CENTRES = np.linalg.qr(np.random.default_rng(0).normal(size=(DIM, DIM)))[0]


def cluster(counts, seed=0, noise=0.25):
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(counts)), counts)
    X = CENTRES[y] + noise * rng.normal(size=(len(y), DIM))
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype("float32"), y


def one_hot(y, k):
    return np.eye(k)[y]


def head(name, **settings):
    return registry.misc.get(f"classy_head.{name}.v1")(**settings)


def scores(fitted, X):
    return registry.misc.get(f"classy_scores.{fitted.kind}.v1")(fitted.arrays, X)


class Recorded:
    """A registry that writes down what one of its functions is called with."""

    def __init__(self, functions, name, calls):
        self.functions, self.name, self.calls = functions, name, calls

    def get(self, name):
        function = self.functions.get(name)
        if name != self.name:
            return function
        return lambda *args: self.calls.append(args) or function(*args)


NAMES = CENTRES.astype("float32")
TEST_X, TEST_Y = cluster([100] * 4, seed=99)


@pytest.mark.parametrize("name", ["kernel", "logistic", "svc"])
@pytest.mark.parametrize("counts", [[1] * 4, [2] * 4, [5] * 4, [30] * 4, [40, 3, 1, 8]])
def test_exclusive(name, counts):
    X, y = cluster(counts)
    fitted = head(name)(X, one_hot(y, 4), label_embeddings=NAMES[:4])
    probs = scores(fitted, TEST_X)
    assert probs.dtype == np.float64
    assert probs.min() >= 0
    assert probs.sum(axis=1) == pytest.approx(np.ones(len(probs)))
    assert (probs.argmax(axis=1) == TEST_Y).mean() > 0.6


@pytest.mark.parametrize("name", ["kernel", "logistic", "svc"])
@pytest.mark.parametrize("multi_label", [False, True])
def test_deterministic_and_nothing_but_arrays(name, multi_label):
    X, y = cluster([6, 5, 4, 7])
    first, second = (
        head(name)(X, one_hot(y, 4), multi_label=multi_label, label_embeddings=NAMES[:4], seed=3)
        for _ in range(2)
    )
    assert first.kind == second.kind
    for key, array in first.arrays.items():
        assert array.dtype.kind in "fiU"
        np.testing.assert_array_equal(array, second.arrays[key])


@pytest.mark.parametrize(
    ("counts", "kind"),
    [([30] * 4, "kernel"), ([29, 90, 90, 90], "softmax"), ([1501, 1500], "softmax")],
)
def test_kernels_need_examples_of_every_label_and_not_too_many(counts, kind):
    X, y = cluster(counts)
    assert head("kernel")(X, one_hot(y, len(counts))).kind == kind


def test_kernel_is_ridge_regression_calibrated_on_what_is_left_out(monkeypatch):
    X, y = cluster([30] * 3, noise=0.5)
    X = X.astype("float64")
    calls = []
    calibrate = classy_calibration.calibrate
    monkeypatch.setattr(
        registry, "misc", Recorded(registry.misc, "classy_calibration.calibrate.v1", calls)
    )
    fitted = head("kernel")(X, one_hot(y, 3))
    (held_out, *_), scale = calls[0], calibrate(*calls[0])[0]
    targets = one_hot(y, 3) - 1 / 3
    ridge = KernelRidge(kernel="rbf", gamma=float(fitted.arrays["gamma"]))
    np.testing.assert_allclose(
        fitted.arrays["dual"], ridge.fit(X, targets).dual_coef_ * scale, atol=1e-5
    )
    for i in (0, 31, 89):
        rest = np.arange(len(X)) != i
        expected = ridge.fit(X[rest], targets[rest]).predict(X[i : i + 1])[0]
        np.testing.assert_allclose(held_out[i], expected, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("counts", [[2] * 4, [5] * 4, [25, 25, 25], [20, 30], [12, 5, 2, 2]])
def test_svc_decides_as_classy_does(counts, seed):
    X, y = cluster(counts, seed=seed, noise=0.5)
    grid = {"C": [1, 2, 5, 10, 20, 50, 100], "kernel": ["linear", "rbf", "poly", "sigmoid"]}
    folds = max(2, min(5, np.bincount(y).min() // 5))  # as in classy_skeleton.py
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = GridSearchCV(SVC(class_weight="balanced"), grid, cv=folds, scoring="f1_weighted")
        theirs.fit(X, y)
    probs = scores(head("svc")(X, one_hot(y, len(counts))), TEST_X)
    np.testing.assert_array_equal(probs.argmax(axis=1), theirs.predict(TEST_X))


@pytest.mark.parametrize("kernel", ["linear", "rbf", "poly", "sigmoid"])
@pytest.mark.parametrize("counts", [[9, 7], [9, 7, 8, 6]])
def test_svc_in_numpy_is_libsvm(kernel, counts):
    X, y = cluster(counts, noise=0.6)
    fitted = head("svc", C=[3.0], kernel=[kernel])(X, one_hot(y, len(counts)))
    theirs = SVC(C=3.0, kernel=kernel, class_weight="balanced", decision_function_shape="ovo")
    expected = theirs.fit(X, y).decision_function(TEST_X)
    found = classy_svc._svc_pairs(fitted.arrays, TEST_X)
    if len(counts) == 2:  # one pair, whose sign scikit-learn turns
        expected = -expected[:, None]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_svc_multi_label_decides_as_classy_does():
    X, y = cluster([15, 15, 15], noise=0.5)
    Y = one_hot(y, 3)
    Y[::4, 2] = 1
    grid = {
        "estimator__C": [1, 2, 5, 10, 20, 50, 100],
        "estimator__kernel": ["linear", "rbf", "poly", "sigmoid"],
    }
    model = OneVsRestClassifier(SVC(class_weight="balanced"))
    theirs = GridSearchCV(model, grid, scoring="f1_weighted").fit(X, Y.astype(int))
    probs = scores(head("svc")(X, Y, multi_label=True), TEST_X)
    np.testing.assert_array_equal(probs > 0.5, theirs.predict(TEST_X).astype(bool))


def test_one_class_decides_as_scikit_learn_does():
    X, _ = cluster([40])
    probs = scores(head("one_class")(X, np.ones((40, 1))), TEST_X)
    expected = OneClassSVM(nu=0.1, kernel="rbf").fit(X).predict(TEST_X) == 1
    np.testing.assert_array_equal(probs[:, 0] >= 0.5, expected)


@pytest.mark.parametrize("count", [1, 2, 30])
def test_one_label_without_others(count):
    X, _ = cluster([count])
    member = scores(head("logistic")(X, np.ones((count, 1))), TEST_X)[:, 0] >= 0.5
    assert member[TEST_Y == 0].mean() > 0.5
    assert member[TEST_Y != 0].mean() < 0.2


@pytest.mark.parametrize("name", ["kernel", "logistic", "svc"])
def test_one_label_and_texts_without_it(name):
    X, y = cluster([20, 20])
    member = scores(head(name)(X, (y == 0)[:, None].astype(float)), TEST_X)[:, 0] >= 0.5
    assert member[TEST_Y == 0].mean() > 0.9
    assert member[TEST_Y == 1].mean() < 0.1


@pytest.mark.parametrize("name", ["kernel", "logistic", "svc"])
def test_multi_label(name):
    X, y = cluster([12, 12, 12, 12])
    Y = one_hot(y, 4)
    Y[y == 3] = 0  # texts that have no label
    Y[y == 1, 0] = 1  # and texts that have two
    probs = scores(head(name)(X, Y, multi_label=True, label_embeddings=NAMES[:4]), TEST_X)
    expected = np.stack([TEST_Y <= 1, TEST_Y == 1, TEST_Y == 2], axis=1)
    assert ((probs[:, :3] >= 0.5) == expected).mean() > 0.9
    assert (probs[:, 3] < 0.5).mean() > 0.9  # a label that nothing has


def test_a_label_without_examples_is_found_by_its_name():
    X, y = cluster([10, 10, 10])
    fitted = head("logistic")(X, one_hot(y, 4), label_embeddings=NAMES[:4])
    assert (scores(fitted, TEST_X).argmax(axis=1) == TEST_Y)[TEST_Y == 3].mean() > 0.5


@pytest.mark.parametrize("name", ["kernel", "logistic", "svc"])
def test_a_label_without_examples_and_name_is_never_given(name):
    X, y = cluster([10, 10, 10])
    assert scores(head(name)(X, one_hot(y, 4)), TEST_X)[:, 3].max() < 1e-6


@pytest.mark.parametrize("name", ["kernel", "logistic", "svc"])
def test_all_examples_have_the_same_of_several_labels(name):
    X, y = cluster([5])
    probs = scores(head(name)(X, one_hot(y, 3), label_embeddings=NAMES[:3]), TEST_X)
    assert probs.sum(axis=1) == pytest.approx(np.ones(len(probs)))
    assert (probs.argmax(axis=1) == 0)[TEST_Y == 0].mean() > 0.9


@pytest.mark.parametrize("name", ["kernel", "logistic", "svc", "zero_shot"])
@pytest.mark.parametrize("multi_label", [False, True])
def test_no_examples_at_all(name, multi_label):
    nothing = np.zeros((0, DIM), dtype="float32"), np.zeros((0, 4))
    fitted = head(name)(*nothing, multi_label=multi_label, label_embeddings=NAMES[:4])
    probs = scores(fitted, TEST_X)
    assert (probs.argmax(axis=1) == TEST_Y).mean() > 0.9
    if multi_label:
        assert ((probs >= 0.5) == one_hot(TEST_Y, 4)).mean() > 0.9


def test_names_that_mislead_are_dropped():
    X, y = cluster([6, 6, 6, 6])
    misleading = np.roll(NAMES[:4], 1, axis=0)
    fitted = head("logistic")(X, one_hot(y, 4), label_embeddings=misleading)
    expected = head("logistic")(X, one_hot(y, 4))
    np.testing.assert_allclose(fitted.arrays["coef"], expected.arrays["coef"])


@pytest.mark.parametrize("name", ["kernel", "logistic"])
@pytest.mark.parametrize("counts", [[5] * 4, [16] * 4, [100] * 4, [120, 20, 5, 10]])
def test_certainty_is_accuracy(name, counts):
    """Noisy clusters, so that one in four or five is wrong: the mean certainty must say so."""
    gaps = []
    X_test, y_test = cluster([1200 * n // sum(counts) for n in counts], seed=7, noise=0.4)
    for seed in range(4):
        X, y = cluster(counts, seed=seed, noise=0.4)
        probs = scores(head(name)(X, one_hot(y, 4)), X_test)
        gaps.append(probs.max(axis=1).mean() - (probs.argmax(axis=1) == y_test).mean())
    assert abs(np.mean(gaps)) < 0.1


def test_calibration_finds_the_scale_and_the_bias():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3))
    truth = classy_calibration._softmax(logits * 3 + [0, 1, -1])
    y = np.array([rng.choice(3, p=row) for row in truth])
    scale, bias, _ = classy_calibration.calibrate(logits, y, usual_scale=1.0)
    assert scale == pytest.approx(3, rel=0.1)
    assert bias - bias.mean() == pytest.approx([0, 1, -1], abs=0.15)


def test_calibration_without_any_example_is_the_prior():
    scale, bias, _ = classy_calibration.calibrate(np.zeros((0, 3)), np.zeros(0, int), 5.0)
    assert scale == pytest.approx(5.0)
    assert bias == pytest.approx(np.zeros(3))


@pytest.mark.parametrize("name", ["kernel", "logistic", "svc", "zero_shot", "one_class"])
def test_heads_can_be_pickled(name):
    assert pickle.loads(pickle.dumps(head(name))).keywords == head(name).keywords
