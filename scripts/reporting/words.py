"""Texts and numbers as a page shows them."""

import unicodedata

UNKNOWN = "–"


def shortened(text: str, most: int) -> str:
    """A text in one line of at most so many characters."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    # At a word's end, if there is one nearby: some scripts have no spaces.
    end = max(line.rfind(" ", 0, most), most - 20)
    return f"{line[:end].rstrip()} …"


def printable(value: object) -> object:
    """A text without the characters that no page can have, such as half an emoji; all else as it
    is."""
    if type(value) is not str:
        return value
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in ("Cc", "Cs") else char
        for char in value
    )


def number(value: float | None) -> str:
    """A score, with three digits."""
    return UNKNOWN if value is None else f"{value:.3f}"


def share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{100 * value:.1f}\N{NO-BREAK SPACE}%"
