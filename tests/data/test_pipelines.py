"""Pipelines are made without the plugins that they do not use, and with those that they do."""

import subprocess
import sys
from pathlib import Path

import pytest
import spacy

from scripts.cli.errors import ProjectError
from scripts.data.pipelines import blank, lean, load

ROOT = Path(__file__).parent.parent.parent
# In a process of its own, as what another test has imported stays.
RUN = """
import sys
from spacy.util import load_config, load_model_from_config
from scripts.data.pipelines import blank, import_classy, lean, load

def imported():
    unused = ["classy_classification", "sentence_transformers", "spacy_transformers"]
    return [name for name in unused if name in sys.modules]

nlp = load(sys.argv[1])
assert nlp("A text. Another one.").has_annotation("SENT_START")
blank("en")
print(*imported())
import_classy()
print(*imported())
# Its weights would be fetched from the hub; its settings are enough.
nlp = lean(lambda: load_model_from_config(load_config(sys.argv[2]), auto_fill=True))
print(*nlp.pipe_names, *imported())
from classy_classification import ClassyClassifier
data = dict(sports=["A goal in the last minute."], money=["Shares fell on Monday."])
try:
    ClassyClassifier(model=sys.argv[3], data=data)
except Exception as err:
    print(err)
print(sys.modules["sentence_transformers"].__file__)
"""


def write_sentencizer(folder: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(folder)


def test_what_no_pipeline_asks_for_is_not_imported(tmp_path: Path) -> None:
    plain, config, empty = tmp_path / "plain", tmp_path / "config.cfg", tmp_path / "empty"
    empty.mkdir()
    write_sentencizer(plain)
    config.write_text(
        '[nlp]\nlang = "en"\npipeline = ["transformer"]\n[components]\n'
        '[components.transformer]\nfactory = "transformer"\n',
        encoding="utf8",
    )
    command = [sys.executable, "-c", RUN, str(plain), str(config), str(empty)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert not done.returncode, done.stderr
    before, trained, plugin, *said, real = done.stdout.splitlines()
    assert before == ""
    assert trained == "classy_classification"
    assert plugin == "transformer classy_classification spacy_transformers"
    # And classy as it comes makes what it always makes.
    assert "empty" in " ".join(said)
    assert real.endswith("__init__.py")


def test_afterwards_spacy_finds_plugins_as_before() -> None:
    plugins = spacy.registry._entry_point_factories

    def fail() -> None:
        raise ValueError("no such thing")

    assert lean(lambda: plugins.entry_points) is False
    assert plugins.entry_points is True
    with pytest.raises(ValueError, match="no such thing"):
        lean(fail)
    assert plugins.entry_points is True


def test_an_unknown_component_is_named(tmp_path: Path) -> None:
    write_sentencizer(tmp_path)
    config = tmp_path / "config.cfg"
    text = config.read_text(encoding="utf8")
    config.write_text(text.replace('factory = "sentencizer"', 'factory = "sentencing"'))
    with pytest.raises(ProjectError, match="cannot be loaded") as err:
        load(tmp_path)
    assert "sentencing" in err.value.hint
    assert blank("en").lang == "en"
