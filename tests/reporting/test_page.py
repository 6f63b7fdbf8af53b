"""The page: every text in it stays text, it needs nothing from outside, and says the numbers."""

import re
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from scripts.reporting.page import FOLDER, MATRIX, render, write
from scripts.reporting.scored import score
from scripts.reporting.words import printable, shortened
from tests.browser import chromium
from tests.reporting.made_up import HOSTILE, Page, made_up

SCRIPT = (FOLDER / "page.js").read_text(encoding="utf8")
# Elements and attributes that make a browser fetch something or run something.
LOADS = {"src", "srcset", "data", "poster", "background", "action", "formaction", "ping"}


@pytest.fixture(params=[False, True], ids=["one label", "several labels"])
def html(request: pytest.FixtureRequest) -> str:
    return render(made_up(several=request.param))


def test_texts_stay_texts(html: str) -> None:
    page = Page(html)
    assert page.text["script"] == [SCRIPT]
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert not page.all("img")
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
    for text in HOSTILE:
        assert str(printable(shortened(text, 240))) in page.words
    assert "1337" not in page.words


def test_nothing_comes_from_outside(html: str) -> None:
    page = Page(html)
    assert not {"link", "iframe", "object", "embed", "base", "form"} & {t for t, _ in page.elements}
    for tag, attributes in page.elements:
        assert not LOADS & attributes.keys()
        for name in ("href", "xlink:href"):
            target = attributes.get(name) or "#"
            assert target.startswith("#") or (tag == "a" and target.startswith("http://x/"))
        assert not re.search(r"url\((?!#)", attributes.get("style") or "")
    style = "".join(page.text["style"])
    assert "@import" not in style
    assert "url(" not in style
    (policy,) = (m["content"] for m in page.all("meta") if m.get("http-equiv"))
    assert policy.startswith("default-src 'none';")


def test_names_of_parts_are_there_once(html: str) -> None:
    ids = [attributes["id"] for _, attributes in Page(html).elements if "id" in attributes]
    assert len(ids) == len(set(ids)) > 0


def test_it_says_the_numbers() -> None:
    report = made_up()
    page, scores = Page(render(report)), report.scores
    assert scores is not None
    assert scores.confusion is not None
    cells, tiles = page.text["td"], " ".join(page.text["b"])
    for number in (
        "≤ 4.1\N{NO-BREAK SPACE}%",
        "60",
        "400",
        "37",
        "0.950",
        f"{scores.accuracy:.3f}",
    ):
        assert number in tiles
    for row in report.rows:
        for number in (str(row.people), f"{row.accuracy:.3f}", f"{row.macro_f:.3f}", "93%", "4.1%"):
            assert number in cells
    for one in scores.labels:
        assert {f"{one.precision:.3f}", f"{one.recall:.3f}", f"{one.f:.3f}", str(one.n)} <= set(
            cells
        )
    assert {str(n) for line in scores.confusion for n in line if n} <= set(cells)
    assert f"calibration error (ECE) {scores.error:.3f}" in page.words
    assert f"has {scores.by_chance:.3f} on as many texts, by chance" in page.words


def test_macro_f_is_that_of_spacy_also_where_a_label_is_nowhere() -> None:
    names = ["a", "b", "never", "nowhere"]
    gold, probs = np.array([0, 0, 1, 1]), np.eye(4)[[0, 0, 1, 0]]
    found = score(probs, gold, names, None)
    examples = []
    for said, right in zip(probs, np.eye(4)[gold], strict=True):
        known = {"cats": dict(zip(names, right.tolist(), strict=True))}
        examples.append(Example.from_dict(Doc(Vocab(), words=["x"]), known))
        examples[-1].predicted.cats = dict(zip(names, said.tolist(), strict=True))
    by_spacy = Scorer.score_cats(examples, "cats", labels=names, multi_label=False)
    assert found.macro_f == pytest.approx(by_spacy["cats_macro_f"])
    assert found.micro_f == pytest.approx(by_spacy["cats_micro_f"])


def test_many_labels_have_a_list_in_place_of_a_matrix() -> None:
    matrix = [Page(render(made_up(k))) for k in (MATRIX, MATRIX + 1)]
    assert [any(t.get("class") == "matrix" for t in p.all("table")) for p in matrix] == [
        True,
        False,
    ]
    assert "What is mixed up most" in matrix[1].words


def test_a_browser_shows_it_whole_and_runs_nothing_of_it(tmp_path: Path) -> None:
    write(made_up(k=24), tmp_path / "report.html")
    with chromium(tmp_path / "profile") as browser:
        driver = browser.driver
        for width in (1200, 390):
            driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
            )
            driver.get((tmp_path / "report.html").as_uri())
            assert driver.execute_script("return window.hacked") is None
            html = "const html = document.documentElement; "
            assert driver.execute_script(f"{html} return html.scrollWidth <= html.clientWidth")
            fetched = "return performance.getEntriesByType('resource').length"
            assert driver.execute_script(fetched) == 0
        # What is under the mouse is said as it is.
        point = driver.find_elements(By.CSS_SELECTOR, ".map circle")[0]
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", point)
        ActionChains(driver).pause(0.2).move_to_element(point).perform()
        assert HOSTILE[0] in browser.read(".tip")
        assert driver.execute_script("return window.hacked") is None
        assert not [line for line in driver.get_log("browser") if line["level"] == "SEVERE"]
