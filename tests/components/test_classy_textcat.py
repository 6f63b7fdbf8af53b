"""spaCy's contract of a component, on the real encoder."""

import copy
import pickle
import shutil

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training import Corpus
from spacy.util import registry

from tests.components.helpers import TEST, TRAIN, examples, one_hot

LABELS = ("business", "sport", "tech")
TEXTS = [text for text, _ in TEST]


def cats_of(nlp, texts=TEXTS):
    return [doc.cats for doc in nlp.pipe(texts)]


def best(cats):
    return max(cats, key=cats.__getitem__)


def test_learns(nlp):
    assert [best(cats) for cats in cats_of(nlp)] == [label for _, label in TEST]


def test_metadata(nlp):
    meta = Language.get_factory_meta("classy_textcat")
    assert meta.assigns == ["doc.cats"]
    assert not meta.requires
    assert not meta.retokenizes
    assert meta.default_score_weights["cats_score"] == 1.0
    analysis = nlp.analyze_pipes()
    assert analysis["summary"]["classy_textcat"]["assigns"] == ["doc.cats"]
    assert not analysis["problems"]["classy_textcat"]
    assert nlp.meta["labels"] == {"classy_textcat": list(LABELS)}


def test_labels(nlp):
    pipe = nlp.get_pipe("classy_textcat")
    assert pipe.labels == LABELS
    assert pipe.label_data == list(LABELS)
    assert not pipe.is_trainable


def test_cats_are_plain_floats_of_every_label(nlp):
    for cats in cats_of(nlp):
        assert tuple(cats) == LABELS
        assert all(type(value) is float for value in cats.values())
        assert sum(cats.values()) == pytest.approx(1)


def test_predict_and_set_annotations(nlp):
    pipe = nlp.get_pipe("classy_textcat")
    docs = [nlp.make_doc(text) for text in TEXTS]
    scores = pipe.predict(docs)
    assert scores.shape == (3, 3)
    assert not docs[0].cats
    docs[0].cats = {"another component's": 0.3}
    pipe.set_annotations(docs, scores)
    assert docs[0].cats.pop("another component's") == 0.3
    assert [doc.cats for doc in docs] == cats_of(nlp)
    np.testing.assert_array_equal(scores, pipe.predict_embeddings(pipe.encoder.encode(TEXTS)))
    assert pipe.predict([]).shape == (0, 3)


def test_pipe_and_call_agree_and_keep_order(nlp):
    texts = TEXTS * 7
    docs = list(nlp.pipe(texts, batch_size=4))
    assert [doc.text for doc in docs] == texts
    for doc in docs:
        assert doc.cats == pytest.approx(nlp(doc.text).cats, abs=1e-6)


def test_stream_is_not_read_ahead_of_a_batch(nlp):
    pulled = []

    def stream():
        for i in range(100):
            pulled.append(i)
            yield nlp.make_doc(f"text {i}")

    next(iter(nlp.get_pipe("classy_textcat").pipe(stream(), batch_size=5)))
    assert len(pulled) <= 6


def test_scores(nlp, make_pipeline):
    scores = nlp.evaluate(examples(nlp, one_hot(TEST)))
    assert scores["cats_score"] == scores["cats_macro_f"] == 1.0
    assert scores["cats_macro_auc"] == 1.0
    assert set(scores["cats_f_per_type"]) == set(LABELS)
    multi = make_pipeline(one_hot(TRAIN), multi_label=True)
    scores = multi.evaluate(examples(multi, one_hot(TEST)))
    assert scores["cats_score_desc"] == "macro AUC"
    assert scores["cats_score"] == 1.0


def test_threshold_counts_in_multi_label_scores(make_pipeline):
    def recall(threshold):
        nlp = make_pipeline(one_hot(TRAIN), multi_label=True, threshold=threshold)
        return nlp.evaluate(examples(nlp, one_hot(TEST)))["cats_macro_r"]

    assert recall(0.0) == 1.0
    assert recall(1.0) == 0.0


def test_error_handler(make_pipeline, monkeypatch):
    nlp = make_pipeline(one_hot(TRAIN))
    pipe = nlp.get_pipe("classy_textcat")
    encode = pipe.encoder.encode

    def fail(texts):
        if "bad" in texts:
            raise RuntimeError("cannot be embedded")
        return encode(texts)

    monkeypatch.setattr(pipe.encoder, "encode", fail)
    with pytest.raises(RuntimeError, match="cannot be embedded"):
        list(nlp.pipe(["good", "bad"]))
    seen = []
    nlp.set_error_handler(lambda name, proc, docs, err: seen.append((name, len(docs), str(err))))
    docs = list(nlp.pipe(["good", "bad", "fine", "well"], batch_size=2))
    assert [doc.text for doc in docs] == ["fine", "well"]
    assert seen == [("classy_textcat", 2, "cannot be embedded")]
    nlp("bad")
    assert len(seen) == 2


