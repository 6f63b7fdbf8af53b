"""Elasticsearch's "simple query string" in the words of SQLite's FTS5.

    cheap flights        both words (AND is the default)
    cheap | flights      either word
    +cheap -flights      the one without the other
    "cheap flights"      a phrase; "cheap flights"~2 lets 2 other words come between
    flig*                a prefix
    (cheap | free) trip  grouping; operators bind from left to right

Any string parses: operators that make no sense where they stand are ignored, a backslash takes
away an operator's meaning. Standard library only.
"""

import re
from dataclasses import dataclass, field

from scripts.argilla_server.text_index import DATASET, words

MAX_LENGTH = 10_000
MAX_WORDS = 2_000
MAX_DEPTH = 80  # places on the stack of FTS5's parser, which has 100
OPERAND = 4  # places that an operand in parentheses needs: left side, operator, parenthesis, itself

_PART = re.compile(
    r"""
    "(?P<phrase>(?:[^"\\]|\\.)*)"(?:~(?P<slop>\d{1,3})\d*)?
    | (?P<operator>[-+|()])
    | (?P<term>(?:[^\s"|+()\\]|\\.)+)
    | .
    """,
    re.DOTALL | re.VERBOSE,
)


def match(query: str, dataset: str, column: str | None) -> str:
    """Say a query as FTS5's MATCH does; without a word in it, it matches nothing.

    `dataset` is an id as it is stored, `column` the only one to search in. Raises ValueError with
    a message for people if the query is too long.
    """
    if len(query) > MAX_LENGTH:
        raise ValueError(f"The query has {len(query)} characters; search for {MAX_LENGTH} at most.")
    everything = f'{DATASET}:"{dataset}"'
    if query.strip() == "*":
        return everything
    found = _Parser(everything, column or f"- {DATASET}").parse(query)
    return f"{everything} AND ({found})" if found else '""'


@dataclass
class _Group:
    """What has been read of a pair of parentheses; equal parts are kept once."""

    parts: dict[str, None] = field(default_factory=dict)
    operator: str = ""  # between all of the parts
    following: str = ""  # before the next part
    negated: bool = False
    depth: int = 0

    def __str__(self) -> str:
        inner = f" {self.operator} ".join(self.parts)
        return f"({inner})" if len(self.parts) > 1 else inner

    @property
    def cost(self) -> int:
        return self.depth + OPERAND * (len(self.parts) > 1)

    def add(self, part: str, depth: int) -> None:
        operator = self.following or "AND"
        if self.operator and self.operator != operator:
            self.parts, self.depth = {str(self): None}, self.depth + 1
        if self.parts:
            self.operator = operator
        self.parts[part] = None
        self.depth = max(self.depth, depth)
        self.following = ""
        if self.depth > MAX_DEPTH:
            raise ValueError(
                "The query changes between AND, OR and parentheses too often; search for less."
            )


class _Parser:
    """Reads a query from left to right."""

    def __init__(self, everything: str, columns: str) -> None:
        self.everything = everything
        self.columns = columns
        self.count = 0

    def parse(self, query: str) -> str:
        groups = [_Group()]
        for part in _PART.finditer(query):
            group = groups[-1]
            operator = part["operator"]
            if operator == "-":
                group.negated = not group.negated
            elif operator == "(":
                groups.append(_Group())
            elif operator == ")" and len(groups) > 1:
                groups.pop()
                self._add(groups[-1], str(group), group.cost)
            elif operator in ("+", "|") and group.parts and not group.following:
                # The first of several counts, and one with nothing before it does not.
                group.following = "AND" if operator == "+" else "OR"
            elif part["term"] or part["phrase"]:
                self._add(group, self._leaf(part))
            else:
                group.negated = False
        while len(groups) > 1:  # never closed
            group = groups.pop()
            self._add(groups[-1], str(group), group.cost)
        return str(groups[0])

    def _add(self, group: _Group, part: str, depth: int = 0) -> None:
        if part and group.negated:
            group.add(f"({self.everything} NOT {part})", depth + OPERAND)
        elif part:
            group.add(part, depth)
        group.negated = False

    def _leaf(self, part: re.Match[str]) -> str:
        """A word, a prefix or a phrase; it has to be found within one field."""
        # Typos ("wrod~1") are not searched for.
        text = part["phrase"] or re.sub(r"(?<=.)~\d*$", "", part["term"])
        found = words(re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL))
        self.count += len(found)
        if self.count > MAX_WORDS:
            raise ValueError(f"The query has more than {MAX_WORDS} words; search for fewer.")
        if not found:
            return ""
        if part["slop"]:
            inner = " ".join(f'"{word}"' for word in found)
            return f"{self.columns}:NEAR({inner}, {part['slop']})"
        star = " *" if part["term"] and re.search(r"[^\\]\*$", text) else ""
        return f'{self.columns}:"{" ".join(found)}"{star}'
