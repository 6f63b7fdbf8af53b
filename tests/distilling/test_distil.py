"""A smaller model from the same labels: spaCy's own component, at home anywhere spaCy is."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import srsly
from packaging.requirements import Requirement

from scripts.cli.errors import ProjectError
from scripts.data.docbins import read_texts
from scripts.distil import main as distil
from scripts.distilling.big import BigModel
from scripts.distilling.compare import probabilities
from scripts.distilling.distil import Files
from scripts.distilling.distil import distil as distil_files
from scripts.distilling.fit import Plan, check_output, decided, fit
from scripts.distilling.targets import Targets, from_finished, with_answers
from scripts.distilling.vectors import components, words_of, write_vectors
from scripts.evaluate import main as evaluate
from scripts.package import main as package
from scripts.shipping.release import wheel_of
from scripts.shipping.summary import rows as summary_rows
from scripts.shipping.summary import summarise
from scripts.train import main as train
from tests.loop_fixtures import context_of
from tests.small_data import TOPICS, write_train

LABELS = list(TOPICS)


@pytest.fixture(scope="module")
def project(small_corpus: Path, pipelines: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus and a big model trained on half of its pool."""
    folder = tmp_path_factory.mktemp("distil")
    shutil.copytree(small_corpus, folder / "corpus")
    write_train(folder / "corpus", people=60)
    train(context(folder, pipelines), folder / "corpus" / "train.spacy", folder / "model")
    return folder


def context(folder: Path, pipelines: Path, config: str = "textcat.cfg") -> Any:
    found = ["--paths.corpus", str(folder / "corpus"), "--paths.pipeline", str(pipelines / config)]
    return context_of([*found, "--paths.cache", str(folder / "cache")])


