"""The keys of the real page do what the README and the guidelines say, and no text is answered
unread."""

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import argilla as rg
import pytest
import spacy
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from scripts.argilla_server.manage import Credentials
from scripts.records.convert import NONE, doc_to_record
from scripts.records.dataset import LoopDataset
from scripts.records.settings import ArgillaSettings
from tests.browser import Browser, chromium

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
YOUR_TEXTS = ROOT / "docs" / "your-texts.md"
LABELS = ["alpha", "bravo", "carol", "delta"]
TWELVE = [f"label {letter}" for letter in "abcdefghijkl"]
# Selenium's ENTER is the one of the number pad, which the page does not listen to.
KEY = {"Enter": Keys.RETURN, "Backspace": Keys.BACKSPACE, "Arrow up": Keys.ARROW_UP}


@pytest.fixture(scope="module")
def browser(
    argilla_server: Credentials, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as found:
        found.sign_in(argilla_server.api_url, argilla_server.username, argilla_server.password)
        yield found


@pytest.fixture
def opened_page(
    argilla_server: Credentials, browser: Browser
) -> Callable[[dict[str, dict[str, float]], list[str], bool], LoopDataset]:
    """Texts with what the model thinks of each (nothing: no suggestion), waiting on the page."""

    def open_page(
        texts: dict[str, dict[str, float]], labels: list[str], multi_label: bool
    ) -> LoopDataset:
        client = rg.Argilla(api_url=argilla_server.api_url, api_key=argilla_server.api_key)
        settings = ArgillaSettings(
            dataset=f"test-{uuid.uuid4().hex[:8]}",
            workspace=argilla_server.workspace,
            multi_label=multi_label,
        )
        dataset = LoopDataset.open(client, settings, {name: name for name in labels}, dim=2)
        records = []
        for place, (text, cats) in enumerate(texts.items()):
            doc = spacy.blank("en").make_doc(text)
            doc.cats = dict.fromkeys(labels, 0.0) | cats if cats else {}
            records.append(
                doc_to_record(
                    doc,
                    iteration=place,
                    source="query",
                    agent="model",
                    label_threshold=0.5 if multi_label else None,
                )
            )
        dataset.push(records)
        # In the order of the steps, which is that of the texts.
        browser.driver.get(dataset.url)
        return dataset

    return open_page


def shown(browser: Browser) -> str:
    words = browser.read(".text_field_component").split()
    return " ".join(words).removeprefix("Text ")  # the field's title


def wait_for(browser: Browser, text: str) -> None:
    try:
        WebDriverWait(browser.driver, 15).until(lambda _: shown(browser) == text)
    except TimeoutException:
        pytest.fail(f"the page shows {shown(browser)!r} with {browser.chosen()} on, not {text!r}")


def press(browser: Browser, keys: Sequence[str]) -> None:
    """One after the other, as fast as a quick person."""
    actions = ActionChains(browser.driver)
    for key in keys:
        actions.send_keys(KEY.get(key, key)).pause(0.15)
    actions.perform()


def answer(browser: Browser, keys: dict[str, list[str]]) -> None:
    """Press each text's keys when the page shows it: each time that must bring the next text."""
    for text in keys:
        wait_for(browser, text)
        press(browser, keys[text])


def stored(dataset: LoopDataset) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {a.text: (a.status, a.labels) for a in dataset.pull()}


def said(where: str, sentence: str) -> list[str]:
    """The keys that a sentence of the README (or the guidelines) tells to press, in their order."""
    words = re.sub(r"[\s#]+", " ", where.replace("*", ""))
    found = re.search(sentence, words, re.DOTALL)
    assert found, f"nothing says {sentence!r} any more: adapt the test to what is said now"
    return re.findall(r"number|Enter|Backspace|Arrow up", found[1])


def typed(keys: list[str], *numbers: int) -> list[str]:
    """With the numbers of the labels that are meant."""
    digits = iter(numbers)
    return [str(next(digits)) if key == "number" else key for key in keys]


def test_single_label(opened_page: Callable[..., LoopDataset], browser: Browser) -> None:
    """What the README says; then what the guidelines add."""
    wrong = {"bravo": 0.99}
    texts = ["right", "wrong", "wrong too", "mistyped", "twice", "fits none", "off", "unread"]
    dataset = opened_page({"no suggestion": {}} | dict.fromkeys(texts, wrong), LABELS, False)
    readme, guidelines = README.read_text(), str(dataset.dataset.guidelines)
    accept = said(readme, r"on the page\. (Enter submits the suggestion)")
    correct = said(readme, r"where it is wrong, (press the number of the right label, then Enter)")
    again = said(guidelines, r"Wrong number\? (Arrow up, then the right number)")
    discard = said(guidelines, r"(Backspace) discards a text that fits no label")
    number, *rest = correct
    answer(
        browser,
        {
            "no suggestion": typed(correct, 3),
            "right": accept,
            "wrong": typed(correct, 1),
            "wrong too": typed(correct, 4),
            "mistyped": typed([number, *again, *rest], 4, 3),
            "twice": typed([number, number, *rest], 1, 1),
            "fits none": discard,
        },
    )
    wait_for(browser, "off")
    # As the guidelines warn: scores have one decimal, and the number of a label that is on
    # switches it off, so that Enter does nothing.
    assert browser.read(".label-text__suggestion__score") == "1.0"
    press(browser, typed(correct, 2))
    WebDriverWait(browser.driver, 30).until(lambda _: not browser.chosen())
    press(browser, typed(correct, 2))
    wait_for(browser, "unread")
    assert stored(dataset) == {
        "no suggestion": ("labelled", ("carol",)),
        "right": ("labelled", ("bravo",)),
        "wrong": ("labelled", ("alpha",)),
        "wrong too": ("labelled", ("delta",)),
        "mistyped": ("labelled", ("carol",)),
        "twice": ("labelled", ("alpha",)),
        "fits none": ("discarded", ()),
        "off": ("labelled", ("bravo",)),
        "unread": ("waiting", ()),
    }


def test_ten_labels_and_more(opened_page: Callable[..., LoopDataset], browser: Browser) -> None:
    """A 1 may be the start of 10: the page waits for the next digit."""
    texts = ["one", "nine", "twelve", "unread"]
    dataset = opened_page({text: {TWELVE[1]: 0.9} for text in texts}, TWELVE, False)
    assert "a 1 waits a moment for a second digit" in str(dataset.dataset.guidelines)
    wait_for(browser, "one")
    press(browser, ["1"])
    WebDriverWait(browser.driver, 30).until(lambda _: browser.chosen() == {TWELVE[0]})
    press(browser, ["Enter"])
    answer(browser, {"nine": ["9", "Enter"], "twelve": ["1", "2", "Enter"]})
    wait_for(browser, "unread")
    assert stored(dataset) == {
        "one": ("labelled", (TWELVE[0],)),
        "nine": ("labelled", (TWELVE[8],)),
        "twelve": ("labelled", (TWELVE[11],)),
        "unread": ("waiting", ()),
    }


def test_several_labels_a_text(opened_page: Callable[..., LoopDataset], browser: Browser) -> None:
    """Numbers switch, Enter submits, and "none of these" is an answer."""
    model = {"bravo": 0.99}
    thinks = {
        "right": model,
        "one more": model,
        "another": model,
        "none": model,
        "none, as the model thinks": {"bravo": 0.2},
        "two, and no suggestion": {},
        "both": model,
        "nothing on": model,
        "unread": model,
    }
    dataset = opened_page(thinks, LABELS, True)
    switch, enter = said(
        YOUR_TEXTS.read_text(), r"(a number switches its label on or off, Enter submits what is on)"
    )
    said(YOUR_TEXTS.read_text(), f'no label fits is answered with "({NONE})" alone')
    none = len(LABELS) + 1
    answer(
        browser,
        {
            "right": [enter],
            "one more": typed([switch, enter], 1),
            "another": typed([switch, switch, enter], 2, 4),
            "none": typed([switch, switch, enter], 2, none),
            "none, as the model thinks": [enter],
            "two, and no suggestion": typed([switch, switch, enter], 1, 3),
            "both": typed([switch, enter], none),
        },
    )
    wait_for(browser, "nothing on")
    press(browser, typed([switch, enter], 2))
    WebDriverWait(browser.driver, 30).until(lambda _: not browser.chosen())
    press(browser, typed([switch, enter], 3))
    wait_for(browser, "unread")
    assert stored(dataset) == {
        "right": ("labelled", ("bravo",)),
        "one more": ("labelled", ("alpha", "bravo")),
        "another": ("labelled", ("delta",)),
        "none": ("labelled", ()),
        "none, as the model thinks": ("labelled", ()),
        "two, and no suggestion": ("labelled", ("alpha", "carol")),
        "both": ("tied", ()),  # it is asked again
        "nothing on": ("labelled", ("carol",)),
        "unread": ("waiting", ()),
    }
