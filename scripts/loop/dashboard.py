"""What `live` shows: a table that stays in its place in a terminal, and lines elsewhere."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table

from scripts.active_learning.proof import Estimate, PromiseSettings
from scripts.cli.console import msg
from scripts.cli.words import count
from scripts.loop.settings import Settings
from scripts.loop.step import StepResult, show

END = "Ctrl+C ends this; nothing is lost, as Argilla holds all there is."


class Shown(Protocol):
    """What happens in `live`, for whoever watches."""

    def reached(self, url: str) -> None: ...
    def stepped(self, result: StepResult) -> None: ...
    def answered(self, since: int) -> None: ...
    def changed(self) -> None: ...
    def away(self, title: str, pause: float) -> None: ...


class Lines:
    """For a file: what has happened, line by line."""

    def __init__(self) -> None:
        self.is_away = False

    def reached(self, url: str) -> None:
        if self.is_away:
            msg.good("Argilla answers again")
        self.is_away = False
        print(f"Label at {url}\n{END}", flush=True)

    def stepped(self, result: StepResult) -> None:
        if not result.why:
            show(result)

    def answered(self, since: int) -> None:
        pass

    def changed(self) -> None:
        msg.info("The labels were changed: beginning anew with them")

    def away(self, title: str, pause: float) -> None:
        if not self.is_away:
            msg.warn(title, "Waiting for it; Ctrl+C ends this.")
        self.is_away = True


class Dashboard:
    """For a terminal."""

    def __init__(self, settings: Settings, live: Live) -> None:
        self.live = live
        self.budget = settings.loop.budget
        self.promise = settings.loop.promise
        self.rows: dict[str, str] = {}
        self.result = StepResult(0)

    def reached(self, url: str) -> None:
        # Above the table, as it would cut it.
        self.live.console.print(f"Label at {url}\n{END}", soft_wrap=True, highlight=False)
        self._show(Argilla="answers")

    def stepped(self, result: StepResult) -> None:
        self.result = result
        self._count(0)
        if result.why:
            self._event(result.why)
            return
        self._event(f"step {result.iteration}: {count(result.asked, 'text')} more to label")
        if result.trained_on:
            self._show(**{"Last training": f"{_now()}, on {count(result.trained_on, 'answer')}"})
        if (machine := result.machine) is not None:
            self._show(
                Machine=f"may answer {len(machine.rows)} of {count(machine.open, 'other text')}",
                Promise=_promised(result, self.promise),
                Accuracy=_estimated(machine.accuracy),
            )

    def answered(self, since: int) -> None:
        self._count(since)
        self._event("an answer")

    def changed(self) -> None:
        self._event("the labels were changed: beginning anew with them")

    def away(self, title: str, pause: float) -> None:
        self._show(Argilla=f"{title} Trying again {pause:.0f} s later.")
        self._event("Argilla went away")

    def _count(self, since: int) -> None:
        of = f" of {self.budget}" if self.budget else ""
        self._show(
            Answered=f"{self.result.people + since}{of}",
            Pending=str(max(self.result.waiting - since, 0)),
        )

    def _event(self, what: str) -> None:
        self._show(**{"Last event": f"{_now()}, {what}"})

    def _show(self, **rows: str) -> None:
        self.rows |= rows
        table = Table(show_header=False, box=None, pad_edge=False)
        for name in ORDER:
            table.add_row(name, self.rows.get(name, "-"))
        self.live.update(table, refresh=True)


ORDER = [
    "Answered",
    "Pending",
    "Machine",
    "Promise",
    "Accuracy",
    "Last training",
    "Last event",
    "Argilla",
]


def _now() -> str:
    return time.strftime("%H:%M:%S")


def _promised(result: StepResult, settings: PromiseSettings) -> str:
    machine = result.machine
    if machine is None or machine.promise is None:
        return f"none: [loop.promise] rule is {settings.rule}"
    if not len(machine.rows):
        more, checks = machine.promise.more, count(round(machine.promise.checked), "check")
        right = count(math.ceil(more), "more right check") if 0 < more <= 200 else ""
        return f"nothing yet: {checks} so far" + f"; {right} would let it answer all" * bool(right)
    dataset, alone = machine.wrong_at_most(settings.kind)
    return (
        f"at most {100 * dataset:.1f} % of all labels wrong, {100 * alone:.1f} % of the machine's, "
        f"with {100 * settings.confidence:g} % confidence"
    )


def _estimated(accuracy: Estimate) -> str:
    return f"{accuracy}, estimated on the other texts" if accuracy.total else str(accuracy)


@contextmanager
def dashboard(settings: Settings) -> Iterator[Shown]:
    """The table in a terminal, lines anywhere else."""
    console = Console()
    if not console.is_terminal:
        yield Lines()
        return
    with Live(console=console, auto_refresh=False) as live:
        yield Dashboard(settings, live)
