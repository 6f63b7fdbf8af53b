"""From labels to wheels: versions, scores and what a release says, with nothing left over."""

import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import pytest
import spacy
import srsly
from packaging.version import Version
from spacy.util import registry

from components.code import PARTS
from scripts.check_package import main as check_package
from scripts.cli.errors import ProjectError
from scripts.data.docbins import given, read_docs
from scripts.package import main as package
from scripts.shipping import scores as shipping_scores
from scripts.shipping.package import build
from scripts.shipping.release import Release, next_version, wheel_of
from scripts.shipping.scores import decisions, f_intervals, macro_f_interval
from scripts.shipping.summary import rows
from scripts.summary import main as summary
from tests.shipping.projects import NAME, Project, make_project


@pytest.fixture(scope="module")
def project(
    small_corpus: Path, pipelines: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """One project for the module's tests, which follow each other as a user's releases do."""
    folder = tmp_path_factory.mktemp("project")
    yield make_project(small_corpus, pipelines / "textcat.cfg", folder)
    shutil.rmtree(folder)  # wheels are large


def test_before_anything_was_trained_or_built(project: Project) -> None:
    for command in (project.evaluate, project.release, project.summarise):
        with pytest.raises(ProjectError, match="no trained pipeline") as err:
            command()
        assert "weasel run train" in err.value.hint
    project.train(12)
    for check in (
        project.summarise,
        lambda: check_package(project.model, project.packages, Path()),
    ):
        with pytest.raises(ProjectError, match="no wheel") as err:
            check()
        assert "weasel run package" in err.value.hint


def test_a_release_without_a_test_set(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    test = project.corpus / "test.spacy"
    test.rename(test.with_suffix(".away"))
    project.metrics.mkdir()
    srsly.write_json(project.metrics / "test.json", {"cats_macro_f": 0.1})  # of another pipeline
    project.evaluate()
    assert not (project.metrics / "test.json").exists()
    assert "Nothing was evaluated" in (said := capfd.readouterr().out)
    assert "weasel run test-set" in said

    wheel = project.release()
    said = capfd.readouterr().out
    assert str(wheel) in said.split()  # not folded
    assert len(said.splitlines()) < 5  # nothing of what the build says
    summary(project.model, project.packages, project.corpus, project.metrics)
    said = capfd.readouterr().out
    assert "not evaluated" in said
    assert f"pip install {wheel}" in said.splitlines()
    release = srsly.read_json(project.metrics / "release.json")
    assert release["scores"] is None
    assert release["labels"] == {"people": 12, "machine": 0}
    assert (release["version"], release["pool"]) == ("0.1.0", 120)
    test.with_suffix(".away").rename(test)


def test_scores_are_spacys_own_with_an_interval_around_them(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[list[int]] = []
    # The module that spaCy knows: packaging has read its file again.
    module = registry.misc.get("onnx_encoder.v1").__globals__
    run = module["_Engine"]._run
    monkeypatch.setitem(module, "_engines", WeakValueDictionary())  # no text is known yet
    monkeypatch.setattr(
        module["_Engine"], "_run", lambda self, rows: embedded.extend(rows) or run(self, rows)
    )
    before: list[int] = []
    monkeypatch.setattr(
        shipping_scores, "decisions", lambda *args: before.append(len(embedded)) or decisions(*args)
    )
    project.evaluate()
    # Each text once, though it is scored twice: by `spacy evaluate`, which tells the speed.
    assert (before, len(embedded)) == ([60], 60)
    scores = srsly.read_json(project.metrics / "test.json")
    low, high = scores["macro_f_interval"]
    assert low < scores["cats_macro_f"] < high
    assert scores["n"] == 60
    # one label a text: micro-F is the accuracy
    assert scores["accuracy"] == pytest.approx(scores["cats_micro_f"])
    table = dict(rows(project.summarise()))
    assert (
        f"{scores['cats_macro_f']:.3f} (95 % interval {low:.3f} to {high:.3f}" in table["macro-F"]
    )
    assert table["test set"] == "60 texts"
    assert table["trained on"] == "12 labels by people, 0 by machine"


def test_the_wheel_has_every_part_and_no_more_is_kept(project: Project) -> None:
    _, wheel = wheel_of(project.model, project.packages)
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name).name for name in archive.namelist() if name.count("/") == 1}
        meta = srsly.json_loads(archive.read(f"en_{NAME}/meta.json"))
    assert {path.name for path in PARTS} < names
    assert "code.py" not in names
    assert meta["trained_on"] == {"data": "headlines", "people": 12}
    kept = {path.name for path in wheel.parents[1].iterdir()}
    assert kept == {"dist", "meta.json", "README.md"}
    assert [path.name for path in project.packages.iterdir()] == [f"en_{NAME}-0.1.0"]


def test_more_labels_are_a_release_that_pip_installs_over_the_last(
    project: Project, tmp_path: Path
) -> None:
    first = project.release()
    stamp = first.stat().st_mtime_ns
    project.train(12)  # the same labels again
    assert project.release() == first
    package(project.model, project.packages, f"en_{NAME}", "", *[project.folder / "none.json"] * 2)
    assert [path.name for path in project.packages.iterdir()] == [first.parents[1].name]
    assert first.stat().st_mtime_ns == stamp

    project.train(30, machine=5)
    with pytest.raises(ProjectError, match="no wheel"):  # that of the last pipeline is not taken
        project.summarise()
    second = project.release()
    assert "-0.1.1-" in second.name
    found = project.summarise()
    assert found["scores"] is None  # those of the last pipeline are not taken
    assert found["labels"] == {"people": 30, "machine": 5}

    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps"]
    for wheel in (first, second):
        subprocess.run([*pip, "--no-index", str(wheel)], capture_output=True, check=True)
    code = f"import importlib.metadata as m; print(m.version('en_{NAME}'))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0.1.1"


def test_a_version_that_was_taken_is_not_given_to_another_pipeline(project: Project) -> None:
    with pytest.raises(ProjectError, match=r"0\.1\.0 was released already") as err:
        project.release("0.1.0")
    assert "for 0.1.1" in err.value.hint
    with pytest.raises(ProjectError, match="'newest' is no version"):
        project.release("newest")
    assert len(list(project.packages.iterdir())) == 2


def test_a_build_that_fails_says_why_and_leaves_nothing(project: Project) -> None:
    before = sorted(project.packages.rglob("*"))
    with pytest.raises(ProjectError, match="could not be packaged") as err:
        package(project.model, project.packages, "no name", "")
    assert "not a valid module name" in err.value.hint
    meta = {"lang": "en", "name": NAME, "setup_requires": ["not a requirement !"]}
    with pytest.raises(ProjectError, match="could not be built") as err:
        build(project.model, meta, Version("9.0.0"), project.packages)
    assert "not a requirement" in err.value.hint
    assert sorted(project.packages.rglob("*")) == before


META: dict[str, Any] = {"labels": {"classy_textcat": ["a", "b"]}, "encoder": "x"}


def released(version: str, mark: str = "old", **meta: Any) -> Release:
    return Release(Version(version), {**META, "fingerprint": mark, **meta}, None)


@pytest.mark.parametrize(
    ("before", "installed", "expected"),
    [
        ([], None, "0.1.0"),
        ([released("0.1.9")], None, "0.1.10"),
        ([released("0.1.0", "new")], None, "0.1.0"),
        ([released("0.1.0", "new"), released("0.1.1")], None, "0.1.2"),  # back to an older one
        ([released("0.1.3", labels={"classy_textcat": ["a"]})], None, "0.2.0"),
        ([released("1.4.3", encoder="y")], None, "1.5.0"),
        ([released("0.1.0", "new")], "0.3.0", "0.3.1"),  # installed from elsewhere
        ([], "0.3.0", "0.3.1"),
        ([released("2.0.0rc1")], None, "2.0.1"),
        ([Release(Version("0.1.0"), {"labels": META["labels"]}, None)], None, "0.1.1"),
    ],
)
def test_versions(before: list[Release], installed: str | None, expected: str) -> None:
    version, why = next_version(META, "new", before, Version(installed) if installed else None)
    assert str(version) == expected
    assert why


def test_other_words_about_the_same_pipeline_are_another_version() -> None:
    said = {**META, "fingerprint": "new", "license": "MIT"}
    before = [released("0.1.0", "new")]
    version, why = next_version(said, "new", before)
    assert (str(version), why) == (
        "0.1.1",
        "after 0.1.0, the same pipeline, of which other things are said",
    )
    again = released("0.1.1", "new", license="MIT", requirements=["numpy"])
    assert str(next_version(said, "new", [*before, again])[0]) == "0.1.1"
    del said["license"]  # what is said no more, such as a promise, is not left in the package
    assert str(next_version(said, "new", [*before, again])[0]) == "0.1.2"


def test_each_label_has_an_interval_of_its_own() -> None:
    gold = np.eye(3, dtype=bool)[[0, 1] * 30]
    found = gold.copy()
    found[:12] = np.eye(3, dtype=bool)[0]  # six texts of the second label are called the first
    first, second, third = f_intervals(gold, found)
    assert third is None
    assert first is not None
    assert second is not None
    assert first[0] < 60 / 66 < first[1]
    assert second[0] < 48 / 54 < second[1]


def test_the_interval_covers_what_it_should() -> None:
    """Of 100 test sets drawn from one truth, about 95 intervals hold its macro-F."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(100):
        gold = np.eye(3, dtype=bool)[rng.integers(3, size=150)]
        wrong = rng.random(150) < 0.2
        guess = np.where(wrong[:, None], np.roll(gold, 1, axis=1), gold)
        low, high = macro_f_interval(gold, guess)
        hits += low <= 0.8 <= high
    assert 88 <= hits <= 100


def test_a_label_that_no_text_has_counts_as_spacy_counts_it() -> None:
    gold = np.eye(3, dtype=bool)[[0, 1, 0, 1]]
    assert macro_f_interval(gold, gold)[1] == pytest.approx(2 / 3)
    none = np.zeros((4, 3), dtype=bool)
    assert macro_f_interval(none, none) == [0.0, 0.0]


def test_few_right_answers_are_not_sure() -> None:
    gold = np.eye(2, dtype=bool)[[0, 1]]
    low = [macro_f_interval(np.tile(gold, (n, 1)), np.tile(gold, (n, 1)))[0] for n in (1, 5, 100)]
    assert low[0] < 0.5 < low[1] < low[2] < 1


def test_scores_of_any_number_of_labels(
    small_corpus: Path, pipelines: Path, tmp_path: Path
) -> None:
    several = make_project(small_corpus, pipelines / "textcat_multilabel.cfg", tmp_path)
    several.train(20)
    several.evaluate()
    scores = srsly.read_json(several.metrics / "test.json")
    nlp = spacy.load(several.model)
    right = [
        {n for n, p in nlp(doc.text).cats.items() if p >= 0.5} == set(given(doc))
        for doc in read_docs(several.corpus / "test.spacy")
    ]
    assert scores["accuracy"] == pytest.approx(sum(right) / len(right))
    assert scores["accuracy"] != scores["cats_micro_f"]
    low, high = scores["macro_f_interval"]
    assert low < scores["cats_macro_f"] < high
