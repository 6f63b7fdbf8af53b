"""Loops that are killed over and over, against one that is not."""

import itertools
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from scripts.argilla_server import manage
from scripts.argilla_server.files import (
    DATABASE,
    START_LOCK,
    SUPERVISOR_LOCK,
    UNIT_LOCK,
    is_locked,
)
from scripts.data.corpus import read_gold
from scripts.loop.lease import lease, only_one
from scripts.loop.session import open_loop
from scripts.loop.settings import Settings, load_settings
from scripts.loop.step import step
from tests.argilla_server.fixtures import free_port
from tests.loop.ends import End, differences, end_of, wrong_answers
from tests.loop.oracle import Oracle, oracle_key
from tests.loop.unrest import Live, Server, kept, left_behind, strike
from tests.records.snapshots import get

BATCH = 5
CALM = 0.4  # how often everything works again before the next kill; else it hits what is starting
RECOVERY = 60.0  # seconds that are waited for that
PATIENCE = 240.0  # seconds in which a loop ends that nobody disturbs any more
SETTINGS = {
    "loop.batch_size": BATCH,
    "loop.queue": 20,
    "loop.seed_size": 10,
    # So that the machine answers in every step, and takes answers back.
    "loop.promise.rule": "fixed",
    "loop.promise.certainty": 0.9,
}


@dataclass
class Outcome:
    """What happened. wrong: What should not have happened; empty if all is well."""

    kills: Counter[str] = field(default_factory=Counter)
    loops: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    server_starts: int = 0
    starts_cut_short: list[str] = field(default_factory=list)
    live_starts: int = 0
    acknowledged: int = 0
    unsure: int = 0
    failures: int = 0


