"""The query language itself; that the server answers with it is in test_search.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.argilla_server.text_query import Ranking, parse, prefix, tokenize, words

# Words, joiners, scripts without spaces, a combining accent, an emoji, punctuation.
TEXTS = st.text(alphabet="ab1'.,:·-_ é\u0301中あ😀Ñ\n\"", max_size=25)


def matches(query: str, *texts: str) -> bool:
    return parse(query).matches([text.lower() for text in texts])


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't PANIC", ["don't", "panic"]),
        ("wi-fi, a/b", ["wi", "fi", "a", "b"]),
        ("see example.com.", ["see", "example.com"]),
        ("3.14 or 1,000", ["3.14", "or", "1,000"]),
        ("snake_case", ["snake_case"]),
        ("日本 カタカナ", ["日", "本", "カタカナ"]),
        ("cafe\u0301", ["cafe\u0301"]),
        ("ok😀😀", ["ok", "😀", "😀"]),
        (" -- ", []),
    ],
)
def test_texts_are_split_into_words(text: str, tokens: list[str]) -> None:
    assert tokenize(text) == tokens


@given(TEXTS)
def test_patterns_find_the_same_words_as_the_tokenizer(text: str) -> None:
    tokens = tokenize(text)
    for word in set(tokens):
        assert words(word).count(text.lower()) == tokens.count(word)
        for end in range(1, len(word)):
            start = word[:end]
            if tokenize(start) == [start]:
                expected = sum(token.startswith(start) for token in tokens)
                assert prefix(start).count(text.lower()) == expected


@given(st.text("abc", min_size=1, max_size=6), st.lists(st.text("abc-", max_size=6)))
def test_typos_are_found_wherever_they_are(word: str, others: list[str]) -> None:
    text = " ".join(others)
    for distance in (1, 2):
        expected = sum(edits(word, token) <= distance for token in tokenize(text))
        (leaf,) = parse(f"{word}~{distance}").leaves()
        assert leaf.count(text) == expected


def edits(left: str, right: str) -> int:
    """The edit distance, as it is defined."""
    if not left or not right:
        return len(left or right)
    if left[0] == right[0]:
        return edits(left[1:], right[1:])
    return 1 + min(edits(left[1:], right), edits(left, right[1:]), edits(left[1:], right[1:]))


@given(st.text(alphabet='ab |+-"()*~1\\', max_size=30), TEXTS)
def test_any_query_can_be_asked(query: str, text: str) -> None:
    ranking = Ranking(parse(query))
    ranking.add("record", [text])
    assert len(ranking.scores) == len(ranking.keys)


@given(st.text(max_size=40))
def test_a_negated_query_matches_the_rest(text: str) -> None:
    assert matches("apple", text, "apple pie")
    assert not matches("-apple", text, "apple pie")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("a b | c", True),  # (a and b) or c
        ("c | a x", False),  # (c or a) and x
        ("x | (a b)", True),
        ("--a", True),
        ("a -(b | x)", False),
        ("a | | x", True),  # the second operator means nothing
        ("| a", True),
        ("a +", True),
        ("(a", True),
        ("a)", True),
        ('"a b', True),
        ('"b a"', False),
        ('"a c"~1', True),
        ('"a c"', False),
        (r"\-a", True),  # an escaped operator is a letter, and no word
        ("()", False),
        ("", False),
        ("!!! ...", False),
        ("!!! a", True),
        ("*", True),
        ("(" * 2000 + "a" + ")" * 2000, True),  # too deep to mean anything
    ],
)
def test_operators(query: str, expected: bool) -> None:
    assert matches(query, "a b c") is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("micrsoft~1", True),
        ("mcrsoft~1", False),
        ("mcrsoft~2", True),
        ("mcrsoft~", True),
        ("mcrsoft~9", True),  # as far as 2
        ("microsoft~0", True),
        ("micrsoft~0", False),
    ],
)
def test_typos(query: str, expected: bool) -> None:
    assert matches(query, "what microsoft said") is expected


def test_a_term_is_found_within_one_field_and_terms_in_several() -> None:
    assert matches("wi fi", "wi", "fi")
    assert not matches("wi-fi", "wi", "fi")
    assert not matches('"wi fi"', "wi", "fi")


def test_more_of_it_in_a_shorter_text_ranks_higher() -> None:
    ranking = Ranking(parse("oil | gold"))
    ranking.add("once", ["oil is what the whole of this long text is about, once"])
    ranking.add("often", ["oil, oil and oil: that is what this long text is all about"])
    ranking.add("short", ["oil"])
    ranking.add("rare", ["gold is what the whole of this long text is about, once"])
    scores = dict(zip(ranking.keys, ranking.scores, strict=True))
    assert scores["often"] > scores["once"]
    assert scores["short"] > scores["once"]
    assert scores["rare"] > scores["once"]
