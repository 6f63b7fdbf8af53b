"""A headless Chromium for the tests of pages; skips where there is none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

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

    def find(self, css: str, seconds: float = 30) -> WebElement:
        return WebDriverWait(self.driver, seconds).until(
            lambda driver: next(
                (e for e in driver.find_elements(By.CSS_SELECTOR, css) if e.is_displayed()), None
            )
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
