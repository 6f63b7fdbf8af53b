"""Any pipeline that sets doc.cats, and its own decision."""

import json
from pathlib import Path

import pytest
import spacy

from scripts.cli.errors import ProjectError
from scripts.trying.pipeline import open_pipeline
from tests.components.helpers import TEST
from tests.trying.conftest import LABELS

TEXTS = [text for text, _ in TEST]


def test_one_label_a_text(model: Path) -> None:
    pipeline = open_pipeline(str(model))
    assert (pipeline.labels, pipeline.threshold) == (LABELS, None)
    results = pipeline.classify(TEXTS)
    assert [(result.text, *result.given) for result in results] == TEST
    nlp = spacy.load(model)
    for result in results:
        assert result.cats == pytest.approx(nlp(result.text).cats)
        assert result.certainty == max(result.cats.values())


def test_any_number_of_labels_by_the_components_threshold(several: Path) -> None:
    pipeline = open_pipeline(str(several))
    assert pipeline.threshold == 0.999
    (result,) = pipeline.classify(TEXTS[:1])
    assert result.given == ()  # nothing is that sure
    assert result.certainty == pytest.approx(1 - max(result.cats.values()))
    pipeline.nlp.get_pipe("classy_textcat").cfg["threshold"] = 0.0
    pipeline.nlp.to_disk(several.parent / "all")
    (result,) = open_pipeline(str(several.parent / "all")).classify(TEXTS[:1])
    assert result.given == LABELS


@pytest.mark.parametrize(("factory", "threshold"), [("textcat", None), ("textcat_multilabel", 0.5)])
def test_spacys_own_categorizers(factory: str, threshold: float | None, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    textcat = nlp.add_pipe(factory)
    for label in LABELS:
        textcat.add_label(label)  # type: ignore[attr-defined]
    nlp.initialize()
    nlp.to_disk(tmp_path / "model")
    pipeline = open_pipeline(str(tmp_path / "model"))
    assert (pipeline.labels, pipeline.threshold) == (LABELS, threshold)
    assert pipeline.encoder is None
    (result,) = pipeline.classify(TEXTS[:1])
    if threshold is None:
        assert len(result.given) == 1
    assert set(result.cats) == set(LABELS)


def test_an_installed_package_by_its_name(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `spacy package` and pip lay it: with and without its language."""
    data = tmp_path / "en_headlines" / "en_headlines-1.2.3"
    data.mkdir(parents=True)
    nlp = spacy.load(model)
    nlp.meta |= {"name": "headlines", "version": "1.2.3"}
    nlp.to_disk(data)
    (data.parent / "meta.json").write_text(json.dumps(nlp.meta))
    (data.parent / "__init__.py").write_text(
        "from spacy.util import load_model_from_init_py\n"
        "def load(**overrides):\n    return load_model_from_init_py(__file__, **overrides)\n"
    )
    info = tmp_path / "en_headlines-1.2.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: en_headlines\nVersion: 1.2.3\n")
    (info / "entry_points.txt").write_text("[spacy_models]\nen_headlines = en_headlines\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path / "en_headlines")  # where there is no folder of that name
    for name in ("en_headlines", "headlines", "en-headlines"):
        pipeline = open_pipeline(name)
        assert (pipeline.name, pipeline.meta["version"]) == ("en_headlines", "1.2.3")
    assert [result.given for result in pipeline.classify(TEXTS)] == [(one,) for _, one in TEST]
    with pytest.raises(ProjectError) as err:
        open_pipeline("en_gone")
    assert "Installed are: en_headlines" in err.value.hint


def test_a_wheel_is_to_be_installed_first(tmp_path: Path) -> None:
    (wheel := tmp_path / "en_textcat-0.1.0-py3-none-any.whl").touch()
    with pytest.raises(ProjectError, match="is a wheel") as err:
        open_pipeline(str(wheel))
    assert f"pip install {wheel}" in err.value.hint
    assert "--vars.try_model en_textcat" in err.value.hint


def test_a_pipeline_that_does_not_classify_and_one_that_is_damaged(tmp_path: Path) -> None:
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(ProjectError, match="does not classify texts"):
        open_pipeline(str(tmp_path / "blank"))
    (tmp_path / "blank" / "config.cfg").write_text("[nlp")
    with pytest.raises(ProjectError, match="cannot be loaded"):
        open_pipeline(str(tmp_path / "blank"))
