"""A report of nothing real, whose every text is out to break the page."""

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np

from scripts.loop.replay import Row
from scripts.records.links import Link
from scripts.reporting.about import Named
from scripts.reporting.facts import Counts, LabelCount, Promised, Report
from scripts.reporting.pool_map import Group, Point, PoolMap
from scripts.reporting.scored import score
from scripts.reporting.texts import Shown

HOSTILE = (
    "<script>window.hacked = true</script>",
    "</script><script>window.hacked = true</script>",
    "</title></style></svg><img src=x onerror='window.hacked = true'>",
    '" onmouseover="window.hacked = true" x="',
    "{{ 7 * 191 }} {% raw %} &lt;b&gt; &amp; ]]> <!--",
    "Donaudampfschifffahrtsgesellschaft" * 30,
    "\u202eשלום עולם, זה טקסט בעברית \u0641\u064a \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "今日は天気がいいですね。" * 30,
    "a null \x00, a bell \x07 and half an emoji \ud83d",
)


def made_up(k: int = 3, several: bool = False, texts: tuple[str, ...] = HOSTILE) -> Report:
    """k: Labels."""
    rng = np.random.default_rng(0)
    names = [f"{n} {texts[n % len(texts)]}" for n in range(k)]
    gold = rng.integers(0, 2, (40, k)) if several else rng.integers(0, k, 40)
    scores = score(rng.dirichlet(np.ones(k), 40), gold, names, 0.5 if several else None)
    rows = [_row(step, scores.accuracy, scores.macro_f, scores.micro_f) for step in range(3)]
    shown = [
        Shown(
            str(n),
            text,
            (names[0],),
            "2 annotators",
            (names[-1],),
            0.5,
            Link("http://x/?a=1&b", True),
        )
        for n, text in enumerate(texts)
    ]
    points = [Point(n / 10, n / 10, n % k % 9, n % 2 > 0, texts[n % len(texts)]) for n in range(10)]
    return Report(
        name=texts[0],
        made="2026-01-01 12:00 UTC",
        several=several,
        gold=True,
        simulated=True,
        trained=True,
        promised=Promised(0.041, 0.9, texts[1], [texts[0], "Nothing else."]),
        counts=Counts(500, 60, 400, 37, 4, 3, 2),
        labels=[LabelCount(name, texts[0], 5, 7) for name in names],
        rows=rows,
        worth=[("3 labels", 0.5)],
        test=40,
        scores=scores,
        map=PoolMap(points, [Group(name, 5) for name in names[:9]], 500),
        hidden=1,
        in_pool=False,
        unsure=[replace(one, by="waiting", given=None) for one in shown],
        errors=shown,
        contradictions=[(shown[0], shown[1])],
        settings=[Named("paths.corpus", texts[1])],
        pipeline=[Named("classy_textcat.threshold", "0.5")],
        versions=[Named("data", texts[2])],
    )


def _row(step: int, accuracy: float, macro_f: float, micro_f: float) -> Row:
    measured = (400, 0.931, 0.041, 0.01, 0.95, 0.9, 0.98)
    return Row(step, 20 * (step + 1), 3, *measured, accuracy, macro_f, micro_f)


class Page(HTMLParser):
    """What a parser makes of a page: elements with their attributes, and the text of each kind."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self.open = [""]
        self.cells: list[tuple[dict[str, str | None], str]] = []  # attributes and text
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "td":
            self.cells.append((dict(attrs), ""))
        if tag in ("script", "style", "title", "td", "th", "b", "span", "bdi", "li", "p"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open[1:]:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.text.setdefault(self.open[-1], []).append(data)
        if "td" in self.open:
            attributes, before = self.cells[-1]
            self.cells[-1] = attributes, before + data

    def all(self, tag: str) -> list[dict[str, Any]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self) -> str:
        """All that is shown."""
        hidden = ("script", "style")
        return "".join(x for tag, texts in self.text.items() if tag not in hidden for x in texts)