@pytest.mark.parametrize("has_encoder", [True, False])
def test_not_initialized(has_encoder, encoder_folder, tmp_path):
    path = encoder_folder if has_encoder else tmp_path / "none"
    nlp = spacy.blank("en")
    config = {"encoder": {"@misc": "onnx_encoder.v1", "path": str(path)}}
    pipe = nlp.add_pipe("classy_textcat", config=config)
    assert pipe.labels == ()
    with pytest.raises(ValueError, match="E109"):
        nlp("text")
    with pytest.raises(ValueError, match="E109"):
        list(nlp.pipe(["text"]))


def test_initialized_without_labels(make_pipeline):
    with pytest.raises(ValueError, match="no labels to learn"):
        make_pipeline()


def test_labels_are_strings(make_pipeline):
    with pytest.raises(ValueError, match="E187"):
        make_pipeline([("Profits", {1: 1.0, "sport": 0.0}), ("Goals", {1: 0.0, "sport": 1.0})])


def test_labels_that_exclude_each_other_do(make_pipeline):
    rows = [("Profits of football clubs", {"business": 1.0, "sport": 1.0})]
    with pytest.raises(ValueError, match=r"several \(business, sport\).*multi_label = true"):
        make_pipeline(rows)


def test_wrong_initialize_settings_are_refused(make_pipeline):
    with pytest.raises(registry_error(), match="labels"):
        make_pipeline(one_hot(TRAIN), initialize={"labels": 3})


def registry_error():
    from confection import ConfigValidationError

    return ConfigValidationError


def test_save_and_load(nlp, tmp_path):
    expected = cats_of(nlp)
    nlp.to_disk(tmp_path / "a")
    loaded = spacy.load(tmp_path / "a")
    assert cats_of(loaded) == expected
    # Over itself, and elsewhere after the first folder is gone.
    loaded.to_disk(tmp_path / "a")
    assert cats_of(spacy.load(tmp_path / "a")) == expected
    shutil.rmtree(tmp_path / "a")
    loaded.to_disk(tmp_path / "b")
    assert cats_of(spacy.load(tmp_path / "b")) == expected
    blank = spacy.blank("en")
    blank.add_pipe("classy_textcat")
    assert cats_of(blank.from_bytes(nlp.to_bytes())) == expected