@pytest.fixture
def run(project: Path, pipelines: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`weasel run distil` in that folder. RETURNS: What it writes to metrics/."""
    for name in ("configs", "corpus"):
        if not (project / name).exists():
            shutil.copytree(name, project / name)

    def command(labels: str, kind: str = "bow", config: str = "textcat.cfg") -> dict[str, Any]:
        monkeypatch.chdir(project)
        paths = Path("model"), Path("small"), Path("metrics/distil.json")
        distil(context(project, pipelines, config), *paths, labels, kind, rounds=1)
        return dict(srsly.read_json("metrics/distil.json"))

    return command


def test_a_bag_of_words_from_the_whole_pool(
    run: Callable[..., Any], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run("pool")
    said = capsys.readouterr().out
    assert "120 texts to learn from: 60 labelled by people, 0 by machine, 60 with the big" in said
    assert result["learned_from"] == {"people": 60, "machine": 0, "model": 60}
    big, small = result["models"].values()
    assert result["texts"] == 60
    assert 0.5 < small["accuracy"] <= 1  # a third by chance
    low, high = small["macro_f_interval"]
    assert low <= small["macro_f"] <= high
    assert small["megabytes_on_disk"] < big["megabytes_on_disk"] / 5
    assert small["megabytes_of_memory"] < big["megabytes_of_memory"]
    for model in (big, small):
        assert model["texts_a_second"] > 0
        assert model["seconds_to_first_answer"] > 0
    table = (project / "metrics" / "distil.csv").read_text()
    assert table.splitlines()[0] == ',classy_textcat,"textcat, bow",'
    assert "texts a second" in table


def test_it_is_spacys_own_and_ships_without_what_the_big_one_needs(
    run: Callable[..., Any], project: Path
) -> None:
    run("people")
    nlp = spacy.load(project / "small")
    assert nlp.pipe_names == ["textcat"]
    assert type(nlp.get_pipe("textcat")).__module__ == "spacy.pipeline.textcat"
    assert "distil" not in (project / "small" / "config.cfg").read_text()
    cats = nlp("Shares fall as the bank warns of lower profits").cats
    assert list(cats) == LABELS
    assert sum(cats.values()) == pytest.approx(1, abs=1e-5)
    assert nlp.meta["trained_on"] == {"data": "headlines", "people": 60, "machine": 0, "model": 0}


def test_the_same_labels_make_the_same_model(run: Callable[..., Any], project: Path) -> None:
    run("people")
    first = (project / "small" / "textcat" / "model").read_bytes()
    run("people")
    assert (project / "small" / "textcat" / "model").read_bytes() == first


def test_labels_of_the_finished_data_set(run: Callable[..., Any], project: Path) -> None:
    shutil.rmtree(project / "reports", ignore_errors=True)
    with pytest.raises(ProjectError, match=r"no reports/finished.jsonl") as err:
        run("finished")
    assert "weasel run finish" in err.value.hint
    texts, labels = read_texts(project / "corpus" / "test.spacy")
    rows = [
        {"text": text, "label": label[0], "by": "people" if n % 2 else "machine"}
        for n, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    finished = project / "reports" / "finished.jsonl"
    finished.parent.mkdir()
    srsly.write_jsonl(finished, [*rows, {"text": "open", "label": None, "by": "open"}])
    result = run("finished")
    assert result["learned_from"] == {"people": 30, "machine": 30, "model": 0}
    srsly.write_jsonl(finished, [{"text": "x", "label": "weather", "by": "people"}])
    with pytest.raises(ProjectError, match="weather"):
        from_finished(finished, LABELS, False)
    finished.write_text('{"text": "x"')
    with pytest.raises(ProjectError, match="is damaged"):
        from_finished(finished, LABELS, False)


def test_without_a_test_set_both_are_compared_on_texts_held_out(
    run: Callable[..., Any], project: Path
) -> None:
    test = project / "corpus" / "test.spacy"
    test.rename(test.with_suffix(".away"))
    try:
        result = run("pool")
    finally:
        test.with_suffix(".away").rename(test)
    assert result["texts"] == 12  # a tenth of the pool, which nobody learned from
    assert result["learned_from"] == {"people": 60, "machine": 0, "model": 48}
    assert 0 <= result["agreement"] <= 1
    assert "macro_f" not in result["models"]["classy_textcat"]


def test_what_is_missing_is_named(run: Callable[..., Any], project: Path, pipelines: Path) -> None:
    with pytest.raises(ProjectError, match="distil_config cannot be 'svm'") as err:
        run("pool", "svm")
    assert "--vars.distil_config" in err.value.hint
    with pytest.raises(ProjectError, match="distil_labels cannot be 'all'") as err:
        run("all")
    assert "people, finished, pool" in err.value.hint
    for name, wanted in (("model", "weasel run train"), ("corpus/train.spacy", "weasel run pull")):
        (project / name).rename(project / "away")
        try:
            with pytest.raises(ProjectError, match="There is no") as err:
                run("pool")
        finally:
            (project / "away").rename(project / name)
        assert wanted in err.value.hint
    with pytest.raises(ProjectError, match="other labels"):
        BigModel(project / "model", ["one", "two"], project / "cache")


def test_too_few_labels(tmp_path: Path) -> None:
    few = Targets(["a", "b"], np.eye(2), ["people"] * 2)
    with pytest.raises(ProjectError, match="2 texts to learn from"):
        fit(few, Plan("bow", ["x", "y"]), tmp_path / "small")
    same = Targets(list("abcdefghijkl"), np.eye(2)[[0] * 12], ["people"] * 12)
    with pytest.raises(ProjectError, match="one label at most"):
        fit(same, Plan("bow", ["x", "y"]), tmp_path / "small")
    assert not (tmp_path / "small").exists()


def test_only_what_it_wrote_itself_is_replaced(tmp_path: Path) -> None:
    big = tmp_path / "training" / "model"
    big.mkdir(parents=True)
    srsly.write_json(big / "meta.json", {"pipeline": ["textcat"]})
    settings: Any = None  # nothing is read before
    for wrong in (big, big / "small", big.parent, tmp_path):
        with pytest.raises(ProjectError, match="the pipeline to learn from") as err:
            distil_files(Files(big, wrong), "people", "bow", settings, 1)
        assert "training/distilled" in err.value.hint
    mine = tmp_path / "mine"
    mine.mkdir()
    check_output(tmp_path / "new")
    check_output(mine)
    (mine / "thesis.tex").write_text("years of work")
    for meta in (None, "{", "[]", "{}", '{"pipeline": ["tok2vec", "textcat"]}'):
        if meta:
            (mine / "meta.json").write_text(meta)
        with pytest.raises(ProjectError, match="holds something else"):
            fit(soft(), Plan("bow", list(TEXTS), steps=1), mine)
    assert (mine / "thesis.tex").read_text() == "years of work"
    for name in ("textcat", "textcat_multilabel"):
        srsly.write_json(mine / "meta.json", {"pipeline": [name]})
        check_output(mine)


def test_it_is_packaged_like_the_big_one(run: Callable[..., Any], project: Path) -> None:
    run("pool")
    scores, none = project / "metrics" / "small.json", project / "none.json"
    evaluate(project / "small", project / "corpus" / "test.spacy", scores)
    found = srsly.read_json(scores)
    compared = srsly.read_json(project / "metrics" / "distil.json")["models"]["textcat, bow"]
    assert found["accuracy"] == compared["accuracy"]
    assert found["macro_f_interval"] == compared["macro_f_interval"]
    assert list(found["per_label"]) == LABELS
    package(project / "small", project / "packages", "small_under_test", "", scores, none)
    _, wheel = wheel_of(project / "small", project / "packages")
    said = (wheel.parents[1] / "README.md").read_text()
    assert "60 labels by people, 0 by machine, 60 with a larger model's answers" in said
    assert "On 60 texts that were held out: macro-F" in said
    assert "sentence encoder" not in said
    table = dict(
        summary_rows(summarise(project / "small", project / "packages", Path("corpus"), scores))
    )
    assert table["trained on"] in said
    assert table["test set"] == "60 texts"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        lines = archive.read(metadata).decode().splitlines()
    required = {Requirement(s.partition(":")[2]).name for s in lines if s[:13] == "Requires-Dist"}
    assert required == {"spacy"}
    # No component of the big model beside it: that would import ONNX Runtime.
    assert {Path(name).name for name in names if name.endswith(".py")} == {"__init__.py"}


TEXTS = {"sports": "the team won the match", "tech": "new computers and software"}


def soft(n: int = 40) -> Targets:
    """Texts of two topics, and of both, with probabilities as targets."""
    rng = np.random.default_rng(0)
    texts, values = [], []
    for number in range(n):
        kind = number % 3
        words = " ".join(TEXTS.values() if kind == 2 else [list(TEXTS.values())[kind]]).split()
        texts.append(" ".join(rng.permutation(words)) + f" {number}")
        values.append([[0.9, 0.1], [0.1, 0.9], [0.6, 0.4]][kind])
    return Targets(texts, np.array(values), ["model"] * n)


@pytest.mark.parametrize("kind", ["bow", "ensemble"])
@pytest.mark.parametrize("threshold", [None, 0.3])
def test_probabilities_are_learned_as_such(
    kind: Any, threshold: float | None, encoder_folder: Path, tmp_path: Path
) -> None:
    from components.onnx_encoder import OnnxEncoder

    targets, vectors = soft(), None
    if kind == "ensemble":
        words, vectors = sorted(set(" ".join(targets.texts).split())), tmp_path / "vectors"
        write_vectors(words, OnnxEncoder(encoder_folder).encode, "en", vectors, dim=16)
    plan = Plan(kind, list(TEXTS), threshold, vectors=vectors, steps=200)
    nlp = fit(targets, plan, tmp_path / "small")
    found = probabilities(nlp, targets.texts, list(TEXTS))
    assert found == pytest.approx(targets.values, abs=0.15)  # zeros and ones are 0.4 away
    pipe: Any = nlp.get_pipe("textcat")
    several = threshold is not None
    assert type(pipe).__name__ == ("MultiLabel_TextCategorizer" if several else "TextCategorizer")
    assert decided(targets.values, threshold)[2].tolist() == [1.0, float(several)]
    if several:
        assert pipe.cfg["threshold"] == pytest.approx(threshold)
    if kind == "ensemble":  # what it knows of words is in the pipeline, whatever their case
        assert nlp.vocab["Match"].vector.any()
        assert not nlp.vocab["unheard"].vector.any()


def test_the_big_model_answers_for_texts_without_a_label() -> None:
    known = Targets(["a"], np.array([[1.0, 0.0]]), ["people"])
    found = with_answers(known, ["b", "a", "b"], lambda texts: np.full((len(texts), 2), 0.5))
    assert (found.texts, found.by) == (["a", "b"], ["people", "model"])
    assert found.values.tolist() == [[1, 0], [0.5, 0.5]]


def test_words_and_their_vectors(encoder_folder: Path) -> None:
    words = words_of(["Zyzzyva, indeed!"], encoder_folder / "tokenizer.json", "en")
    assert {"zyzzyva", "indeed", "football"} <= set(words)
    assert not {",", "##ing", "[CLS]", "[cls]"} & set(words)
    X = np.random.default_rng(0).normal(size=(50, 8)) * [9, 9, 1, 1, 1, 1, 1, 1]
    found = components(X.astype(np.float32), 2)
    assert found.shape == (50, 2)
    assert found.std() == pytest.approx(1, abs=1e-5)
    # The two directions in which words differ most are kept.
    kept = np.corrcoef(np.hstack([found, X[:, :2]]).T)[:2, 2:]
    assert (kept**2).sum(axis=0) == pytest.approx(1, abs=0.1)
