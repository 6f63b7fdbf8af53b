"""What was released, in one table."""

from pathlib import Path
from typing import Any

import srsly

from scripts.cli.words import size
from scripts.data.corpus import read_pool
from scripts.shipping.facts import labels_by
from scripts.shipping.release import package_name, wheel_of

Summary = dict[str, Any]


def summarise(model: Path, packages: Path, corpus: Path, metrics: Path) -> Summary:
    """What is known of the package of this pipeline. "scores" is None where it was not evaluated.

    metrics: The file that `evaluate` writes.
    RAISES (ProjectError): The pipeline has no package.
    """
    meta, wheel = wheel_of(model, packages)
    found = srsly.read_json(metrics) if metrics.exists() else {}
    scores = None
    if found.get("fingerprint") == meta["fingerprint"]:
        scores = {
            "texts": found["n"],
            "macro_f": found["cats_macro_f"],
            "macro_f_interval": found["macro_f_interval"],
            "micro_f": found["cats_micro_f"],
            "accuracy": found["accuracy"],
        }
    trained_on = meta.get("trained_on", {})
    return {
        "package": package_name(meta["lang"], meta["name"]),
        "version": meta["version"],
        "wheel": wheel.as_posix(),
        "bytes": wheel.stat().st_size,
        "data": trained_on.get("data"),
        "pool": len(read_pool(corpus)),
        "labels": {"people": 0, "machine": 0}
        | {by: n for by, n in trained_on.items() if by in ("people", "machine", "model")},
        "multi_label": meta.get("multi_label", False),
        "scores": scores,
    }


def rows(summary: Summary) -> list[tuple[str, str]]:
    """The summary as a table of two columns."""
    scores = summary["scores"]
    lines = [
        ("data", f"{summary['data']}: {summary['pool']:,} texts in the pool"),
        ("trained on", labels_by(summary["labels"])),
    ]
    if scores:
        lines.append(("test set", f"{scores['texts']:,} texts"))
        low, high = scores["macro_f_interval"]
        between = f"(95 % interval {low:.3f} to {high:.3f})"
        lines.append(("macro-F", f"{scores['macro_f']:.3f} {between}"))
        if summary["multi_label"]:
            lines.append(("micro-F", f"{scores['micro_f']:.3f}"))
        what = "exact matches" if summary["multi_label"] else "accuracy"
        lines.append((what, f"{scores['accuracy']:.3f}"))
    else:
        lines.append(("test set", "not evaluated (a test set: weasel run test-set)"))
    lines.append(("package", f"{summary['package']} {summary['version']}"))
    return [*lines, ("wheel", f"{summary['wheel']} ({size(summary['bytes'])})")]
