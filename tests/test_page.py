"""A person labels on the real page, and the next step trains on what they said."""

from collections.abc import Callable
from pathlib import Path

from selenium.webdriver.support.ui import WebDriverWait

from scripts.argilla_server.manage import Credentials
from scripts.loop.annotate import annotate
from scripts.loop.settings import Settings
from scripts.loop.step import step
from tests.browser import chromium
from tests.loop_fixtures import opened


def test_a_label_submitted_on_the_page_is_trained_on(
    settings: Callable[..., Settings], argilla_server: Credentials, tmp_path: Path
) -> None:
    chosen = settings()
    with chromium(tmp_path / "profile") as browser, opened(chosen) as (loop, gold):
        dataset, learner, _ = loop
        labels = list(learner.labels)
        step(*loop, chosen)
        annotate(dataset, gold, labels)
        step(*loop, chosen)

        browser.sign_in(argilla_server.api_url, argilla_server.username, argilla_server.password)
        browser.driver.get(dataset.url)
        shown = browser.read(".text_field_component")
        record = next(a for a in dataset.pull() if a.text in shown)
        assert record.status == "waiting"
        suggested = browser.read(".label-text__suggestion")
        assert 0 < float(suggested) <= 1

        # Something else than the suggestion, so that it is the person's word that counts.
        other = "label.label-text:not(:has(.label-text__suggestion))"
        label = browser.read(other, "title")
        assert label in labels
        browser.click(f"label.label-text[title='{label}']")
        browser.click("button.button--submit")

        def answered(_: object) -> bool:
            return next(a for a in dataset.pull() if a.id == record.id).status == "labelled"

        WebDriverWait(browser.driver, 30).until(answered)
        found = next(a for a in dataset.pull() if a.id == record.id)
        assert found.labels == (label,)
        assert [vote.user for vote in found.votes] == [argilla_server.username]

        assert annotate(dataset, gold, labels) == chosen.loop.batch_size - 1
        trained = []
        learner.train = lambda answers: (  # type: ignore[method-assign]
            trained.append(list(answers)),
            type(learner).train(learner, answers),
        )
        result = step(*loop, chosen)
        assert result.trained_on == chosen.loop.seed_size + chosen.loop.batch_size == 11
        # Other models of the step, for its rules of stopping, see a part of the answers.
        (whole,) = {frozenset(a.id for a in part) for part in trained if len(part) == 11}
        assert found.id in whole
