"""The built book in a real browser: `make book` runs this when it has built one, with HANLP_TUTOR_BOOK set to it."""

import base64
import functools
import json
import os
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import chromium
import pytest

BOOK = os.environ.get("HANLP_TUTOR_BOOK")
pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
pytestmark = [chromium.NEEDED, pytest.mark.skipif(not BOOK, reason="no book is named: make book")]

from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

LESSONS = sorted(path.stem for path in (Path(__file__).parents[1] / "notebooks").glob("[0-9]*.ipynb"))


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def address():
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=BOOK)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    driver = chromium.start(height=1000, log="performance")
    driver.set_window_size(1300, 1000)
    yield driver
    driver.quit()


def until(browser, condition):
    return WebDriverWait(browser, 60).until(lambda driver: condition())


def requests(browser) -> list[tuple[str, int | None]]:
    """Address and status of what was asked since the last call."""
    said = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {each["params"]["request"]["url"]: None for each in said if each["method"] == "Network.requestWillBeSent"}
    got = {
        each["params"]["response"]["url"]: each["params"]["response"]["status"]
        for each in said
        if each["method"] == "Network.responseReceived"
    }
    return list((asked | got).items())


def test_from_the_index_to_every_lesson_and_nothing_is_missing_or_fetched_elsewhere(browser, address):
    requests(browser)
    for name in LESSONS:
        browser.get(f"{address}/index.html")
        link = browser.find_element(By.CSS_SELECTOR, f"article a[href^='notebooks/{name}.html']")
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", link)
        link.click()
        until(browser, lambda: name in browser.current_url)  # noqa: B023
        assert browser.find_element(By.CSS_SELECTOR, "article h1").text.startswith(name.partition("_")[0])
        broken = browser.execute_script(
            "return [...document.images].filter(each => each.complete && !each.naturalWidth).map(each => each.src)"
        )
        assert not broken, name
    asked = requests(browser)
    assert len(asked) > len(LESSONS)
    assert [url for url, _ in asked if not url.startswith((address, "data:", "blob:", "chrome"))] == []
    assert [url for url, status in asked if status is not None and status >= 400 and "favicon" not in url] == []


@pytest.mark.parametrize("word", ["学习率", "accumulation"])
def test_the_search_finds(browser, address, word):
    browser.get(f"{address}/search.html?q={word}")
    found = until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#search-results li a"))
    assert found


def test_dark_and_light_are_two_colours(browser, address):
    browser.get(f"{address}/notebooks/{LESSONS[0]}.html")
    colours = set()
    for theme in ("light", "dark"):
        browser.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
        colours.add(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2
    (switch, *_) = browser.find_elements(By.CSS_SELECTOR, "button.theme-switch-button")
    before = browser.execute_script("return document.documentElement.dataset.mode")
    browser.execute_script("arguments[0].click()", switch)
    until(browser, lambda: browser.execute_script("return document.documentElement.dataset.mode") != before)


def test_a_lesson_prints(browser, address):
    browser.get(f"{address}/notebooks/05_finetune_ner.html")
    pdf = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert pdf.startswith(b"%PDF") and len(re.findall(rb"/Type\s*/Page\b", pdf)) > 5
    Path(BOOK, "05_finetune_ner.pdf").write_bytes(pdf)
