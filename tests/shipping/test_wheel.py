"""The wheel as others get it: installed, read, run, pushed, trained again, built again."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
import spacy
import srsly
from huggingface_hub import ModelCard

from scripts.cli.errors import ProjectError
from scripts.data.docbins import read_docs
from scripts.loop.learner import Learner
from scripts.package import main as package
from scripts.publish import main as publish
from scripts.shipping.release import read_meta
from tests.loop.test_export import a_hub
from tests.shipping.projects import NAME, Project, make_project

FULL = f"en_{NAME}"


@dataclass
class Shipped:
    """A released project, and an environment with its wheel beside what the tests' own has."""

    project: Project
    wheel: Path
    python: Path

    def run(self, *args: object, env: dict[str, str] | None = None) -> str:
        command = [str(self.python), "-W", "ignore", *map(str, args)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.project.folder,  # where nothing of this project can be imported
            env={**os.environ, **(env or {})},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def shipped(
    small_corpus: Path, pipelines: Path, tmp_path_factory: pytest.TempPathFactory
) -> Shipped:
    folder = tmp_path_factory.mktemp("shipped")
    project = make_project(small_corpus, pipelines / "textcat.cfg", folder)
    project.meta = ["author=A. Author", "license=MIT"]
    project.train(30)
    project.evaluate()
    promise = {
        "proving": 9,
        "words": "It is so.",
        "labels_mark": read_meta(project.model)["labels_mark"],
    }
    project.files[1].parent.mkdir()
    srsly.write_json(project.files[1], promise)
    wheel = project.release(scored=True)
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    # What the wheel requires is there already.
    inside = sysconfig.get_path("purelib", "venv", {"base": str(folder / "env")})
    (Path(inside) / "outer.pth").write_text(sysconfig.get_path("purelib"))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps"]
    subprocess.run([*pip, "--no-index", str(wheel)], capture_output=True, check=True)
    return Shipped(project, wheel, python)


def blocks(markdown: str) -> list[str]:
    return re.findall(r"^```(?:python)?\n(.*?)^```$", markdown, flags=re.M | re.S)


def test_the_readme_is_in_the_wheel_and_its_example_runs_as_printed(shipped: Shipped) -> None:
    code = f"import importlib.metadata as m; print(m.distribution({FULL!r}).read_text('METADATA'))"
    printed = shipped.run("-c", code)
    for line in ("Description-Content-Type: text/markdown", "License: MIT", "Author: A. Author"):
        assert line in printed.splitlines()
    example, answer = blocks(printed)
    assert shipped.run("-c", example) == answer
    assert answer.count("\n") == 3
    for text in ("| sports | matches and players |", "On 60 texts", "It is so.", "256 tokens"):
        assert text in printed
    (readme,) = shipped.wheel.parents[1].glob("README.md")
    assert readme.read_text(encoding="utf8").strip() in printed


def test_spacy_shows_what_is_known(shipped: Shipped) -> None:
    said = shipped.run("-m", "spacy", "info", FULL)
    for text in ("A. Author", "MIT", "classy-classification", "'It is so.'", "headlines"):
        assert text in said
    said = shipped.run("-c", f"import spacy; print(spacy.load({FULL!r}).meta['performance'])")
    scores = srsly.read_json(shipped.project.files[0])
    assert f"'cats_macro_f': {scores['cats_macro_f']}" in said


def test_two_packages_in_one_process(shipped: Shipped) -> None:
    project = shipped.project
    package(project.model, project.folder / "other", name="other")
    (wheel,) = (project.folder / "other").rglob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", str(shipped.python), "install", "--no-deps"]
    subprocess.run([*pip, "--no-index", str(wheel)], capture_output=True, check=True)
    both = f"[spacy.load(name) for name in ({FULL!r}, 'en_other')]"
    cats = f"[nlp('The striker scored twice.').cats for nlp in {both}]"
    said = shipped.run("-c", f"import spacy; one, other = {cats}; print(one == other, len(one))")
    assert said == "True 3\n"
    assert "en_other" in shipped.run("-m", "spacy", "info")
    subprocess.run([*pip[:-2], "uninstall", "--yes", "en_other"], capture_output=True, check=True)


def test_the_same_labels_make_the_same_wheel(
    shipped: Shipped, pipelines: Path, tmp_path: Path
) -> None:
    """In another folder and process, with other rights and threads, another order of hashes, and a
    cache that has come to its embeddings in another way."""
    corpus = shipped.project.corpus
    other = make_project(corpus, pipelines / "textcat.cfg", tmp_path)
    other.overrides[-1] = str(tmp_path / "cache")
    labels = dict(srsly.read_json(corpus / "labels.json"))
    texts = [row["text"] for row in srsly.read_jsonl(corpus / "pool.jsonl")]
    pool = None  # not needed to embed
    learner = Learner(pipelines / "textcat.cfg", tmp_path / "cache", labels, pool)  # type: ignore[arg-type]
    learner.embed(texts[::-3])
    env = {**os.environ, "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1", "TZ": "Asia/Tokyo"}
    scores, promise = shipped.project.files
    said = ["--metrics", scores, "--promise", promise]
    said += [part for one in shipped.project.meta for part in ("--meta", one)]
    for module, *args in (
        ("train", corpus / "train.spacy", other.model, *other.overrides),
        ("package", other.model, other.packages, "--name", NAME, *said),
    ):
        command = [sys.executable, "-m", f"scripts.{module}", *map(str, args)]
        subprocess.run(command, env=env, umask=0o077, check=True, capture_output=True)
    (wheel,) = other.packages.rglob("*.whl")
    digests = {sha256(path.read_bytes()).hexdigest() for path in (wheel, shipped.wheel)}
    assert len(digests) == 1


def test_what_goes_to_the_hub(shipped: Shipped, capfd: pytest.CaptureFixture[str]) -> None:
    publish(shipped.project.model, shipped.project.packages, "acme")
    said = capfd.readouterr().out
    assert f"the private model 'acme/{FULL}' on the hub; nothing was pushed" in said
    folder = shipped.project.packages / "hub" / FULL
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for name in names:
        assert f"{(folder / name).stat().st_size:,} bytes  {name}\n" in said
    expected = {"README.md", "meta.json", "config.cfg", "tokenizer", "classy_textcat.py"}
    expected |= {".gitattributes", "classy_textcat/encoder/model.onnx.data", "vocab/strings.json"}
    assert expected < names
    assert "__init__.py" not in names
    for name in (shipped.wheel.name, f"{FULL}-any-py3-none-any.whl"):
        assert (folder / name).read_bytes() == shipped.wheel.read_bytes()
    card = ModelCard.load(folder / "README.md")
    card_again = ModelCard(str(card))  # the header is read, and written as it was
    assert card_again.data.to_dict() == card.data.to_dict()
    assert {one.metric_type for one in card.data.eval_results or []} >= {"accuracy", "f1"}
    assert card.text.strip().startswith("# en")
    # Unpacked, it is a pipeline.
    text = "This text is about business."
    code = f"import sys, {FULL}, spacy; print(spacy.load(sys.argv[1])({text!r}).cats)"
    assert shipped.run("-c", code, folder) == f"{spacy.load(shipped.project.model)(text).cats}\n"


def test_a_push_that_fails_says_why(
    shipped: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def push(owner: str = "acme") -> ProjectError:
        with pytest.raises(ProjectError) as err:
            publish(shipped.project.model, shipped.project.packages, owner, "true", "false")
        return err.value

    monkeypatch.setattr("huggingface_hub.hf_api.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    assert "no token" in push().title
    assert "takes no model named 'a/b" in push("a/b").title
    monkeypatch.setenv("HF_TOKEN", "hf_none")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be reached" in push().title
    for status, why in (
        (401, "token is not valid"),
        (404, "organisation 'acme', and may the token write"),
    ):
        with a_hub(status) as url:
            monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
            error = push()
        assert f"refused to take 'acme/{FULL}'" in error.title
        assert why in error.hint


AGAIN = """
import sys, spacy, srsly
from spacy.tokens import DocBin
from spacy.training import Example
nlp = spacy.load(sys.argv[1])
docs = list(DocBin().from_disk(sys.argv[2]).get_docs(nlp.vocab))
examples = [Example(nlp.make_doc(doc.text), doc) for doc in docs]
pool = [row["text"] for row in srsly.read_jsonl(sys.argv[3])]
nlp.get_pipe("classy_textcat").initialize(lambda: examples, nlp=nlp, pool=pool)
print(srsly.json_dumps(nlp(sys.argv[4]).cats))
nlp.initialize(lambda: examples)
nlp.to_disk(sys.argv[5])
"""


def test_a_package_is_trained_again_in_python(shipped: Shipped, tmp_path: Path) -> None:
    """With the same examples and pool it learns the same, so nothing is lost on the way."""
    corpus, text = shipped.project.corpus, "The striker scored twice in the final."
    files = (corpus / "train.spacy", corpus / "pool.jsonl")
    said = shipped.run("-c", AGAIN, FULL, *files, text, tmp_path / "again")
    expected = spacy.load(shipped.project.model)(text).cats
    assert srsly.json_loads(said) == pytest.approx(expected, abs=1e-4)
    settings = srsly.read_json(tmp_path / "again" / "classy_textcat" / "cfg")
    assert settings["label_descriptions"]["sports"] == "matches and players"


def spacy_train(shipped: Shipped, output: Path, options: Sequence[object]) -> dict[str, float]:
    config = Path("configs/retrain.cfg").absolute()
    paths = ["--paths.package", FULL, *options]
    shipped.run("-m", "spacy", "train", config, "--output", output, *paths)
    scores: dict[str, float] = srsly.read_json(output / "model-best" / "meta.json")["performance"]
    return scores


def test_a_package_is_trained_again_by_spacy_train(shipped: Shipped, tmp_path: Path) -> None:
    corpus = shipped.project.corpus
    shipped.project.train(60)
    dev = ["--paths.dev", corpus / "test.spacy", "--paths.train", corpus / "train.spacy"]
    scores = spacy_train(shipped, tmp_path, [*dev, "--paths.pool", corpus / "pool.jsonl"])
    nlp = spacy.load(tmp_path / "model-best")
    ours = spacy.load(shipped.project.model)  # on the same 60
    texts = [doc.text for doc in read_docs(corpus / "test.spacy")]
    for one, other in zip(nlp.pipe(texts), ours.pipe(texts), strict=True):
        assert one.cats == pytest.approx(other.cats, abs=1e-3)
    assert scores["cats_score"] > 0.8
    shipped.project.train(30)
