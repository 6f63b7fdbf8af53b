"""configs/*.cfg through spaCy's own commands, in processes of their own."""

import json
import subprocess
import sys
import zipfile

import pytest
import spacy
import srsly
from packaging.requirements import Requirement
from spacy.tokens import DocBin

from components.code import PARTS
from scripts.distilling.deployed import link_distributions
from tests.components.helpers import TEST, TRAIN, one_hot

CONFIGS = ["configs/textcat.cfg", "configs/textcat_multilabel.cfg"]
CODE = ["--code", "components/code.py"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Labelled texts as spaCy reads them, and label descriptions and a pool beside them."""
    folder = tmp_path_factory.mktemp("corpus")
    nlp = spacy.blank("en")
    for name, rows in (("train", TRAIN), ("dev", TEST)):
        docs = DocBin()
        for text, cats in one_hot(rows):
            doc = nlp.make_doc(text)
            doc.cats = cats
            docs.add(doc)
        docs.to_disk(folder / f"{name}.spacy")
    srsly.write_json(folder / "labels.json", {"business": "companies", "sport": "", "tech": ""})
    srsly.write_jsonl(folder / "pool.jsonl", [{"text": text} for text, _ in TEST])
    return folder


def spacy_command(*args):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "spacy", *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def overrides(corpus, encoder_folder):
    values = {
        "components.classy_textcat.encoder.path": encoder_folder,
        "paths.train": corpus / "train.spacy",
        "paths.dev": corpus / "dev.spacy",
        "paths.labels": corpus / "labels.json",
        "paths.pool": corpus / "pool.jsonl",
    }
    return [str(part) for key, value in values.items() for part in (f"--{key}", value)]


@pytest.mark.parametrize("config", CONFIGS)
def test_debug_config(config, corpus, encoder_folder):
    out = spacy_command("debug", "config", config, *CODE, *overrides(corpus, encoder_folder))
    assert "Config is valid" in out


@pytest.mark.parametrize("config", CONFIGS)
def test_train_and_evaluate(config, corpus, encoder_folder, tmp_path):
    model = train(config, corpus, encoder_folder, tmp_path)
    spacy_command(
        "evaluate", model, corpus / "dev.spacy", *CODE, "--output", tmp_path / "scores.json"
    )
    scores = srsly.read_json(tmp_path / "scores.json")
    assert scores["cats_score"] == 1.0
    assert scores["cats_score_desc"] == ("macro AUC" if "multilabel" in config else "macro F")


def train(config, corpus, encoder_folder, path):
    arguments = overrides(corpus, encoder_folder)
    spacy_command("train", config, "--output", path, *CODE, *arguments)
    return path / "model-last"


def test_package_runs_without_what_training_needs(corpus, encoder_folder, tmp_path):
    model = train(CONFIGS[0], corpus, encoder_folder, tmp_path)
    (tmp_path / "packages").mkdir()
    spacy_command(
        *("package", model, tmp_path / "packages", "--name", "test_textcat", "--build", "wheel"),
        *("--code", ",".join(map(str, PARTS))),
    )
    (wheel,) = (tmp_path / "packages").glob("*/dist/*.whl")
    # What installing it without its requirements does.
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    metadata = next((tmp_path / "installed").glob("*.dist-info/METADATA")).read_text()
    lines = [line.partition(":")[2] for line in metadata.splitlines() if "Requires-Dist:" in line]
    required = {Requirement(line).name for line in lines}
    assert required == {"spacy", "onnxruntime", "tokenizers", "numpy"}
    check_lean_package(tmp_path / "installed", required, tmp_path / "site")


# Run with nothing but the package and what it requires: thinc, for one, imports torch wherever it
# finds it.
LEAN = """
import json, sys

def offline(event, args):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise RuntimeError("asked for the network")

sys.addaudithook(offline)
sys.path += sys.argv[1:3]
import spacy
nlp = spacy.load("en_test_textcat")
texts = json.loads(sys.argv[3])
docs = [*nlp.pipe(texts, n_process=2), *nlp.pipe(texts)]
print(json.dumps({"cats": [doc.cats for doc in docs], "modules": sorted(sys.modules)}))
"""
# What training needs and a deployed pipeline does not.
HEAVY = {"torch", "transformers", "sentence_transformers", "sklearn", "scipy", "pandas"} | {
    "classy_classification",
    "components",
    "scripts",
}


def check_lean_package(installed, required, site):
    site.mkdir()
    link_distributions(required, site)
    texts = [text for text, _ in TEST]
    done = subprocess.run(
        # -S: without the site-packages of this environment.
        [sys.executable, "-I", "-S", "-c", LEAN, str(installed), str(site), json.dumps(texts)],
        capture_output=True,
        text=True,
        check=False,
        cwd=site,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert len(answer["cats"]) == 2 * len(texts)
    for cats, (_, label) in zip(answer["cats"], TEST + TEST, strict=True):
        assert max(cats, key=cats.__getitem__) == label
    assert not {name.partition(".")[0] for name in answer["modules"]} & HEAVY
