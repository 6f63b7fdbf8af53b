"""A trained pipeline on the real encoder, and short ways to make others."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from spacy.language import Language

import components.code  # noqa: F401
from tests.components.helpers import TRAIN, examples, one_hot

MakePipeline = Callable[..., Language]


@pytest.fixture(scope="session")
def make_pipeline(encoder_folder: Path) -> MakePipeline:
    """make_pipeline(rows, lang=, initialize=, **config of the component) -> a trained pipeline."""

    def make(
        rows: Iterable[tuple[str, dict[str, float]]] = (),
        lang: str = "en",
        initialize: dict[str, Any] | None = None,
        **config: Any,
    ) -> Language:
        nlp = spacy.blank(lang)
        encoder = {"@misc": "onnx_encoder.v1", "path": str(encoder_folder), "threads": 1}
        nlp.add_pipe("classy_textcat", config={"encoder": encoder, **config})
        nlp.config["initialize"]["components"]["classy_textcat"] = initialize or {}
        data = examples(nlp, rows)
        nlp.initialize(lambda: data)
        return nlp

    return make


@pytest.fixture(scope="session")
def nlp(make_pipeline: MakePipeline) -> Language:
    """Three labels that exclude each other. Not to be changed by a test."""
    return make_pipeline(one_hot(TRAIN))


@pytest.fixture(scope="session")
def int8_folder(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same encoder with 8-bit weights, from the finished 32-bit export: no torch needed."""
    from components.onnx_encoder import MODEL, SETTINGS, WEIGHTS
    from scripts.shipping.encoder import split_weights, to_int8

    folder = tmp_path_factory.mktemp("int8")
    shutil.copytree(encoder_folder, folder, dirs_exist_ok=True)
    settings = srsly.read_json(folder / SETTINGS)
    if settings["precision"] == "fp32":
        to_int8(folder / MODEL)
        (folder / WEIGHTS).unlink(missing_ok=True)
        split_weights(folder / MODEL)
        settings.update(precision="int8", fingerprint="int8-of-" + settings["fingerprint"])
        srsly.write_json(folder / SETTINGS, settings)
    return folder