class Chaos:
    """One server, and loops on it one after the other until all kills are done; the last one ends
    undisturbed. In every other loop the annotator waits for each step, so that its end can be
    compared with that of a loop that was never disturbed; in the others it does not.

    folder: For all that is made, the logs too. corpus, pipeline: As in the settings.
    budget: Answers a loop. pace: Mean seconds between two kills.
    on_kill: Is told of each.
    """

    def __init__(
        self,
        folder: Path,
        corpus: Path,
        pipeline: Path,
        budget: int = 60,
        pace: float = 2.0,
        seed: int = 0,
        on_kill: Callable[[str], object] = str,
    ) -> None:
        self.folder, self.corpus, self.budget = folder, corpus, budget
        self.pace, self.rng, self.on_kill = pace, random.Random(seed), on_kill
        self.home = folder / "home"
        self.server = Server(self.home, free_port(), folder / "starts.log")
        self.given = SETTINGS | {
            "paths.corpus": corpus,
            "paths.pipeline": pipeline,
            "paths.cache": folder / "embeddings",
            "paths.argilla": self.home,
            "loop.budget": budget,
        }
        self.gold = read_gold(corpus)
        self.outcome = Outcome()

    def run(self, kills: int, seconds: float) -> Outcome:
        """seconds: In which something is killed, at most. RETURNS: After the last loop's end."""
        try:
            self.outcome.server_starts += 1
            manage.start(self.home, self.server.port)
            expected = self._undisturbed()
            end = time.monotonic() + seconds
            with kept(self.server):
                for number in itertools.count():
                    self._loop(f"loop-{number}", expected, number % 2 == 0, kills, end)
                    if self._enough(kills, end):
                        break
        finally:
            manage.stop(self.home)
        self.outcome.server_starts += self.server.starts
        self.outcome.starts_cut_short = self.server.refused
        self.outcome.wrong += self._left()
        return self.outcome

    def _enough(self, kills: int, end: float) -> bool:
        return self.outcome.kills.total() >= kills or time.monotonic() > end

    def _settings(self, name: str) -> tuple[Settings, list[str]]:
        pairs = (self.given | {"argilla.dataset": name}).items()
        arguments = [part for key, value in pairs for part in (f"--{key}", str(value))]
        return load_settings(Path("configs/loop.cfg"), arguments), arguments

    def _oracle(self, name: str, batch: int) -> Oracle:
        found = manage.read_credentials(self.home)
        assert found is not None
        return Oracle((found.api_url, self.key), name, self.gold, self.budget, batch)

    def _undisturbed(self) -> End:
        settings, _ = self._settings("undisturbed")
        with open_loop(settings) as (dataset, learner, pool):
            self.key = oracle_key(dataset)
            oracle = self._oracle("undisturbed", BATCH)
            while not step(dataset, learner, pool, settings).finished:
                assert oracle.answer()
        return end_of(settings)

    def _loop(self, name: str, expected: End, waits: bool, kills: int, end: float) -> None:
        """A loop, disturbed until it or the killing ends."""
        settings, arguments = self._settings(name)
        oracle = self._oracle(name, BATCH if waits else 0)
        live = Live([*arguments, "--every", "5"], self.folder / f"{name}.log")
        before, wrong = self.outcome.kills.total(), self.outcome.wrong
        errors: list[BaseException] = []

        def answer() -> None:
            try:
                oracle.run()
            except BaseException as err:
                errors.append(err)

        annotator = threading.Thread(target=answer, daemon=True)
        with kept(live):
            annotator.start()
            while not (live.done.is_set() or errors or self._enough(kills, end)):
                self._kill(live)
            patience = time.monotonic() + PATIENCE
            while not (live.done.is_set() or errors or time.monotonic() > patience):
                time.sleep(0.2)
            in_time = live.done.is_set()
            oracle.end.set()
            annotator.join()
        self.outcome.live_starts += live.starts
        self.outcome.acknowledged += len(oracle.acknowledged)
        self.outcome.unsure += len(oracle.unsure)
        self.outcome.failures += oracle.failures
        self.outcome.loops.append(
            f"{name}, {'in step' if waits else 'as fast as it comes'}: "
            f"{self.outcome.kills.total() - before} kills, {live.starts} starts of live, "
            f"{oracle.answered} answers"
        )
        wrong += [f"{name}: {error!r}" for error in errors]
        wrong += [f"{name}: {said}" for said in live.wrong]
        if not in_time:
            wrong.append(f"{name}: not at its end {PATIENCE:.0f} seconds after the last kill")
            return
        while not self.server.answers and time.monotonic() < patience:
            time.sleep(0.2)
        if not self.server.answers:
            wrong.append(f"{name}: the server has not come back")
            return
        wrong += [f"{name}: {left}" for left in self._webhooks(settings, live)]
        found = end_of(settings)
        said = wrong_answers(found, oracle.acknowledged, oracle.unsure, self.budget)
        if waits:
            said += differences(found, expected)
        wrong += [f"{name}: {one}" for one in said]

    def _kill(self, live: Live) -> None:
        if self.rng.random() < CALM:
            patience = time.monotonic() + RECOVERY
            while not (live.reached and self.server.answers) and time.monotonic() < patience:
                if live.done.wait(0.1):
                    return
        time.sleep(self.rng.uniform(0.1, 2 * self.pace))
        what = strike(self.rng, live, self.server)
        if what:
            self.outcome.kills[what] += 1
            self.on_kill(what)

    def _webhooks(self, settings: Settings, live: Live) -> list[str]:
        """What is left of them after a clean end."""
        with open_loop(settings) as (dataset, _, _):
            left = [one["url"] for one in get(dataset.client, "/webhooks")]
            if left and "The webhook stays on the server" in live.said[-2000:]:
                # The server was away just then: the next `live` removes it, and does no more.
                live.end.clear()
                live.run_once()
                self.outcome.live_starts += 1
                left = [one["url"] for one in get(dataset.client, "/webhooks")]
        return [f"a webhook is left: {url}" for url in left]

    def _left(self) -> list[str]:
        """What is left of all of it in the end."""
        left = left_behind(self.folder)
        for name in (UNIT_LOCK, SUPERVISOR_LOCK, START_LOCK):
            left += [f"{name} is held"] * is_locked(self.home / name)
        with lease(self.corpus, "test", wait=0), only_one(self.corpus, "live"):
            pass
        with closing(sqlite3.connect(self.home / DATABASE)) as database:
            checked = [row[0] for row in database.execute("PRAGMA quick_check")]
        return left + [f"database: {line}" for line in checked if line != "ok"]
