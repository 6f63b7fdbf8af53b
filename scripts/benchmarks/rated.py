"""Sentences that people rated for their mood, from negative to positive (Hutto & Gilbert 2014,
"VADER"), which the source distribution of vaderSentiment 2.5 on PyPI carries (MIT). Nothing in this
project was chosen on them. For benchmarks only:

    pip download vaderSentiment==2.5 --no-deps --no-binary :all: --dest metrics
"""

import io
import random
import tarfile
from collections import Counter
from pathlib import Path

from scripts.cli.errors import ProjectError

ARCHIVE = Path("metrics/vaderSentiment-2.5.tar.gz")
INNER = "vaderSentiment-2.5/additional_resources/hutto_ICWSM_2014.tar.gz"
SOURCES = {
    "tweet": "tweets",
    "film review": "movieReviewSnippets",
    "product review": "amazonReviewSnippets",
    "newspaper": "nytEditorialSnippets",
}
OF_EACH = 1000  # sentences of each source
# Ratings run from -4 to 4; nearer to 0 than this, a sentence is neutral.
NEUTRAL = 0.5


def read_mood(source: str, neutral: bool) -> tuple[list[str], list[str]]:
    """Sentences of one source, positive or negative, or neutral if these are wanted."""
    rows = [(text, _mood(rating)) for text, rating in _read(source)]
    rows = [row for row in rows if neutral or row[1] != "neutral"]
    return [text for text, _ in rows], [mood for _, mood in rows]


def read_sources() -> tuple[list[str], list[str]]:
    """Sentences by where they are from, always the same ones."""
    rng = random.Random(0)
    rows = [
        (text, name)
        for name, source in SOURCES.items()
        for text, _ in rng.sample(_read(source), OF_EACH)
    ]
    times = Counter(text for text, _ in rows)
    rows = [row for row in rows if times[row[0]] == 1]
    return [text for text, _ in rows], [name for _, name in rows]


def _mood(rating: float) -> str:
    if abs(rating) < NEUTRAL:
        return "neutral"
    return "positive" if rating > 0 else "negative"


def _read(source: str) -> list[tuple[str, float]]:
    """Each sentence once, with its mean rating. RAISES (ProjectError): The archive is not there."""
    if not ARCHIVE.exists():
        raise ProjectError(
            f"{ARCHIVE} is not there.",
            "For this benchmark: pip download vaderSentiment==2.5 --no-deps --no-binary :all: "
            f"--dest {ARCHIVE.parent}",
        )
    with tarfile.open(ARCHIVE) as outer, tarfile.open(fileobj=outer.extractfile(INNER)) as inner:
        file = inner.extractfile(f"hutto_ICWSM_2014/{source}_GroundTruth.txt")
        assert file is not None
        found: dict[str, float] = {}
        for line in io.TextIOWrapper(file, encoding="utf8", errors="replace"):
            _, rating, text = line.rstrip("\n").split("\t", 2)
            found.setdefault(" ".join(text.split()), float(rating))
    found.pop("", None)
    return list(found.items())
