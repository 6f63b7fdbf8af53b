import numpy as np
import pytest
import srsly

from components.onnx_encoder import WEIGHTS, OnnxEncoder
from scripts.cli.errors import ProjectError
from scripts.encoder import main as encoder
from scripts.shipping.encoder import DEFAULT_MODEL, MIN_COSINE, SAMPLES, export, find_model


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    return folder, export(DEFAULT_MODEL, folder)


def test_export_is_faithful(exported):
    folder, cosines = exported
    assert len(cosines) == len(SAMPLES)
    assert cosines.min() >= 0.9999
    assert OnnxEncoder(folder).encode(["text"]).shape == (1, 384)


def test_settings_are_the_models_own(exported):
    settings = srsly.read_json(exported[0] / "encoder.json")
    assert settings["model"] == DEFAULT_MODEL
    assert settings["max_length"] == 256  # not the 512 of its architecture
    assert settings["dim"] == 384
    assert settings["precision"] == "fp32"
    assert settings["modules"] == ["Transformer", "Pooling", "Normalize"]


def test_the_same_export_twice_is_the_same_encoder(exported, tmp_path):
    export(DEFAULT_MODEL, tmp_path)
    assert OnnxEncoder(tmp_path).fingerprint == OnnxEncoder(exported[0]).fingerprint


def test_int8_is_another_encoder_close_by(exported, tmp_path):
    cosines = export(DEFAULT_MODEL, tmp_path, precision="int8")
    assert 0.95 <= cosines.min() < 0.9999
    sizes = [(folder / WEIGHTS).stat().st_size for folder in (tmp_path, exported[0])]
    assert sizes[0] < sizes[1] / 3
    assert OnnxEncoder(tmp_path).fingerprint != OnnxEncoder(exported[0]).fingerprint


def test_int8_leaves_layers_in_32_bits_where_all_would_not_be_faithful(tmp_path, monkeypatch):
    whole, mixed = tmp_path / "whole", tmp_path / "mixed"
    close = export(DEFAULT_MODEL, whole, precision="int8")
    monkeypatch.setitem(MIN_COSINE, "int8", close.min() + 1e-6)
    closer = export(DEFAULT_MODEL, mixed, precision="int8")
    assert closer.min() > close.min()
    sizes = [(folder / WEIGHTS).stat().st_size for folder in (whole, mixed)]
    assert sizes[0] < sizes[1] < 2 * sizes[0]
    assert OnnxEncoder(mixed).settings["precision"] == "int8"


def test_an_unfaithful_export_replaces_nothing(exported, tmp_path, monkeypatch):
    OnnxEncoder(exported[0]).to_disk(tmp_path)
    before = (tmp_path / "encoder.json").read_text()
    monkeypatch.setattr("scripts.shipping.encoder.check", lambda *_: np.array([0.5]))
    with pytest.raises(ProjectError, match="not faithful"):
        export(DEFAULT_MODEL, tmp_path)
    assert (tmp_path / "encoder.json").read_text() == before


def test_the_default_comes_from_the_installed_package():
    path, origin = find_model(DEFAULT_MODEL)
    assert "installed package" in origin
    assert path.endswith("model")
    assert find_model("sentence-transformers/another")[1] == "the Hugging Face hub"


def test_a_local_folder(tmp_path):
    assert find_model(str(tmp_path)) == (str(tmp_path), "a local folder")
    with pytest.raises(ProjectError, match="no folder with a model") as err:
        export(str(tmp_path), tmp_path / "out")
    assert "Check the name" in err.value.hint
    assert not (tmp_path / "out").exists()


def test_models_of_other_shapes(tmp_path):
    """Other pooling, a dense layer, no token types, lower-casing: what modules.json names is what
    is exported."""
    torch = pytest.importorskip("torch")
    from sentence_transformers import SentenceTransformer, models
    from transformers import DistilBertConfig, DistilBertModel, DistilBertTokenizerFast

    torch.manual_seed(0)
    tokenizer = DistilBertTokenizerFast.from_pretrained(find_model(DEFAULT_MODEL)[0])
    size = {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 4}
    DistilBertModel(DistilBertConfig(vocab_size=len(tokenizer), **size)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    transformer = models.Transformer(str(tmp_path), max_seq_length=20, do_lower_case=True)
    pooling = models.Pooling(32, pooling_mode="cls")
    dense = models.Dense(32, 16, activation_function=torch.nn.Tanh())
    SentenceTransformer(modules=[transformer, pooling, dense]).save(str(tmp_path / "model"))
    cosines = export(str(tmp_path / "model"), tmp_path / "out")
    assert cosines.min() >= 0.9999
    encoder = OnnxEncoder(tmp_path / "out")
    assert (encoder.dim, encoder.settings["max_length"]) == (16, 20)
    assert encoder.encode(["Text", "text"]).std(axis=0).max() == 0


def test_a_prefix_stands_before_each_text(exported, tmp_path):
    cosines = export(DEFAULT_MODEL, tmp_path, prefix="query: ")
    assert cosines.min() >= 0.9999
    with_prefix, plain = OnnxEncoder(tmp_path), OnnxEncoder(exported[0])
    assert with_prefix.fingerprint != plain.fingerprint
    np.testing.assert_allclose(
        with_prefix.encode(["stocks"]), plain.encode(["query: stocks"]), atol=1e-6
    )


def test_no_name_of_an_encoder(tmp_path):
    for name in ("", " "):
        with pytest.raises(ProjectError, match="No sentence encoder is named") as err:
            encoder(name, tmp_path / "encoder")
        assert "--vars.encoder" in err.value.hint
