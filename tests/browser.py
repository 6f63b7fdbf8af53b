"""A headless Chromium for the tests of pages; skips where there is none."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

T = TypeVar("T")

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,900",
]


class Browser:
    """The few things that a person does on a page. Every look-up waits for its element."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def again(self, look: Callable[[], T]) -> T:
        """What a look (or a click) gives, once the page does not replace the element between."""
        wait = WebDriverWait(self.driver, 30, ignored_exceptions=[StaleElementReferenceException])
        return wait.until(lambda _: [look()])[0]

    def find(self, css: str, seconds: float = 30) -> WebElement:
        def shown() -> WebElement | None:
            found = self.driver.find_elements(By.CSS_SELECTOR, css)
            return next((e for e in found if e.is_displayed()), None)

        return WebDriverWait(self.driver, seconds).until(lambda _: self.again(shown))

    def read(self, css: str, attribute: str = "innerText") -> str:
        """What an element says, or one of its attributes."""
        return self.again(lambda: (self.find(css).get_attribute(attribute) or "").strip())

    def click(self, css: str) -> None:
        self.again(lambda: self.find(css).click())

    def chosen(self) -> set[str]:
        """The labels that are on, on Argilla's page."""
        return self.again(
            lambda: {
                str(box.get_attribute("name"))
                for box in self.driver.find_elements(By.CSS_SELECTOR, ".input-button input")
                if box.is_selected()
            }
        )

    def sign_in(self, url: str, username: str, password: str) -> None:
        self.driver.get(f"{url}/sign-in")
        self.find("input[name=Username]").send_keys(username)
        self.find("input[name=Password]").send_keys(password, Keys.ENTER)
        WebDriverWait(self.driver, 30).until(lambda d: "sign-in" not in d.current_url)


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (binary and driver):
        pytest.skip("needs Chromium and ChromeDriver (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield Browser(chrome)
    finally:
        chrome.quit()
