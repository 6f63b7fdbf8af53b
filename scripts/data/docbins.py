"""Labelled texts in spaCy's binary format. A blank pipeline is enough: nothing of a text is kept
but itself and its `cats`."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin

from scripts.data.corpus import Row


def write_rows(rows: Iterable[Row], labels: Sequence[str], path: Path) -> None:
    """Rows with gold labels; cats are 1.0 for a row's labels and 0.0 for all others."""
    nlp = spacy.blank("xx")
    docs = []
    for row in rows:
        doc = nlp.make_doc(row["text"])
        doc.cats = {label: float(label in row["labels"]) for label in labels}
        docs.append(doc)
    write_docs(docs, path)


def write_docs(docs: Iterable[Doc], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    DocBin(docs=docs).to_disk(path)


def read_docs(path: Path) -> list[Doc]:
    return list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))


def read_texts(path: Path) -> tuple[list[str], list[list[str]]]:
    """Texts and their labels: the cats with a value of at least 0.5."""
    docs = read_docs(path)
    return [doc.text for doc in docs], [given(doc) for doc in docs]


def given(doc: Doc) -> list[str]:
    return [label for label, value in doc.cats.items() if value >= 0.5]
