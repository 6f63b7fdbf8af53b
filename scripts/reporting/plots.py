"""The charts with axes, as SVG that takes its colours and its letters from the page around it."""

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from scripts.active_learning.calibration import Bin
from scripts.loop.replay import Row
from scripts.reporting.facts import Counts

# Colours of the style sheet, each drawn in a colour that stands for it.
INK, FAINT, PEOPLE, MACHINE, OPEN, GOOD = (f"#00000{place}" for place in range(1, 7))
VARIABLES = {
    INK: "ink",
    FAINT: "line",
    PEOPLE: "people",
    MACHINE: "machine",
    OPEN: "open",
    GOOD: "good",
}
SIZE = (4.9, 3.1)  # inches of 72 points: as wide as a phone, so that its letters can be read there
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # letters stay letters
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


def plot_labels(rows: Sequence[Row], counts: Counts) -> Markup:
    """Whose labels the texts of the pool have, by labels of people."""
    x = [row.people for row in rows]
    machine = [row.machine for row in rows]
    left = [max(counts.pool - row.people - row.discarded - row.machine, 0) for row in rows]

    def draw(axes: Axes) -> None:
        names, colours = ["by people", "by machine", "open"], [PEOPLE, MACHINE, OPEN]
        axes.stackplot(x, x, machine, left, labels=names, colors=colours)
        axes.set(xlabel="labels by people", ylabel="texts of the pool")
        axes.margins(x=0, y=0)

    return _svg(draw, "Texts by who has labelled them, after each step", columns=3)


def plot_scores(rows: Sequence[Row], several: bool) -> Markup | None:
    """The estimated accuracy with its interval, and scores on the test set, by labels of people.
    None where neither is known of any step."""
    if all(row.estimate is None and row.accuracy is None for row in rows):
        return None
    what = "exact match" if several else "accuracy"

    def draw(axes: Axes) -> None:
        x, low, high, value = _known(rows, "estimate_low", "estimate_high", "estimate")
        if x:
            axes.fill_between(x, low, high, color=PEOPLE, alpha=0.2, linewidth=0)
            axes.plot(x, value, color=PEOPLE, marker=".", label=f"{what}, estimated on the pool")
        for name, label, colour, style in (
            ("accuracy", f"{what} on the test set", GOOD, "-"),
            ("macro_f", "macro F on the test set", MACHINE, "--"),
        ):
            x, value = _known(rows, name)
            if x:
                axes.plot(x, value, color=colour, linestyle=style, marker=".", label=label)
        axes.set(xlabel="labels by people", ylim=(None, 1))

    return _svg(draw, "Scores of the model after each step", columns=1)


def plot_reliability(bins: Sequence[Bin]) -> Markup:
    """Share of right answers by the certainty of the model, and the texts of each."""

    def draw(axes: Axes) -> None:
        sizes, certainty, accuracy = zip(*bins, strict=True)
        axes.plot([0, 1], [0, 1], color=INK, linestyle=":", linewidth=1, label="as sure as right")
        axes.plot(certainty, accuracy, color=PEOPLE, marker="o", markersize=4, label="the model")
        texts = axes.twinx()
        texts.bar(certainty, sizes, width=0.04, color=OPEN)
        texts.set(ylim=(0, 5 * max(sizes)), yticks=[])
        texts.spines["right"].set_visible(False)
        axes.set_zorder(texts.get_zorder() + 1)
        axes.patch.set_visible(False)
        axes.bar(0, 0, color=OPEN, label="texts")
        axes.set(xlabel="certainty of the model", ylabel="share that is right")
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02))

    return _svg(draw, "Share of right answers by certainty", columns=3)


def _known(rows: Sequence[Row], *names: str) -> list[list[float]]:
    """Labels by people, and these values, of the rows that have them."""
    known = [row for row in rows if getattr(row, names[0]) is not None]
    return [[getattr(row, name) for row in known] for name in ("people", *names)]


def _svg(draw: Callable[[Axes], None], title: str, columns: int) -> Markup:
    """What is drawn, as a part of a page. columns: Of the legend, above the chart."""
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": title}):
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.subplots()
        draw(axes)
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        figure.legend(loc="outside upper left", ncols=columns)
        file = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    # Names of parts that several charts would have in common.
    svg = re.sub(r' id="[\w.]+_\d+"', "", svg)
    # A rule that would count for all of the page.
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    for colour, name in VARIABLES.items():
        svg = svg.replace(colour, f"var(--{name})")
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    return Markup(svg.replace("<svg", f'<svg class="chart" role="img" aria-label="{title}"', 1))
