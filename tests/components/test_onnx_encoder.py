import multiprocessing
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from components.onnx_encoder import MODEL, WEIGHTS, OnnxEncoder, _engines
from scripts.shipping.encoder import DEFAULT_MODEL, find_model

TEXTS = ["One.", "A rather longer text about nothing much.", "", "ein Satz auf Deutsch", "x " * 900]


def test_embeddings_are_those_of_sentence_transformers(encoder_folder):
    sentence_transformers = pytest.importorskip("sentence_transformers")
    original = sentence_transformers.SentenceTransformer(find_model(DEFAULT_MODEL)[0], device="cpu")
    expected = original.encode(TEXTS, show_progress_bar=False)
    found = OnnxEncoder(encoder_folder).encode(TEXTS)
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert (found * expected).sum(axis=1).min() >= 0.9999


@pytest.mark.parametrize("batch_size", [1, 3, 32])
@pytest.mark.parametrize("threads", [1, 2])
def test_order_batches_and_threads_do_not_matter(encoder_folder, batch_size, threads):
    expected = OnnxEncoder(encoder_folder, threads=1).encode(TEXTS)
    encoder = OnnxEncoder(encoder_folder, batch_size=batch_size, threads=threads)
    encoder.engine.cache.clear()
    order = [3, 0, 4, 0, 1, 2]
    found = encoder.encode([TEXTS[i] for i in order])
    np.testing.assert_allclose(found, expected[order], atol=1e-6)


