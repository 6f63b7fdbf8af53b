"""A person searches the whole pool on the real page, labels what is found, and the next step trains
on it."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from scripts.argilla_server.manage import Credentials
from scripts.loop.annotate import annotate
from scripts.loop.browse import browse
from scripts.loop.settings import Settings
from scripts.loop.step import step
from tests.browser import chromium
from tests.loop_fixtures import opened


def test_a_text_that_was_searched_and_labelled_is_trained_on(
    settings: Callable[..., Settings], argilla_server: Credentials, tmp_path: Path
) -> None:
    chosen = settings()
    with chromium(tmp_path / "profile") as browser, opened(chosen) as (loop, gold):
        dataset, learner, pool = loop
        labels = list(learner.labels)
        step(*loop, chosen)
        annotate(dataset, gold, labels)
        url = browse(*loop, chosen).url
        # A word that one text has, which the loop has not asked.
        words = {text: set(re.findall(r"[a-z]{5,}", text.lower())) for text in pool.texts}
        frequent = Counter(word for of_text in words.values() for word in of_text)
        asked = {a.text for a in dataset.answers()}
        text, word = next(
            (text, word)
            for text in pool.texts
            for word in sorted(words[text])
            if text not in asked and frequent[word] == 1
        )

        browser.sign_in(argilla_server.api_url, argilla_server.username, argilla_server.password)
        browser.driver.get(url)
        browser.find(".text_field_component")
        browser.click(".search-area__icon")
        browser.find(".search-area__input").send_keys(word, Keys.ENTER)
        WebDriverWait(browser.driver, 30).until(
            lambda _: text in browser.read(".text_field_component")
        )
        # Something else than the suggestion, so that it is the person's word that counts.
        other = "label.label-text:not(:has(.label-text__suggestion))"
        label = browser.read(other, "title")
        browser.click(f"label.label-text[title='{label}']")
        browser.click("button.button--submit")

        def trained(_: object) -> bool:
            return step(*loop, chosen, now=True).trained_on == 7

        WebDriverWait(browser.driver, 30, poll_frequency=2).until(trained)
        found = next(a for a in dataset.answers() if a.text == text)
        assert (found.labels, found.source, found.drawn) == ((label,), "found", None)
        assert [vote.user for vote in found.votes] == [argilla_server.username]
