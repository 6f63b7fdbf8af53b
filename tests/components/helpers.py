"""Small data sets, and Examples made of them."""

from collections.abc import Iterable

from spacy.language import Language
from spacy.training import Example

TRAIN = [
    ("Shares fell as the bank reported a loss.", "business"),
    ("The company will cut jobs to save costs.", "business"),
    ("Oil prices pushed inflation up again.", "business"),
    ("Profits at the car maker doubled this year.", "business"),
    ("The striker scored twice in the final.", "sport"),
    ("Their coach praised the team after the match.", "sport"),
    ("She won the tennis title in straight sets.", "sport"),
    ("The sprinter broke the world record.", "sport"),
    ("The new phone has a faster chip.", "tech"),
    ("Hackers found a hole in the browser.", "tech"),
    ("The console sold a million games online.", "tech"),
    ("Software that recognises speech is improving.", "tech"),
]
TEST = [
    ("The retailer's shares rose on strong sales.", "business"),
    ("The goalkeeper saved a penalty in extra time.", "sport"),
    ("A security update for the operating system is out.", "tech"),
]


def examples(nlp: Language, rows: Iterable[tuple[str, dict[str, float]]]) -> list[Example]:
    return [Example.from_dict(nlp.make_doc(text), {"cats": cats}) for text, cats in rows]


def one_hot(rows: Iterable[tuple[str, str]]) -> list[tuple[str, dict[str, float]]]:
    rows = list(rows)
    labels = sorted({label for _, label in rows})
    return [(text, {other: float(other == label) for other in labels}) for text, label in rows]
