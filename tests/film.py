"""The moving picture of the README: the real page while `live` runs, in a real session.

weasel run setup && weasel run argilla-start && python -m tests.film assets/labelling.gif
"""

import html
import io
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from scripts.argilla_server.manage import read_credentials
from scripts.data.corpus import read_gold
from scripts.loop.session import open_loop
from scripts.loop.settings import load_settings
from tests.browser import Browser, chromium
from tests.loop.test_live import hear, running
from tests.test_page_keys import on, press
from tests.test_page_queue import shown

WIDTH = 880
READING, SEEING = 1100, 700  # milliseconds that a new text, and a chosen label, stay in the picture


class Film:
    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.frames: list[Image.Image] = []
        self.stays: list[int] = []

    def take(self, milliseconds: int) -> None:
        picture = Image.open(io.BytesIO(self.browser.driver.get_screenshot_as_png()))
        size = WIDTH, round(picture.height * WIDTH / picture.width)
        self.frames.append(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS))
        self.stays.append(milliseconds)

    def save(self, path: Path) -> None:
        # One palette, so that what does not change from frame to frame takes no room.
        palette = self.frames[0].quantize(200, Image.Quantize.MAXCOVERAGE)
        first, *rest = [
            frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames
        ]
        first.save(path, save_all=True, append_images=rest, duration=self.stays, loop=0)


def main(
    output: Annotated[Path, typer.Argument(help="The .gif to write")],
    filmed: Annotated[str, typer.Option(help="Labels filmed: first and last")] = "1-5,41-47",
) -> None:
    """Label by keys on the embedded server's page, as the gold labels say, and film some of it."""
    ranges = [tuple(map(int, part.split("-"))) for part in filmed.split(",")]
    name = f"film-{time.strftime('%H%M%S')}"
    overrides = ["--argilla.dataset", name, "--loop.budget", str(ranges[-1][1] + 20)]
    settings = load_settings(Path("configs/loop.cfg"), overrides)
    gold = read_gold(settings.paths.corpus)
    with running(*overrides) as live:
        hear(live, "Step 0")
        with (
            tempfile.TemporaryDirectory() as profile,
            chromium(Path(profile)) as browser,
            open_loop(settings) as (dataset, learner, pool),
        ):
            account = read_credentials(settings.paths.argilla)
            assert account, "weasel run argilla-start"
            browser.driver.set_window_size(1400, 770)
            browser.sign_in(account.api_url, account.username, account.password)
            browser.driver.get(dataset.url)
            # As the page shows it: entities as what they stand for, white space as one blank.
            texts = [" ".join(html.unescape(text).split()) for text in pool.texts]
            ids = dict(zip(texts, pool.ids, strict=True))
            film, text = Film(browser), ""
            for number in range(1, ranges[-1][1] + 1):
                text = shown(browser, before=text)
                time.sleep(0.3)  # the suggestion is drawn a moment after the text
                is_filmed = any(first <= number <= last for first, last in ranges)
                if is_filmed:
                    film.take(READING)
                (label,) = gold[ids[" ".join(text.split())]]
                if label not in on(browser):
                    press(browser, [str(list(learner.labels).index(label) + 1)])
                    if is_filmed:
                        film.take(SEEING)
                press(browser, ["Enter"])
            film.take(2 * READING)
            film.save(output)
            print(f"{output}: {len(film.frames)} frames, {output.stat().st_size / 1e6:.1f} MB")
            dataset.dataset.delete()


if __name__ == "__main__":
    typer.run(main)
