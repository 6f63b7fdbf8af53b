"""Elasticsearch's "simple query string" over plain tokens, without a text index.

    cheap flights        both words (AND is the default)
    cheap | flights      either word
    +cheap -flights      the one without the other
    "cheap flights"      a phrase; "cheap flights"~2 lets 2 other words come between
    flig*                a prefix
    flihgts~1            at most 1 (or 2) typos
    (cheap | free) trip  grouping; operators bind from left to right

Any string parses: operators that make no sense where they stand are ignored, a backslash takes
away an operator's meaning. Only the standard library is used.
"""

import math
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

# Combining marks belong to the word they stand on, which `\w` does not know.
_MARKS = "".join(
    chr(code) for code in range(0x300, 0xFFFF) if unicodedata.category(chr(code)).startswith("M")
)
# Scripts written without spaces, and emoji: every character is a word.
_SINGLE = "\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_EMOJI = "\u2600-\u27bf\U0001f300-\U0001faff"
_WORD = rf"(?:[^\W{_SINGLE}]|[{_MARKS}])+"
# Word boundaries as in Unicode's annex 29: "don't", "example.com" and "3.14" are one word each,
# "wi-fi" and "a/b" are two.
_TOKEN = re.compile(
    rf"[{_SINGLE}{_EMOJI}]|{_WORD}"
    rf"(?:(?:(?<=[^\W\d_])['’.:·](?=[^\W\d_])|(?<=\d)['’.,;](?=\d)){_WORD})*"
)
_SPACE = " \t\n\r"
_MAX_DEPTH = 50


def tokenize(text: str) -> list[str]:
    """Split a text into lower-case words, the way Elasticsearch's standard analyzer does."""
    return _TOKEN.findall(text.lower())


@dataclass(frozen=True)
class Text:
    """The searchable texts of one record: the tokens of each of its fields."""

    fields: Sequence[list[str]]

    def __len__(self) -> int:
        return sum(len(tokens) for tokens in self.fields)


class Node:
    """A part of a parsed query."""

    def matches(self, text: Text) -> bool:
        raise NotImplementedError

    def leaves(self) -> Iterator["Leaf"]:
        """What a record is ranked by: every searched word that is not negated."""
        raise NotImplementedError


class Leaf(Node):
    """One search term; it has to be found whole within one field."""

    def count(self, tokens: list[str]) -> int:
        """How often the term is in these tokens."""
        raise NotImplementedError

    @property
    def literals(self) -> Sequence[str]:
        """Strings that a text must hold for the term to match, for a quick first look."""
        return ()

    def matches(self, text: Text) -> bool:
        return any(self.count(tokens) for tokens in text.fields)

    def leaves(self) -> Iterator["Leaf"]:
        yield self


@dataclass(frozen=True)
class Words(Leaf):
    """A term; one with several words in it ("wi-fi") needs all of them."""

    words: tuple[str, ...]

    def count(self, tokens: list[str]) -> int:
        return min(tokens.count(word) for word in self.words)

    @property
    def literals(self) -> Sequence[str]:
        return self.words


@dataclass(frozen=True)
class Prefix(Leaf):
    """`flig*`: words that start so (and the words before, in `wi-fi*`)."""

    words: tuple[str, ...]

    def count(self, tokens: list[str]) -> int:
        *whole, start = self.words
        counts = [tokens.count(word) for word in whole]
        return min([*counts, sum(token.startswith(start) for token in tokens)])

    @property
    def literals(self) -> Sequence[str]:
        return self.words


@dataclass(frozen=True)
class Phrase(Leaf):
    """Words in this order, with at most `slop` other words among them."""

    words: tuple[str, ...]
    slop: int = 0

    def count(self, tokens: list[str]) -> int:
        starts = (at for at, token in enumerate(tokens) if token == self.words[0])
        return sum(self._follows(tokens, start) for start in starts)

    def _follows(self, tokens: list[str], start: int) -> bool:
        at = start
        for word in self.words[1:]:
            end = start + len(self.words) + self.slop
            try:
                at = tokens.index(word, at + 1, end)
            except ValueError:
                return False
        return at - start < len(self.words) + self.slop

    @property
    def literals(self) -> Sequence[str]:
        return self.words


@dataclass(frozen=True)
class Fuzzy(Leaf):
    """`word~1`: words within an edit distance of at most 2."""

    word: str
    distance: int

    def count(self, tokens: list[str]) -> int:
        return sum(_within(self.word, token, self.distance) for token in tokens)


@dataclass(frozen=True)
class Not(Node):
    part: Node

    def matches(self, text: Text) -> bool:
        return not self.part.matches(text)

    def leaves(self) -> Iterator[Leaf]:
        return iter(())


@dataclass(frozen=True)
class Group(Node):
    """Parts of which all (or any) have to match."""

    parts: tuple[Node, ...]
    every: bool

    def matches(self, text: Text) -> bool:
        found = (part.matches(text) for part in self.parts)
        return all(found) if self.every else any(found)

    def leaves(self) -> Iterator[Leaf]:
        for part in self.parts:
            yield from part.leaves()


@dataclass(frozen=True)
class Constant(Node):
    """Matches everything (`*` alone) or nothing (a query without a word in it)."""

    value: bool

    def matches(self, text: Text) -> bool:
        return self.value

    def leaves(self) -> Iterator[Leaf]:
        return iter(())