def test_what_is_saved_is_no_code(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    component = tmp_path / "classy_textcat"
    files = {str(path.relative_to(component)) for path in component.rglob("*") if path.is_file()}
    encoder = {"encoder.json", "model.onnx", "model.onnx.data", "tokenizer.json"}
    assert files == {"cfg", "head", *(f"encoder/{name}" for name in encoder)}
    # Texts of the training data stay where they are.
    for name in ("cfg", "head"):
        assert TRAIN[0][0].encode() not in (component / name).read_bytes()
    assert TRAIN[0][0] not in (tmp_path / "config.cfg").read_text()


def test_exclude(nlp, make_pipeline, encoder_folder, tmp_path):
    pipe = nlp.get_pipe("classy_textcat")
    pipe.to_disk(tmp_path / "pipe", exclude=["encoder"])
    assert not (tmp_path / "pipe" / "encoder").exists()
    other = make_pipeline(one_hot([*TRAIN, ("A vote in parliament.", "politics")]))
    target = other.get_pipe("classy_textcat")
    target.from_disk(tmp_path / "pipe", exclude=["encoder"])
    assert cats_of(other) == [pytest.approx(cats, abs=1e-6) for cats in cats_of(nlp)]
    data = pipe.to_bytes(exclude=["encoder", "vocab"])
    assert len(data) < 100_000
    assert target.from_bytes(data, exclude=["encoder", "vocab"]).labels == LABELS


def test_vectors_of_the_vocab_are_not_copied(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    assert not (tmp_path / "classy_textcat" / "vocab").exists()


def test_copy_and_pickle(nlp):
    expected = cats_of(nlp)
    pipe = nlp.get_pipe("classy_textcat")
    docs = [nlp.make_doc(text) for text in TEXTS]
    for twin in (copy.deepcopy(pipe), pickle.loads(pickle.dumps(pipe))):
        assert twin.encoder.engine is pipe.encoder.engine
        np.testing.assert_array_equal(twin.predict(docs), pipe.predict(docs))
    assert cats_of(pickle.loads(pickle.dumps(nlp))) == expected


def test_two_processes(nlp):
    texts = [f"{text} Report {i}." for i in range(5) for text in TEXTS]
    # Processes first: what one process has embedded the forked ones would find in the cache.
    parallel = [doc.cats for doc in nlp.pipe(texts, n_process=2, batch_size=3)]
    assert [pytest.approx(cats, abs=1e-6) for cats in cats_of(nlp, texts)] == parallel


def test_several_in_one_pipeline_share_embeddings(encoder_folder, tmp_path, monkeypatch):
    nlp = spacy.blank("en")
    encoder = {"@misc": "onnx_encoder.v1", "path": str(encoder_folder)}
    topic = nlp.add_pipe("classy_textcat", name="topic", config={"encoder": encoder})
    tone = nlp.add_pipe(
        "classy_textcat", name="tone", config={"encoder": encoder, "multi_label": True}
    )
    nlp.config["initialize"]["components"] = {
        "topic": {"labels": list(LABELS)},
        "tone": {"labels": ["good news"]},
    }
    rows = [
        (text, {**cats, "good news": float(i % 2)}) for i, (text, cats) in enumerate(one_hot(TRAIN))
    ]
    data = examples(nlp, rows)
    nlp.initialize(lambda: data)
    assert topic.encoder.engine is tone.encoder.engine
    runs = []
    run = topic.encoder.engine._run
    monkeypatch.setattr(topic.encoder.engine, "_run", lambda r: runs.extend(r) or run(r))
    texts = [f"{text} For both." for text in TEXTS]
    expected = cats_of(nlp, texts)
    assert len(runs) == len(texts)
    assert [tuple(cats) for cats in expected] == [(*LABELS, "good news")] * len(texts)
    assert sum(expected[0][label] for label in LABELS) == pytest.approx(1)
    nlp.to_disk(tmp_path)
    assert cats_of(spacy.load(tmp_path), texts) == expected
    models = [tmp_path / name / "encoder" / "model.onnx.data" for name in ("topic", "tone")]
    assert models[0].samefile(models[1])
    assert set(nlp.evaluate(examples(nlp, one_hot(TEST)))["cats_f_per_type"]) <= {
        *LABELS,
        "good news",
    }


class ReadsCats:
    """A component that learns from what the components before it have annotated."""

    def __init__(self):
        self.seen = []

    def __call__(self, doc):
        return doc

    def update(self, examples, *, drop=0.0, sgd=None, losses=None):
        self.seen += [dict(example.predicted.cats) for example in examples]


def test_frozen_and_annotating(nlp, tmp_path):
    """Frozen, it keeps what it learned while others are initialized; annotating, it gives its cats
    to the components that learn after it."""
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    reader = ReadsCats()
    Language.component("test_reads_cats", func=reader)
    loaded.add_pipe("test_reads_cats")
    with loaded.select_pipes(disable=["classy_textcat"]):
        optimizer = loaded.initialize()
    assert cats_of(loaded) == cats_of(nlp)
    loaded.update(examples(loaded, one_hot(TEST)), sgd=optimizer, annotates=["classy_textcat"])
    assert reader.seen == cats_of(nlp)


def test_beside_a_component_with_a_neural_network(make_pipeline):
    nlp = make_pipeline(one_hot(TRAIN))
    expected = cats_of(nlp)
    nlp.add_pipe("textcat_multilabel", first=True)
    nlp.config["initialize"]["components"]["textcat_multilabel"] = {"labels": ["long"]}
    rows = [(text, {**cats, "long": 0.0}) for text, cats in one_hot(TRAIN)]
    nlp.config["initialize"]["components"]["classy_textcat"] = {"labels": list(LABELS)}
    data = examples(nlp, rows)
    optimizer = nlp.initialize(lambda: data)
    nlp.update(data, sgd=optimizer)
    assert [{label: cats[label] for label in LABELS} for cats in cats_of(nlp)] == expected
    assert 0 <= nlp(TEXTS[0]).cats["long"] <= 1


@pytest.mark.parametrize("lang", ["xx", "de", "ja", "zh"])
def test_other_languages(make_pipeline, lang):
    try:
        spacy.blank(lang)
    except ImportError as err:
        pytest.skip(str(err).splitlines()[0])
    nlp = make_pipeline(one_hot(TRAIN), lang=lang)
    assert best(nlp("株価が上昇した" if lang in ("ja", "zh") else TEXTS[0]).cats) in LABELS


def test_train_again_with_a_grown_label_set(make_pipeline):
    nlp = make_pipeline(one_hot(TRAIN))
    before = cats_of(nlp)
    more = one_hot([*TRAIN, ("Parliament passed the bill.", "politics")])
    data = examples(nlp, more)
    nlp.initialize(lambda: data)
    pipe = nlp.get_pipe("classy_textcat")
    assert pipe.labels == ("business", "politics", "sport", "tech")
    assert best(nlp("The prime minister lost the vote in parliament.").cats) == "politics"
    data = examples(nlp, one_hot(TRAIN))
    nlp.initialize(lambda: data)
    assert cats_of(nlp) == before


def test_the_same_data_in_another_order_is_the_same_model_but_for_its_folds(make_pipeline):
    one, same = (make_pipeline(one_hot(TRAIN)) for _ in range(2))
    assert cats_of(one) == cats_of(same)
    turned = make_pipeline(one_hot(TRAIN[::-1]))
    for cats, other in zip(cats_of(one), cats_of(turned), strict=True):
        assert best(cats) == best(other)


def test_labels_keep_the_order_they_are_given_in(make_pipeline):
    given = ["tech", "business", "sport"]
    nlp = make_pipeline(one_hot(TRAIN), initialize={"labels": given})
    assert nlp.get_pipe("classy_textcat").labels == tuple(given)
    assert [best(cats) for cats in cats_of(nlp)] == [label for _, label in TEST]


@pytest.mark.parametrize("head", ["svc", "logistic"])
def test_classifier_by_name(make_pipeline, head):
    nlp = make_pipeline(one_hot(TRAIN), classifier={"@misc": f"classy_head.{head}.v1"})
    assert [best(cats) for cats in cats_of(nlp)] == [label for _, label in TEST]


def test_a_head_of_ones_own(make_pipeline):
    from sklearn.neighbors import NearestCentroid

    from components.classy_heads import FittedHead

    @registry.misc("test_centroid_head")
    def make_centroid_head():
        def fit(X, Y, **_):
            model = NearestCentroid().fit(X, Y.argmax(axis=1))
            return FittedHead(
                "softmax", {"coef": 9 * model.centroids_, "intercept": np.zeros(len(Y[0]))}
            )

        return fit

    nlp = make_pipeline(one_hot(TRAIN), classifier={"@misc": "test_centroid_head"})
    assert [best(cats) for cats in cats_of(nlp)] == [label for _, label in TEST]


def test_another_encoder_may_stand_in_while_training(make_pipeline, tmp_path):
    """As the loop does, with one that remembers on disk."""

    class Recording:
        def __init__(self, encoder):
            self.encoder, self.texts = encoder, []

        def encode(self, texts, show_progress_bar=False):
            self.texts += texts
            return self.encoder.encode(texts)

        def __getattr__(self, name):
            return getattr(self.encoder, name)

    nlp = make_pipeline(one_hot(TRAIN))
    pipe = nlp.get_pipe("classy_textcat")
    pipe.encoder = Recording(pipe.encoder)
    data = examples(nlp, one_hot(TRAIN))
    nlp.initialize(lambda: data)
    assert {text for text, _ in TRAIN} <= set(pipe.encoder.texts)
    nlp.to_disk(tmp_path)
    assert cats_of(spacy.load(tmp_path)) == cats_of(nlp)


def test_a_pool_may_come_from_a_function(nlp, make_pipeline):
    texts, found = [text for text, _ in TRAIN] * 3, []
    for pool in (texts, lambda: texts):
        other = make_pipeline(one_hot(TRAIN))
        data = examples(other, one_hot(TRAIN))
        pipe = other.get_pipe("classy_textcat")
        pipe.initialize(lambda: data, pool=pool)  # noqa: B023
        found.append(cats_of(other))
    assert found[0] == found[1] != cats_of(nlp)  # of the latter, without a pool


def test_reads_a_corpus(nlp, make_pipeline, tmp_path):
    docs = DocBin()
    for text, cats in one_hot(TRAIN):
        doc = nlp.make_doc(text)
        doc.cats = cats
        docs.add(doc)
    docs.to_disk(tmp_path / "train.spacy")
    other = make_pipeline(one_hot(TRAIN))
    corpus = Corpus(tmp_path / "train.spacy")
    other.initialize(lambda: corpus(other))
    assert cats_of(other) == cats_of(nlp)


def test_requirements_of_a_package(nlp):
    names = {requirement.partition(">=")[0] for requirement in nlp.meta["requirements"]}
    assert names == {"onnxruntime", "tokenizers", "numpy"}
