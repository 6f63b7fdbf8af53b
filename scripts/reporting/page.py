"""The report as one file that needs nothing else: no network, and no scripts to be read."""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from scripts.loop.steps_table import cell, columns, legend
from scripts.reporting import plots, words
from scripts.reporting.facts import Report

FOLDER = Path(__file__).parent
MATRIX = 25  # labels whose confusions fit a table


def render(report: Report) -> str:
    """Every text in it is escaped; what the page may do is said in its head: nothing from outside,
    and no script but its own."""
    # All that jinja2 fills in is escaped, in whatever kind of file.
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=words.printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": words.number,
        "share": words.share,
        "shortened": words.shortened,
        "cell": cell,
    }
    style, script = (_asset(name) for name in ("page.css", "page.js"))
    scores = report.scores
    charts = {
        "labels": plots.plot_labels(report.rows, report.counts),
        "scores": plots.plot_scores(report.rows, report.several),
        "reliability": plots.plot_reliability(scores.reliability) if scores else "",
    }
    return environment.get_template("page.html.j2").render(
        report=report,
        charts=charts,
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'",
        columns=columns(report.several, report.gold),
        legend=legend(report.several, report.gold),
        matrix=MATRIX,
    )


def write(report: Report, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(report), encoding="utf8")


def _asset(name: str) -> Markup:
    return Markup((FOLDER / name).read_text(encoding="utf8"))


def _digest(script: str) -> str:
    """How a policy names a script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