def parse(query: str) -> Node:
    """Parse a query. It never fails: see the top of this file."""
    if query.strip() == "*":
        return Constant(True)
    return _Parser(query).parse(depth=0) or Constant(False)


class _Parser:
    """Reads one level of parentheses, from left to right."""

    def __init__(self, query: str) -> None:
        self.query = query
        self.at = 0
        self.closing = _parentheses(query)

    def parse(self, depth: int) -> Node | None:
        tree: Node | None = None
        operator: bool | None = None  # True: and, False: or; None: not given
        negated = False
        while self.at < len(self.query):
            char = self.query[self.at]
            if char == "-":
                negated = not negated
                self.at += 1
                continue
            part: Node | None = None
            if char in "+|":
                # The first of several operators counts, and one with nothing before it does not.
                if operator is None and tree is not None:
                    operator = char == "+"
                self.at += 1
            elif char in _SPACE or char == ")":
                self.at += 1
            elif char == "(":
                part = self._group(depth)
            elif char == '"':
                part = self._phrase()
            else:
                part = self._term()
            if part is not None:
                part = Not(part) if negated else part
                tree = _join(tree, part, every=operator is not False)
                operator = None
            negated = False
        return tree

    def _group(self, depth: int) -> Node | None:
        end = self.closing.get(self.at)
        start = self.at = self.at + 1
        if end is None or depth >= _MAX_DEPTH:
            return None
        self.at = end + 1
        return _Parser(self.query[start:end]).parse(depth + 1)

    def _phrase(self) -> Node | None:
        found = re.compile(r'"((?:[^"\\]|\\.)*)"(?:~(\d*))?', re.DOTALL).match(self.query, self.at)
        if found is None:  # never closed: the quote means nothing
            self.at += 1
            return None
        self.at = found.end()
        words = tuple(tokenize(re.sub(r"\\(.)", r"\1", found[1])))
        return Phrase(words, _small_number(found[2])) if words else None

    def _term(self) -> Node | None:
        text = ""
        prefix = False
        fuzzy: int | None = None
        while self.at < len(self.query):
            char = self.query[self.at]
            if char == "\\" and self.at + 1 < len(self.query):
                text += self.query[self.at + 1]
                prefix = False
                self.at += 2
                continue
            if char in _SPACE or char in '"|+()':
                break
            if char == "~" and text:
                found = re.compile(r"~(\d*)[^\s\"|+()]*").match(self.query, self.at)
                assert found is not None
                fuzzy = min(_small_number(found[1], missing=2), 2)
                self.at = found.end()
                break
            prefix = char == "*" and bool(text)
            text += char
            self.at += 1
        words = tuple(tokenize(text))
        if not words:
            return None
        if fuzzy:
            return Fuzzy("".join(words), fuzzy)
        return Prefix(words) if prefix else Words(words)


def _parentheses(query: str) -> dict[int, int]:
    """Where each opening parenthesis is closed; one that is not closed is left out."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    at = 0
    while at < len(query):
        if query[at] == "\\":
            at += 1
        elif query[at] == "(":
            opened.append(at)
        elif query[at] == ")" and opened:
            pairs[opened.pop()] = at
        at += 1
    return pairs


def _join(tree: Node | None, part: Node, every: bool) -> Node:
    if tree is None:
        return part
    if isinstance(tree, Group) and tree.every == every:
        return Group((*tree.parts, part), every)
    return Group((tree, part), every)


def _small_number(digits: str | None, missing: int = 0) -> int:
    return min(int(digits[:4]), 1000) if digits else missing


def _within(left: str, right: str, distance: int) -> bool:
    """Whether two words are within an edit distance (Levenshtein) of each other."""
    if abs(len(left) - len(right)) > distance:
        return False
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
        if min(row) > distance:
            return False
    return row[-1] <= distance


class Ranking:
    """Collects what matches a query, and ranks it with BM25 (Robertson and Zaragoza 2009).

    How rare a word is, and how long a text usually is, is taken from the matching records: the
    order is that of a search engine, the scores are not the same numbers.
    """

    K1 = 1.2
    B = 0.75

    def __init__(self, query: Node) -> None:
        self.query = query
        self.leaves = list(dict.fromkeys(query.leaves()))
        self.keys: list[str] = []
        self._counts: list[list[int]] = []
        self._lengths: list[int] = []

    def add(self, key: str, text: Text) -> None:
        """Keep the record if it matches."""
        if not self.query.matches(text):
            return
        self.keys.append(key)
        self._lengths.append(len(text))
        self._counts.append([sum(map(leaf.count, text.fields)) for leaf in self.leaves])

    @cached_property
    def scores(self) -> list[float]:
        """A score for each of `keys`; call it when everything is added."""
        total = len(self.keys)
        mean = sum(self._lengths) / total if total else 1.0
        rarity = []
        for column in zip(*self._counts, strict=True):
            found = sum(count > 0 for count in column)
            rarity.append(math.log(1 + (total - found + 0.5) / (found + 0.5)))
        scores: list[float] = []
        for found_in, length in zip(self._counts, self._lengths, strict=True):
            norm = self.K1 * (1 - self.B + self.B * length / max(mean, sys.float_info.min))
            scores.append(
                sum(
                    weight * count * (self.K1 + 1) / (count + norm)
                    for weight, count in zip(rarity, found_in, strict=True)
                )
            )
        return scores
