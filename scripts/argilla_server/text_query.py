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
from functools import cached_property, lru_cache, partial
from itertools import pairwise

# Combining marks belong to the word they stand on, which `\w` does not know.
_MARKS = "".join(
    chr(code) for code in range(0x300, 0xFFFF) if unicodedata.category(chr(code)).startswith("M")
)
# Scripts written without spaces, and emoji: every character is a word.
_SINGLE = "\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_EMOJI = "\u2600-\u27bf\U0001f300-\U0001faff"
_CHAR = rf"(?:[^\W{_SINGLE}]|[{_MARKS}])"
# What may stand between two letters or two digits of a word. These are the boundaries of Unicode's
# annex 29: "don't", "example.com" and "3.14" are one word each, "wi-fi" and "a/b" are two.
_LETTER, _LETTER_JOINER = rf"[^\W\d_{_SINGLE}]", "['’.:·]"
_DIGIT, _DIGIT_JOINER = r"\d", "['’.,;]"
_TOKEN = re.compile(
    rf"[{_SINGLE}{_EMOJI}]|{_CHAR}+"
    rf"(?:(?:(?<={_LETTER}){_LETTER_JOINER}(?={_LETTER})"
    rf"|(?<={_DIGIT}){_DIGIT_JOINER}(?={_DIGIT})){_CHAR}+)*"
)
_GAP = rf"(?:(?!{_CHAR}|[{_SINGLE}{_EMOJI}]).)*"
_SPACE = " \t\n\r"
_MAX_DEPTH = 50


def tokenize(text: str) -> list[str]:
    """Split a text into lower-case words, the way Elasticsearch's standard analyzer does."""
    return _TOKEN.findall(text.lower())


def _start_of(word: str) -> str:
    """A pattern for the start of a word: the same boundaries as `tokenize`, but much faster."""
    literal = re.escape(word)
    if re.match(rf"[{_SINGLE}{_EMOJI}]", word):
        return literal
    # The literal comes first, as that is what the regular expression machine can jump to.
    pattern = rf"{literal}(?<!{_CHAR}{literal})"
    for kind, joiner in ((_LETTER, _LETTER_JOINER), (_DIGIT, _DIGIT_JOINER)):
        if re.match(kind, word):
            pattern += rf"(?<!{kind}{joiner}{literal})"
    return pattern


def _whole(word: str) -> str:
    """A pattern for a whole word."""
    pattern = _start_of(word)
    if re.match(rf"[{_SINGLE}{_EMOJI}]", word):
        return pattern
    pattern += rf"(?!{_CHAR})"
    for kind, joiner in ((_LETTER, _LETTER_JOINER), (_DIGIT, _DIGIT_JOINER)):
        if re.search(rf"{kind}$", word):
            pattern += rf"(?!{joiner}{kind})"
    return pattern


class Node:
    """A part of a parsed query."""

    def matches(self, texts: Sequence[str]) -> bool:
        """Whether a record matches, given the texts of its fields in lower case."""
        raise NotImplementedError

    def leaves(self) -> Iterator["Leaf"]:
        """What a record is ranked by: every searched word that is not negated."""
        raise NotImplementedError


class Leaf(Node):
    """One search term; it has to be found whole within one field."""

    def count(self, text: str) -> int:
        """How often the term is in a text in lower case."""
        raise NotImplementedError

    # Strings that a text must hold for the term to match, for a quick first look.
    literals: Sequence[str] = ()

    def matches(self, texts: Sequence[str]) -> bool:
        return any(map(self.count, texts))

    def leaves(self) -> Iterator["Leaf"]:
        yield self


class Pattern(Leaf):
    """A term that regular expressions can find; the rarest of them says how often."""

    def __init__(self, words: Sequence[str], *patterns: str) -> None:
        self.literals = words
        self.patterns = [re.compile(pattern, re.DOTALL) for pattern in patterns]

    def count(self, text: str) -> int:
        return min(len(pattern.findall(text)) for pattern in self.patterns)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({' '.join(self.literals)})"


def words(*words: str) -> Pattern:
    """A term; one with several words in it ("wi-fi") needs all of them."""
    return Pattern(words, *map(_whole, words))


