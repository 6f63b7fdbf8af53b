"""Training in the loop: what it reads, and what it must not leave behind."""

from pathlib import Path

import pytest
import spacy

from scripts.cli.errors import ProjectError
from scripts.data.corpus import Pool
from scripts.loop.learner import Learner
from scripts.records.answers import Answer

TEXTS = ["a ${paths.train} in a text", "${b}", "[section]", "x = 1\ny = 2", "the match", "shares"]
LABELS = {"sports: ${c}": "matches [and] ${d}", "a\nbreak": "companies"}


def test_texts_and_labels_that_look_like_config(pipelines: Path, tmp_path: Path) -> None:
    pool = Pool([str(i) for i in range(len(TEXTS))], TEXTS)
    learner = Learner(pipelines / "textcat.cfg", tmp_path / "cache", LABELS, pool)
    learner.train([])  # zero-shot
    assert learner.predict(learner.embed(TEXTS)).shape == (6, 2)
    names = list(LABELS)
    answers = [
        Answer(str(i), text, "labelled", (names[i % 2],), 0, "query")
        for i, text in enumerate(TEXTS)
    ]
    learner.train(answers)
    before = learner.predict(learner.embed(TEXTS))
    learner.nlp.to_disk(tmp_path / "model")

    saved = (tmp_path / "model" / "config.cfg").read_text()
    assert not any(text in saved for text in [*TEXTS, *LABELS, *LABELS.values()])
    nlp = spacy.load(tmp_path / "model")
    assert list(nlp.get_pipe("classy_textcat").labels) == names
    for text, row in zip(TEXTS, before, strict=True):
        cats = nlp(text).cats
        assert [abs(cats[name] - p) < 1e-5 for name, p in zip(names, row, strict=True)] == [
            True,
            True,
        ]


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('lang = "en"', 'lang = "tlh"', "Can't import language tlh"),
        ("threshold = 0.5", "threshold = null", "threshold"),
        ("classy_head.logistic.v1", "classy_head.logistics.v1", "classy_head.logistics.v1"),
        ('factory = "classy_textcat"', 'factory = "classy"', "Can't find factory for 'classy'"),
    ],
)
def test_a_pipeline_config_that_spacy_refuses(
    pipelines: Path, tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    text = (pipelines / "textcat_multilabel.cfg").read_text()
    assert right in text
    (tmp_path / "own.cfg").write_text(text.replace(right, wrong))
    learner = Learner(tmp_path / "own.cfg", tmp_path / "cache", LABELS, Pool(["1"], ["a"]))
    with pytest.raises(ProjectError, match=r"own\.cfg cannot be used") as caught:
        learner.train([])
    assert said in caught.value.hint
