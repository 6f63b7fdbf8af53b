"""Pipelines are made without the plugins that they do not use, and with those that they do."""

import subprocess
import sys
from pathlib import Path

import pytest
import spacy

from scripts.data.pipelines import blank, lean, load

ROOT = Path(__file__).parent.parent.parent
PLUGINS = ["classy_classification", "spacy_transformers"]
# In processes of their own, as what another test has imported stays.
RUN = f"""
import sys
from spacy.util import load_config, load_model_from_config
from scripts.data.pipelines import blank, lean, load

def imported():
    return [name for name in {PLUGINS} if name in sys.modules]

nlp = load(sys.argv[1])
assert nlp("A text. Another one.").has_annotation("SENT_START")
blank("en")
print(imported())
# Its weights would be fetched from the hub; its settings are enough.
nlp = lean(lambda: load_model_from_config(load_config(sys.argv[2]), auto_fill=True))
print(nlp.pipe_names, "spacy_transformers" in sys.modules)
"""
# Should this import nothing one day, `lean` is no longer needed.
AS_SPACY = f"""
import sys, spacy
spacy.blank("en")
print([name for name in {PLUGINS} if name in sys.modules])
"""


# classy as it comes, after the pipeline's component has been trained by it.
CLASSY = """
import sys
from scripts.data.pipelines import import_classy
import_classy()
from classy_classification import ClassyClassifier
print("sentence_transformers" in sys.modules)
data = dict(sports=["A goal in the last minute."], money=["Shares fell on Monday."])
try:
    ClassyClassifier(model=sys.argv[1], data=data)
except Exception as err:
    print(err)
import sentence_transformers
print(sentence_transformers.__file__ is not None)
"""


def run(code: str, *arguments: object) -> list[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert not done.returncode, done.stderr
    return done.stdout.splitlines()


def write_sentencizer(folder: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(folder)


def test_a_plugin_is_imported_only_for_a_pipeline_that_has_its_component(tmp_path: Path) -> None:
    without, config = tmp_path / "without", tmp_path / "config.cfg"
    write_sentencizer(without)
    config.write_text(
        '[nlp]\nlang = "en"\npipeline = ["transformer"]\n[components]\n'
        '[components.transformer]\nfactory = "transformer"\n',
        encoding="utf8",
    )
    assert run(RUN, without, config) == ["[]", "['transformer'] True"]
    assert run(AS_SPACY) == [str(PLUGINS)]


def test_classy_imports_sentence_transformers_when_it_makes_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    before, said, real = run(CLASSY, tmp_path / "empty")
    assert (before, real) == ("False", "True")
    assert "empty" in said


def test_afterwards_spacy_finds_plugins_as_before() -> None:
    plugins = spacy.registry._entry_point_factories
    assert lean(lambda: plugins.entry_points) is False
    assert plugins.entry_points is True
    with pytest.raises(ValueError, match="no such thing"):
        lean(lambda: (_ for _ in ()).throw(ValueError("no such thing")))
    assert plugins.entry_points is True


def test_an_unknown_component_is_named(tmp_path: Path) -> None:
    write_sentencizer(tmp_path)
    config = tmp_path / "config.cfg"
    text = config.read_text(encoding="utf8")
    config.write_text(text.replace('factory = "sentencizer"', 'factory = "sentencing"'))
    with pytest.raises(ValueError, match="sentencing"):
        load(tmp_path)
    assert blank("en").lang == "en"
