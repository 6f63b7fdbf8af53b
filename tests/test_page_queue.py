"""A person labels on the real page without waiting, while `live` trains and tops up."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By

from scripts.argilla_server.manage import Credentials
from scripts.data.corpus import text_id
from scripts.loop.settings import Settings
from scripts.records.dataset import LoopDataset
from tests.browser import Browser, chromium
from tests.loop.test_live import hear
from tests.loop_fixtures import opened

LABELS = 100
PACE = 1.0  # seconds a label


def shown(browser: Browser, before: str = "", seconds: float = 20) -> str:
    """The text on the page, once it is another one than before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            said = [e.text for e in browser.driver.find_elements(By.CSS_SELECTOR, "h2,p")]
            assert not [s for s in said if "completed" in s or "no pending" in s], said
            found = browser.driver.find_elements(By.CSS_SELECTOR, ".text_field_component")
            if found and (text := found[0].text.removeprefix("Text\n").strip()) not in ("", before):
                return text
        except StaleElementReferenceException:
            pass
        time.sleep(0.02)
    raise AssertionError(f"the page stays at {before!r}")


class Suggested:
    """What Argilla has suggested of each record so far: label and score, as the page shows it."""

    def __init__(self, dataset: LoopDataset) -> None:
        self.dataset = dataset
        self.all: dict[str, dict[tuple[str, float], None]] = {}

    def look(self) -> None:
        for record in self.dataset.dataset.records(with_suggestions=True, batch_size=500):
            for one in record.suggestions:
                said = (str(one.value), round(float(one.score), 1))
                self.all.setdefault(str(record.id), {})[said] = None

    def is_newer(self, browser: Browser, id_: str) -> bool:
        """Whether the page shows a later suggestion than the one that came with the question."""
        for label in browser.driver.find_elements(By.CSS_SELECTOR, "label.label-text"):
            for mark in label.find_elements(By.CSS_SELECTOR, ".label-text__suggestion"):
                shown = (label.get_attribute("title"), float(mark.text))
                return shown in list(self.all.get(id_, {}))[1:]
        return False


def test_a_hundred_labels_in_a_row_without_waiting(
    settings: Callable[..., Settings],
    overrides: list[str],
    argilla_server: Credentials,
    tmp_path: Path,
) -> None:
    # As shipped: a queue of 20, 5 a step.
    more = ["--loop.queue", "20", "--loop.seed_size", "20", "--loop.budget", str(LABELS)]
    chosen = settings(*more)
    live = subprocess.Popen(
        [sys.executable, "-u", "-m", "scripts.live", *overrides, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        hear(live, "Step 0")
        with chromium(tmp_path / "profile") as browser, opened(chosen) as (loop, gold):
            dataset = loop[0]
            browser.sign_in(
                argilla_server.api_url, argilla_server.username, argilla_server.password
            )
            browser.driver.get(dataset.url)
            text, seen, newer, suggested = "", [], 0, Suggested(dataset)
            suggested.look()
            for _ in range(LABELS):
                begin = time.monotonic()
                text = shown(browser, before=text)
                seen.append(text_id(text))
                suggested.look()
                newer += suggested.is_newer(browser, seen[-1])
                (label,) = gold[seen[-1]]
                if label not in browser.chosen():  # the suggestion is on already
                    browser.click(f"label.label-text[title='{label}']")
                browser.click("button.button--submit")
                time.sleep(max(0.0, begin + PACE - time.monotonic()))
            assert live.wait(60) == 0
            assert len(set(seen)) == LABELS
            answers = {a.id: a for a in dataset.answers()}
            assert {i for i, a in answers.items() if a.status == "labelled"} == set(seen)
            assert all(list(answers[i].labels) == gold[i] for i in seen)

            # The model learned while they waited, and people saw it: how often is up to its speed.
            assert newer > 0
    finally:
        live.kill()
        live.communicate()
