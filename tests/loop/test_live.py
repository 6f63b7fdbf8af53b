"""The loop that Argilla's webhooks drive: a real server, a real worker, a real listener."""

import itertools
import subprocess
import sys
import time
from collections.abc import Callable

from scripts.live import listening
from scripts.loop.annotate import annotate
from scripts.loop.settings import Settings
from scripts.loop.step import step
from tests.loop_fixtures import opened


def test_an_answer_on_the_server_sets_the_event(settings: Callable[..., Settings]) -> None:
    chosen = settings()
    with opened(chosen) as (loop, gold):
        dataset = loop[0]
        step(*loop, chosen)
        with listening(dataset, "127.0.0.1", 0) as answered:
            assert len(dataset.client.webhooks) == 1
            assert not answered.wait(1)
            annotate(dataset, gold, list(loop[1].labels), limit=1)
            assert answered.wait(30)
        assert len(dataset.client.webhooks) == 0


def test_steps_follow_answers_until_the_budget_is_spent(
    settings: Callable[..., Settings], overrides: list[str]
) -> None:
    chosen = settings()
    command = [sys.executable, "-m", "scripts.live", *overrides, "--loop.budget", "16"]
    live = subprocess.Popen(
        [*command, "--every", "600"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        with opened(chosen) as (loop, gold):
            for _ in itertools.takewhile(lambda _: live.poll() is None, range(120)):
                annotate(loop[0], gold, list(loop[1].labels))
                time.sleep(0.5)
            said, _ = live.communicate(timeout=30)
            assert live.returncode == 0, said
            assert "budget of 16 answers is spent" in said
            answers = loop[0].answers()
            assert [a.status for a in answers] == ["labelled"] * 16
            assert max(a.iteration for a in answers) == 2
    finally:
        live.kill()
