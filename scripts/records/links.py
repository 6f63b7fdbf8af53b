"""Addresses that open one text on Argilla's page.

The page has no address of a record. It has one of a search among the records of one status, and
that is what these are: a data set, a status, and words that stand side by side in the text.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple
from urllib.parse import quote, urlencode

import argilla as rg

from scripts.records.answers import Answer
from scripts.records.dataset import ORACLE, LoopDataset
from scripts.records.replies import by_id
from scripts.records.rest import page_url
from scripts.records.settings import BOT

WORDS = 12
# Scripts without spaces make one long word, of which each character is searched for.
CHARACTERS = 60
# In the address the page reads "_" as a space and "~" as the end, quotes and backslashes end the
# phrase, and half an emoji has no place in an address.
UNSAFE = re.compile(r'[_~"\\\ud800-\udfff]')


class Link(NamedTuple):
    """for_all: Whether everybody finds the text there, or who has answered it alone."""

    url: str
    for_all: bool


def links(
    loop: LoopDataset,
    pool: rg.Dataset | None,
    texts: Mapping[str, str],
    answers: Sequence[Answer],
) -> dict[str, Link]:
    """Text id -> where to open it, of those that a page shows to anybody.

    pool: The data set of the whole pool, if there is one. texts: Text id -> text. answers: What the
        loop's data set has, one a text.
    """
    seen = by_id(loop.client, pool.id, list(texts)) if pool else []
    there = {one.id for one in seen if not one.replies}
    said = {answer.text_id: answer for answer in answers}
    found = {}
    for id_, text in texts.items():
        answer = said.get(id_)
        people = [vote for vote in answer.votes if vote.user not in (BOT, ORACLE)] if answer else []
        dataset, status, for_all = loop.dataset.id, "pending", True
        if answer and answer.status == "waiting":
            pass
        elif pool and id_ in there:
            dataset = pool.id
        elif people:
            status = "discarded" if people[-1].discarded else "submitted"
            for_all = False
        else:
            continue  # it is not there, or answered by one who never signs in
        search = f"{search_words(text)}~all"
        query = urlencode({"page": 1, "status": status, "search": search}, quote_via=quote)
        found[id_] = Link(f"{page_url(loop.client, dataset)}?{query}", for_all)
    return found


def search_words(text: str) -> str:
    """Some of the words of a text as a phrase in quotes; all records, where it has none that can be
    searched for."""
    runs = groupby(text.split(), key=_searchable)
    clean = [list(words) for searchable, words in runs if searchable]
    phrase: list[str] = []
    for word in max(clean, key=len, default=[])[:WORDS]:
        phrase.append(word if word.isascii() else word[:CHARACTERS])
        if len(word) > len(phrase[-1]):
            break
    return f'"{" ".join(phrase)}"' if phrase else "*"


def _searchable(word: str) -> bool:
    return UNSAFE.search(word) is None and not (word.isascii() and len(word) > CHARACTERS)