def prefix(*words: str) -> Pattern:
    """`flig*`: words that start so (and the words before, in `wi-fi*`)."""
    return Pattern(words, *map(_whole, words[:-1]), _start_of(words[-1]))


def phrase(*words: str) -> Pattern:
    """Words in this order, with nothing but spaces and punctuation between them."""
    return Pattern(words, _GAP.join(map(_whole, words)))


class Near(Leaf):
    """`"two words"~3`: words in this order, with at most `slop` other words among them."""

    def __init__(self, words: Sequence[str], slop: int) -> None:
        self.literals = words
        self.slop = slop

    def count(self, text: str) -> int:
        tokens = tokenize(text)
        starts = (at for at, token in enumerate(tokens) if token == self.literals[0])
        return sum(self._follows(tokens, start) for start in starts)

    def _follows(self, tokens: list[str], start: int) -> bool:
        at, end = start, start + len(self.literals) + self.slop
        for word in self.literals[1:]:
            try:
                at = tokens.index(word, at + 1, end)
            except ValueError:
                return False
        return True


class Fuzzy(Leaf):
    """`word~1`: words within an edit distance of at most 2."""

    def __init__(self, word: str, distance: int) -> None:
        # Each edit spoils one of these pieces at most, so one of them is always left.
        cuts = [len(word) * part // (distance + 1) for part in range(distance + 2)]
        self.pieces = [word[start:end] for start, end in pairwise(cuts)]
        self._may_be_near = re.compile("|".join(map(re.escape, self.pieces))).search
        # The same few words make up most of every text.
        self._is_near = lru_cache(100_000)(partial(_within, word, distance))

    def count(self, text: str) -> int:
        candidates = " ".join(filter(self._may_be_near, text.split()))
        return sum(map(self._is_near, tokenize(candidates)))


@dataclass(frozen=True)
class Not(Node):
    part: Node

    def matches(self, texts: Sequence[str]) -> bool:
        return not self.part.matches(texts)

    def leaves(self) -> Iterator[Leaf]:
        return iter(())


@dataclass(frozen=True)
class Group(Node):
    """Parts of which all (or any) have to match."""

    parts: tuple[Node, ...]
    every: bool

    def matches(self, texts: Sequence[str]) -> bool:
        found = (part.matches(texts) for part in self.parts)
        return all(found) if self.every else any(found)

    def leaves(self) -> Iterator[Leaf]:
        for part in self.parts:
            yield from part.leaves()


@dataclass(frozen=True)
class Constant(Node):
    """Matches everything (`*` alone) or nothing (a query without a word in it)."""

    value: bool

    def matches(self, texts: Sequence[str]) -> bool:
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
        parts = tokenize(re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL))
        slop = _small_number(found[2])
        if not parts:
            return None
        return Near(parts, slop) if slop else phrase(*parts)

    def _term(self) -> Node | None:
        text = ""
        starred = False
        distance = 0
        while self.at < len(self.query):
            char = self.query[self.at]
            if char == "\\" and self.at + 1 < len(self.query):
                text += self.query[self.at + 1]
                starred = False
                self.at += 2
                continue
            if char in _SPACE or char in '"|+()':
                break
            if char == "~" and text:
                found = re.compile(r"~(\d*)[^\s\"|+()]*").match(self.query, self.at)
                assert found is not None
                distance = min(_small_number(found[1], missing=2), 2)
                self.at = found.end()
                break
            starred = char == "*" and bool(text)
            text += char
            self.at += 1
        parts = tokenize(text)
        if not parts:
            return None
        if distance:
            return Fuzzy("".join(parts), distance)
        return prefix(*parts) if starred else words(*parts)


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


def _within(left: str, distance: int, right: str) -> bool:
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
        self.leaves = list(query.leaves())
        self.keys: list[str] = []
        self._counts: list[list[int]] = []
        self._lengths: list[int] = []

    def add(self, key: str, texts: Sequence[str]) -> None:
        """Keep a record if it matches, given the texts of its fields."""
        texts = [text.lower() for text in texts]
        if not self.query.matches(texts):
            return
        self.keys.append(key)
        self._lengths.append(sum(map(len, texts)))
        self._counts.append([sum(map(leaf.count, texts)) for leaf in self.leaves])

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
