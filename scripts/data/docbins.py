"""Labelled texts in spaCy's binary format. A tokenizer is enough: nothing of a text is kept but
itself, its `cats` and, in `user_data`, who gave them: "by" is "people" or "machine"."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from scripts.cli.console import msg
from scripts.cli.errors import ProjectError, first_line
from scripts.cli.words import count
from scripts.data.corpus import Row, check_labels, check_one_label, read_held_out, text_id
from scripts.data.pipelines import blank
from scripts.data.whole import written_whole

T = TypeVar("T")


def write_rows(rows: Iterable[Row], labels: Sequence[str], path: Path) -> None:
    """Rows with gold labels; cats are 1.0 for a row's labels and 0.0 for all others."""
    docs = []
    for row in rows:
        doc = tokenizer()(row["text"])
        doc.cats = {label: float(label in row["labels"]) for label in labels}
        docs.append(doc)
    write_docs(docs, path)


def write_docs(docs: Iterable[Doc], path: Path) -> None:
    """Write all of them or, where that fails, leave the file as it was."""
    with written_whole(path) as part:
        DocBin(docs=docs, store_user_data=True).to_disk(part)


def read_docs(path: Path) -> list[Doc]:
    """RAISES (ProjectError): It is no such file, or a damaged one."""
    try:
        return list(DocBin().from_disk(path).get_docs(Vocab()))
    except OSError:  # it is not there
        raise
    except Exception as err:  # whatever the libraries say of a damaged file
        raise ProjectError(
            f"{path} cannot be read as .spacy: it is another file, or damaged.",
            f"{first_line(err)}\n"
            "Give another, or write it anew, as the command that wrote it does.",
        ) from None


def read_texts(path: Path) -> tuple[list[str], list[list[str]]]:
    """Texts and their labels: the cats with a value of at least 0.5."""
    docs = read_docs(path)
    return [doc.text for doc in docs], [given(doc) for doc in docs]


def read_gold_texts(
    path: Path, names: Iterable[str], multi_label: bool
) -> tuple[list[str], list[list[str]]]:
    """The same, of a file that is to be trained on or tested with.

    RAISES (ProjectError): It has labels that are not in names or, where a text has exactly one, a
        text with none or several. spaCy itself would go by one of them.
    """
    texts, labels = read_texts(path)
    check_labels((label for row in labels for label in row), names)
    if not multi_label:
        check_one_label(texts, labels, str(path))
    return texts, labels


def held_out_ids(corpus: Path) -> set[str]:
    """Of the texts that a pipeline is tested on, or will be when people have labelled them."""
    test, ids = corpus / "test.spacy", {row["id"] for row in read_held_out(corpus)}
    return ids | ({text_id(doc.text) for doc in read_docs(test)} if test.exists() else set())


def leave_out_tested(rows: Sequence[T], id_of: Callable[[T], str], corpus: Path) -> list[T]:
    """Those that a pipeline may be trained on, after saying how many it is tested on."""
    held_out = held_out_ids(corpus)
    left = [row for row in rows if id_of(row) not in held_out]
    if tested := len(rows) - len(left):
        msg.warn(f"Left out, as the pipeline is tested on them: {count(tested, 'text')}")
    return left


def given(doc: Doc) -> list[str]:
    return [label for label, value in doc.cats.items() if value >= 0.5]


@cache
def tokenizer() -> Tokenizer:
    """That of no language in particular."""
    return blank("xx").tokenizer
