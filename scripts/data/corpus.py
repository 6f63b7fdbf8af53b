"""The files of corpus/: what `prepare` writes and the other commands read."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import srsly

from scripts.cli.errors import ProjectError

# {"id": str, "text": str, "labels": list[str], empty for none of the labels, or None: unlabelled}
Row = dict[str, Any]
UNDER_WAY = "labels_change.json"  # what data.label_files notes while labels change


def text_id(text: str) -> str:
    """A record's id comes from its text alone: the same text is the same record on any machine."""
    return hashlib.sha256(text.encode("utf8", errors="surrogatepass")).hexdigest()[:16]


def labels_mark(texts: Iterable[str], labels: Iterable[Sequence[str]]) -> str:
    """Of texts and their labels, in any order: the same labels have the same mark."""
    rows = sorted((text_id(text), sorted(row)) for text, row in zip(texts, labels, strict=True))
    return hashlib.sha256(srsly.json_dumps(rows).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Pool:
    """The texts that can be asked, in the order of the file."""

    ids: list[str]
    texts: list[str]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def known(self) -> frozenset[str]:
        """The ids, to look them up."""
        return frozenset(self.ids)


def read_pool(corpus: Path) -> Pool:
    """RAISES (ProjectError): There is no pool, or it is empty or damaged."""
    pool = Pool([], [])
    for row in _lines(corpus / "pool.jsonl"):
        pool.ids.append(row["id"])
        pool.texts.append(row["text"])
    if not pool.ids:
        raise ProjectError(
            f"The pool {corpus / 'pool.jsonl'} is empty.",
            "Prepare a data set that has texts: weasel run prepare . --vars.dataset my.csv",
        )
    return pool


def read_labels(corpus: Path) -> dict[str, str]:
    """The labels, in their order, each with its description.

    RAISES (ProjectError): There is no labels file, or it has fewer than two labels; or they are
        being changed, and not all places have the new ones yet.
    """
    if (corpus / UNDER_WAY).exists():
        raise ProjectError(
            "A change of the labels was begun and is not finished.",
            "Finish it: weasel run labels",
        )
    path = _existing(corpus / "labels.json")
    labels = dict(srsly.read_json(path))
    if len(labels) < 2:
        raise ProjectError(
            f"A classifier needs at least two labels; {path} has {len(labels)}.",
            "Prepare the data again: weasel run prepare",
        )
    return labels


def read_gold(corpus: Path) -> dict[str, list[str]]:
    """Gold labels of the pool by text id: for simulated annotators alone, never for the loop.

    RAISES (ProjectError): The data has no gold labels.
    """
    path = corpus / "oracle.jsonl"
    if (corpus / "pool.jsonl").exists() and not path.exists():
        raise ProjectError(
            "The data has no gold labels, so nobody can be simulated.",
            "Label the records in Argilla, or prepare data with a label column.",
        )
    return {row["id"]: row["labels"] for row in _lines(path) if row["labels"] is not None}


def read_held_out(corpus: Path) -> list[Row]:
    """The texts held out for people to label; none where the data has gold labels."""
    path = corpus / "held_out.jsonl"
    return list(_lines(path)) if path.exists() else []


# What to set for data in which a text has any number of labels.
SEVERAL = '[paths] pipeline = "configs/textcat_multilabel.cfg"'


def check_one_label(texts: Sequence[str], labels: Sequence[Sequence[str]], source: str) -> None:
    """For settings where a text has exactly one label.

    labels: Of each text. source: What they are, for the message.
    RAISES (ProjectError): A text has none or several: it would lose labels without a word.
    """
    wrong = [n for n, given in enumerate(labels) if len(given) != 1]
    if not wrong:
        return
    n = wrong[0]
    more = f", and so {len(wrong) - 1} more of its texts" if len(wrong) > 1 else ""
    raise ProjectError(
        f"Text {n + 1} of {source} has {in_words(labels[n])}{more}; the pipeline takes one a text.",
        f"It is: '{texts[n][:60]}'\nFor any number of labels a text, set in configs/loop.cfg: "
        f"{SEVERAL}\nElse correct the data (a text that nobody has labelled has null, not []).",
    )


def check_prepared(corpus: Path) -> None:
    """The same for the gold labels of the prepared data, if there are any."""
    if not (corpus / "meta.json").exists() or not read_meta(corpus).get("multi_label"):
        return
    if (corpus / "oracle.jsonl").exists():
        gold, pool = read_gold(corpus), read_pool(corpus)
        text_of = dict(zip(pool.ids, pool.texts, strict=True))
        check_one_label([text_of[id_] for id_ in gold], list(gold.values()), "the prepared pool")
    raise ProjectError(
        "The prepared data has texts with several labels, or none; the pipeline takes exactly one.",
        f"For any number of labels a text, set in configs/loop.cfg: {SEVERAL}",
    )


def in_words(labels: Sequence[str]) -> str:
    """How many labels, in words."""
    return f"{len(labels)} labels ({', '.join(labels)})" if labels else "none of the labels"


def check_labels(seen: Iterable[str], labels: Iterable[str]) -> None:
    """RAISES (ProjectError): The data has labels that the settings don't have."""
    labels = list(labels)
    if unknown := sorted(set(seen) - set(labels)):
        raise ProjectError(
            f"The data has labels that the settings don't have: {', '.join(unknown)}.",
            f"The settings have: {', '.join(labels)}. Add them to --vars.labels and prepare the "
            "data again, or mend the data.",
        )


def read_name(corpus: Path) -> str:
    """The name of the prepared data."""
    return str(read_meta(corpus)["name"])


def read_meta(corpus: Path) -> dict[str, Any]:
    """What was prepared: `name`, `dataset`, `split` and the columns as they were given, and
    `multi_label`: whether any gold answer has several labels or none.

    RAISES (ProjectError): Nothing was prepared yet.
    """
    return dict(srsly.read_json(_existing(corpus / "meta.json")))


def _existing(path: Path) -> Path:
    if not path.exists():
        raise ProjectError(f"There is no {path}.", "Make it first: weasel run prepare")
    return path


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        yield from srsly.read_jsonl(_existing(path))
    except ValueError as err:
        raise ProjectError(
            f"{path} is damaged: {err}", "Make it again: weasel run prepare"
        ) from None
