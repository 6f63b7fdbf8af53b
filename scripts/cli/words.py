"""Words of messages."""

from collections.abc import Iterable


def count(n: int, thing: str) -> str:
    """So many things: "1 text", "2 texts". The plural of thing ends in s."""
    return f"{n} {thing}" + ("" if n == 1 else "s")


def listed(labels: Iterable[str]) -> str:
    """What labels a text has."""
    return ", ".join(labels) or "none of the labels"


def sentence(words: str) -> str:
    """A line of a list as a sentence of a text."""
    return f"{words[0].upper()}{words[1:]}."


def rests_on(labels: int) -> str:
    """What holds a promise of a finished data set, for a list."""
    return (
        f"this rests on {count(labels, 'label')} of texts drawn by chance, and on people's labels "
        "being right"
    )


def size(n: int) -> str:
    """So many bytes, in words."""
    return f"{n / 1e9:.1f} GB" if n >= 1e9 else f"{n / 1e6:.1f} MB"
