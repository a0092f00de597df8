"""The built book in headless Chromium: every lesson by its links, search, light and dark, alone, and on paper.

`make book` sets HANLP_TUTOR_BOOK to what it has built; without it there is nothing to read.
"""

import base64
import json
import os
import re
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread

import chromium
import pytest
from local_server import LocalServer

from hanlp_tutor.teach.course.lessons import LESSONS

BOOK = os.environ.get("HANLP_TUTOR_BOOK")
pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
pytestmark = [
    pytest.mark.skipif(not BOOK, reason="HANLP_TUTOR_BOOK names no built book; `make book` builds one and runs this"),
    chromium.NEEDED,
    pytest.mark.xdist_group("page"),
]

from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

ROOT = Path(__file__).parents[1]
WRITTEN = [lesson.name for lesson in LESSONS if (ROOT / "notebooks" / f"{lesson.name}.ipynb").exists()]
SECONDS = 30  # of waiting for a page on a busy machine
MODE = "return document.documentElement.dataset.theme"
BACKGROUND = "return getComputedStyle(document.body).backgroundColor"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    server = LocalServer(partial(Quiet, directory=BOOK))
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.address
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser(address):
    """Quits before the server, which waits for its connections."""
    driver = chromium.start("performance", "browser", height=1000)
    yield driver
    driver.quit()


@pytest.fixture(autouse=True)
def alone(browser, address):
    """Whatever a test looks at: no request to another host, and nothing wrong in the console."""
    yield
    notes = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [each["params"]["request"]["url"] for each in notes if each["method"] == "Network.requestWillBeSent"]
    assert asked, "the log is empty"
    assert not [url for url in asked if not url.startswith((address, "file:", "data:", "blob:"))]
    errors = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    # The icon is asked for by the browser, not by the book. A page that is a file may not read the other files, and
    # its search lists them without excerpts.
    wrong = [error for error in errors if "/favicon.ico " not in error and not error.startswith("file:")]
    assert not wrong, "\n".join(wrong)


def until(browser, condition):
    return WebDriverWait(browser, SECONDS, poll_frequency=0.1).until(lambda driver: condition())


def seen(browser, css):
    """The first such element that a reader sees."""
    return until(
        browser,
        lambda: next((each for each in browser.find_elements(By.CSS_SELECTOR, css) if each.is_displayed()), None),
    )


def test_next_leads_from_the_index_to_every_lesson(browser, address):
    browser.get(f"{address}/index.html")
    for name in WRITTEN:
        before = browser.current_url
        (link,) = browser.find_elements(By.CSS_SELECTOR, "a.right-next")
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", link)
        link.click()
        until(browser, lambda: browser.current_url != before)  # noqa: B023
        assert browser.current_url == f"{address}/notebooks/{name}.html"
        (heading,) = browser.find_elements(By.CSS_SELECTOR, "article h1")
        assert heading.text.startswith(name.partition("_")[0])
        broken = "return [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
        assert browser.execute_script(broken) == []
        unsaid = "return [...document.querySelectorAll('.cell_output img')].map(i => i.alt).filter(a => !/ /.test(a))"
        assert browser.execute_script(unsaid) == [], "a picture without its words"


def test_the_index_lists_every_lesson_and_a_click_opens_it(browser, address):
    browser.get(f"{address}/index.html")
    listed = browser.find_elements(By.CSS_SELECTOR, "nav a[href^='notebooks/']")
    assert [link.get_attribute("href").rpartition("/")[2] for link in listed] == [f"{name}.html" for name in WRITTEN]
    listed[-1].click()
    until(browser, lambda: browser.current_url == f"{address}/notebooks/{WRITTEN[-1]}.html")


@pytest.mark.parametrize("word", ["学习率", "召回率", "accumulation"])
def test_the_search_finds_a_page_that_has_the_word(browser, address, word):
    find(browser, address, word)
    assert word in browser.find_element(By.TAG_NAME, "main").text.lower()


def test_opened_as_a_file_it_finds_as_well(browser):
    find(browser, Path(BOOK).resolve().as_uri(), "学习率")


def find(browser, address, word):
    """Type it into the field of the search, and click on the first of what is found."""
    browser.get(f"{address}/index.html")
    seen(browser, "button.search-button-field, button.search-button").click()
    seen(browser, "input[type=search]").send_keys(word, Keys.ENTER)
    until(browser, lambda: browser.current_url.startswith(f"{address}/search.html"))
    seen(browser, "#search-results li a").click()
    until(browser, lambda: "/search.html" not in browser.current_url)


def test_dark_and_light_are_two_backgrounds(browser, address):
    browser.get(f"{address}/notebooks/05_finetune_ner.html")
    colours = []
    for mode in ("dark", "light"):
        seen(browser, "button.theme-switch-button").click()
        seen(browser, f"button.theme-change-button[data-mode={mode}]").click()
        until(browser, lambda: browser.execute_script(MODE) == mode)  # noqa: B023
        colours.append(min(map(int, re.findall(r"\d+", browser.execute_script(BACKGROUND))[:3])))
    dark, light = colours
    assert dark < 64 and light > 192


def test_a_lesson_can_be_printed(browser, address):
    browser.get(f"{address}/notebooks/05_finetune_ner.html")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    cut = "return [...document.querySelectorAll('article pre')].filter(p => p.scrollWidth > p.clientWidth + 1).length"
    assert browser.execute_script(cut) == 0, "paper has no scroll bars"
    pdf = base64.b64decode(browser.print_page())
    assert pdf.startswith(b"%PDF-") and len(re.findall(rb"/Type\s*/Page\b", pdf)) > 3
