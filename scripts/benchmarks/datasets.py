"""One table over many data sets: the default as shipped against the best of other heads and
strategies, and how far behind it is (the regret)."""

from collections.abc import Sequence
from typing import Any

from scripts.benchmarks.learning_curve import Row, mean_and_sd
from scripts.benchmarks.loops import SHIPPED, TUTORIAL

MEASURES = {"accuracy": "accuracy", "macro_f": "macro-F"}
CALIBRATION = {
    "calibration_error": "calibration error",
    "calibration_by_chance": "of that by chance",
}
# Heads that have been the default or are what people start from, with strategies of any kind.
RIVALS = tuple(
    f"{head}/{strategy}"
    for head in ("plain", "kernel", "pool")
    for strategy in ("margin", "diverse_uncertainty", "random")
)

PLAIN = "plain/random"  # what labels are worth without any of this


def table(rows: Sequence[Row], budgets: Sequence[int]) -> list[dict[str, Any]]:
    """For each data set and measure a row of the default as shipped, one of the best rival at each
    budget, one of plain logistic regression on random labels and one of the tutorial's loop; and of
    the default its calibration error, and what of it is chance. Means over the seeds that all have
    run. The regret is the most points by which the default lies behind, at any of the budgets."""
    found: list[dict[str, Any]] = []
    for dataset in dict.fromkeys(row.dataset for row in rows):
        loops = list(dict.fromkeys(row.loop for row in rows if row.dataset == dataset))
        ours = [loop for loop in loops if loop.partition("/")[0] == SHIPPED]
        rivals = [loop for loop in loops if loop not in (*ours, TUTORIAL)]
        for measure, name in MEASURES.items():
            means = {
                loop: {
                    n: mean for n, (mean, _) in mean_and_sd(rows, dataset, loop, measure).items()
                }
                for loop in loops
            }
            best = {
                n: max(((means[r][n], r) for r in rivals if n in means[r]), default=None)
                for n in budgets
            }
            for loop in ours:
                behind = [
                    100 * (b[0] - means[loop][n])
                    for n in budgets
                    if n in means[loop] and (b := best[n]) is not None
                ]
                found.append(
                    {
                        "data": dataset,
                        "measure": name,
                        "loop": loop,
                        **{str(n): _number(means[loop].get(n)) for n in budgets},
                        "regret": f"{max(behind):+.1f}" if behind else "",
                    }
                )
            if rivals:
                cells = {str(n): f"{b[0]:.3f} {b[1]}" if (b := best[n]) else "" for n in budgets}
                found.append(
                    {"data": dataset, "measure": name, "loop": "best rival", **cells, "regret": ""}
                )
            for loop in (one for one in loops if one.startswith((PLAIN, TUTORIAL))):
                numbers = {str(n): _number(means[loop].get(n)) for n in budgets}
                found.append(
                    {"data": dataset, "measure": name, "loop": loop, **numbers, "regret": ""}
                )
        for loop in ours:
            for measure, name in CALIBRATION.items():
                error = mean_and_sd(rows, dataset, loop, measure)
                numbers = {str(n): _number(error[n][0] if n in error else None) for n in budgets}
                found.append(
                    {"data": dataset, "measure": name, "loop": loop, **numbers, "regret": ""}
                )
    return found


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