def test_int8_texts_do_not_depend_on_their_neighbours(int8_folder):
    encoder = OnnxEncoder(int8_folder, batch_size=32, threads=2)
    together = encoder.encode(TEXTS)
    encoder.engine.cache.clear()
    alone = np.vstack([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_array_equal(together, alone)


def test_no_texts(encoder_folder):
    encoder = OnnxEncoder(encoder_folder)
    assert encoder.encode([]).shape == (0, encoder.dim)


def test_one_string_is_not_a_list_of_texts(encoder_folder):
    with pytest.raises(ValueError, match="list of texts"):
        OnnxEncoder(encoder_folder).encode("text")


def test_lone_surrogates_are_replaced(encoder_folder):
    encoder = OnnxEncoder(encoder_folder)
    np.testing.assert_array_equal(encoder.encode(["a\ud800b"]), encoder.encode(["a?b"]))


def test_a_text_is_embedded_once(encoder_folder, monkeypatch):
    encoder, other = OnnxEncoder(encoder_folder), OnnxEncoder(encoder_folder)
    encoded = []
    run = encoder.engine._run
    monkeypatch.setattr(encoder.engine, "_run", lambda rows: encoded.extend(rows) or run(rows))
    texts = ["said nowhere else", "said nowhere else", "nor this"]
    encoder.encode(texts)
    other.encode(texts)
    assert len(encoded) == 2


def test_the_cache_does_not_grow_without_end(encoder_folder, monkeypatch):
    monkeypatch.setattr("components.onnx_encoder.CACHED_TEXTS", 10)
    encoder = OnnxEncoder(encoder_folder)
    texts = [f"text {i}" for i in range(25)]
    expected = encoder.encode(texts)
    assert len(encoder.engine.cache) == 10
    np.testing.assert_allclose(encoder.encode(texts), expected, atol=1e-6)


def test_encoders_of_one_model_share_it_and_let_it_go(encoder_folder):
    first = OnnxEncoder(encoder_folder, max_length=17)
    second = OnnxEncoder(encoder_folder, max_length=17, threads=2)
    assert first.engine is second.engine
    fingerprint = first.fingerprint
    del first, second
    assert fingerprint not in _engines


def test_max_length_is_part_of_the_fingerprint_and_bounded_by_the_model(encoder_folder):
    full, long, short = (OnnxEncoder(encoder_folder, max_length=n) for n in (None, 9999, 16))
    assert full.fingerprint == long.fingerprint != short.fingerprint
    # 16 tokens are 14 words here; what follows them does not count.
    words = " ".join(["word"] * 14)
    np.testing.assert_array_equal(short.encode([words]), short.encode([words + " more of them"]))


def test_saved_loaded_and_saved_again_after_the_folder_is_gone(encoder_folder, tmp_path):
    shutil.copytree(encoder_folder, tmp_path / "a")
    encoder = OnnxEncoder().from_disk(tmp_path / "a")
    shutil.rmtree(tmp_path / "a")
    encoder.to_disk(tmp_path / "b")
    encoder.to_disk(tmp_path / "b")
    again = OnnxEncoder().from_bytes(OnnxEncoder(tmp_path / "b").to_bytes())
    assert again.fingerprint == encoder.fingerprint
    for name in (MODEL, WEIGHTS):
        assert (tmp_path / "b" / name).read_bytes() == (encoder_folder / name).read_bytes()
    np.testing.assert_array_equal(again.encode(TEXTS), encoder.encode(TEXTS))


def test_a_replaced_model_file_does_not_change_a_loaded_encoder(
    encoder_folder, int8_folder, tmp_path
):
    shutil.copytree(encoder_folder, tmp_path / "a")
    encoder = OnnxEncoder(tmp_path / "a", max_length=18)  # a model of its own, not loaded yet
    assert encoder.settings["precision"] == "fp32"
    OnnxEncoder(int8_folder).to_disk(tmp_path / "a")
    expected = OnnxEncoder(encoder_folder, max_length=18)
    np.testing.assert_array_equal(encoder.encode(TEXTS), expected.encode(TEXTS))


def test_a_failed_save_leaves_the_old_model_whole(encoder_folder, int8_folder, tmp_path):
    OnnxEncoder(int8_folder).to_disk(tmp_path)
    before = OnnxEncoder(tmp_path).fingerprint
    (tmp_path / f"{MODEL}.part").mkdir()  # cannot be written to
    with pytest.raises(OSError, match=MODEL):
        OnnxEncoder(encoder_folder).to_disk(tmp_path)
    assert OnnxEncoder(tmp_path).fingerprint == before
    assert OnnxEncoder(tmp_path).encode(["text"]).shape == (1, 384)


def test_weights_may_be_in_the_model_file(encoder_folder, tmp_path):
    onnx = pytest.importorskip("onnx")
    shutil.copytree(encoder_folder, tmp_path / "a")
    onnx.save_model(onnx.load(encoder_folder / MODEL), tmp_path / "a" / MODEL)
    (tmp_path / "a" / WEIGHTS).unlink()
    encoder = OnnxEncoder(tmp_path / "a", max_length=19)
    encoder.to_disk(tmp_path / "b")
    assert not (tmp_path / "b" / WEIGHTS).exists()
    expected = OnnxEncoder(encoder_folder, max_length=19).encode(TEXTS)
    for again in (OnnxEncoder(tmp_path / "b", max_length=19), encoder):
        again.engine.cache.clear()
        np.testing.assert_array_equal(again.encode(TEXTS), expected)
    # Over an encoder with weights of their own, none of which may stay.
    shutil.copytree(encoder_folder, tmp_path / "c")
    encoder.to_disk(tmp_path / "c")
    assert not (tmp_path / "c" / WEIGHTS).exists()


def test_encoders_outside_one_pipeline_share_no_files(encoder_folder, tmp_path):
    for name in ("a", "b"):
        OnnxEncoder(encoder_folder).to_disk(tmp_path / name / "encoder")
        assert (tmp_path / name / "encoder" / WEIGHTS).stat().st_nlink == 1


@pytest.mark.parametrize("missing", ["encoder.json", "tokenizer.json", "model.onnx"])
def test_a_missing_file_is_named_with_what_to_do(encoder_folder, tmp_path, missing):
    shutil.copytree(encoder_folder, tmp_path / "a")
    (tmp_path / "a" / missing).unlink()
    with pytest.raises(ValueError, match=rf"{missing} missing.*weasel run encoder"):
        OnnxEncoder(tmp_path / "a").encode(["text"])


def test_an_encoder_without_a_model_says_so():
    with pytest.raises(ValueError, match="no model"):
        OnnxEncoder().encode(["text"])


@pytest.mark.parametrize("setting", [{"batch_size": 0}, {"threads": -1}, {"max_length": 0}])
def test_impossible_settings(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        OnnxEncoder(**setting)


def _encode_in_child(encoder, queue):
    queue.put((encoder.encode(["only in the child"]), os.getpid()))


def test_works_in_a_forked_process(encoder_folder):
    encoder = OnnxEncoder(encoder_folder)
    encoder.encode([f"in the parent first {i}" for i in range(9)])
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_encode_in_child, args=(encoder, queue), daemon=True)
    process.start()
    found, pid = queue.get(timeout=120)
    process.join()
    assert pid != os.getpid()
    np.testing.assert_array_equal(found, encoder.encode(["only in the child"]))


def test_pickles_with_and_without_a_model(encoder_folder):
    encoder = pickle.loads(pickle.dumps(OnnxEncoder(encoder_folder, threads=1)))
    encoder.path = None  # what was pickled is enough
    assert encoder.encode(TEXTS).shape == (len(TEXTS), encoder.dim)
    assert pickle.loads(pickle.dumps(OnnxEncoder("nowhere"))).path == Path("nowhere")
