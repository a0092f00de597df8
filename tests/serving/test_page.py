"""The page in a real browser: entities in place, nothing rendered as HTML, keyboard, phone, both languages."""

import subprocess
import sys

import chromium
import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
pytestmark = [
    chromium.NEEDED,
    pytest.mark.xdist_group("page"),
]

from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402


@pytest.fixture(scope="module")
def browser():
    driver = chromium.start("browser", height=900)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    """Start ``hanlp-tutor serve`` on a free port; its address."""
    running = []

    def start(model, **environment):
        import os

        from hanlp_tutor import save_model

        folder = save_model(model, tmp_path_factory.mktemp("page") / "model")
        process = subprocess.Popen(
            [sys.executable, "-m", "hanlp_tutor.cli", "serve", str(folder), "--port", "0", "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **environment},
        )  # fmt: skip
        running.append(process)
        import json

        return json.loads(process.stdout.readline())["address"]

    yield start
    for process in running:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def address(serve, tagger):
    return serve(tagger)


def find(browser, css):
    return browser.find_element(By.CSS_SELECTOR, css)


def until(browser, condition):
    return WebDriverWait(browser, 20).until(lambda driver: condition())


def opened(browser, address):
    browser.set_window_size(1000, 900)
    browser.get(address)
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#examples button"))


def ask(browser, text):
    browser.execute_script("document.getElementById('text').value = arguments[0]", text)
    browser.execute_script("document.getElementById('answer').replaceChildren()")
    find(browser, "#go").click()
    until(browser, lambda: find(browser, "#answer").text or find(browser, "#problem").text)


def marks(browser):
    """Text and label of each coloured piece."""
    return browser.execute_script(
        "return [...document.querySelectorAll('#answer mark')]"
        ".map((m) => [m.firstChild.textContent, m.querySelector('small').textContent])"
    )


def plain(browser):
    """The text as shown, labels left out."""
    return browser.execute_script(
        "const c = document.getElementById('answer').cloneNode(true);"
        "c.querySelectorAll('small').forEach((s) => s.remove()); return c.textContent"
    )


def test_entities_stand_in_place_also_after_emoji(browser, address, tagger):
    from hanlp_tutor import Predictor

    text = "👨‍👩‍👧😀王小明昨天从上海飞往北京。"
    expected = Predictor(tagger).predict(text)["entities"]
    opened(browser, address)
    ask(browser, text)
    assert expected and [piece for piece, _ in marks(browser)] == [entity["text"] for entity in expected]
    assert all(label.startswith(e["label"]) for (_, label), e in zip(marks(browser), expected, strict=True))
    assert plain(browser) == text


def test_nothing_is_rendered_as_html(browser, address):
    opened(browser, address)
    text = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>王小明&lt;"
    ask(browser, text)
    assert plain(browser) == text and browser.title != "broken"
    assert not browser.find_elements(By.CSS_SELECTOR, "#answer img, #answer script")
    assert not [row for row in browser.get_log("browser") if row["level"] == "SEVERE"]


def test_by_keyboard_alone(browser, address):
    opened(browser, address)
    body = find(browser, "body")
    order = []
    for _ in range(12):
        browser.switch_to.active_element.send_keys(Keys.TAB) if order else body.send_keys(Keys.TAB)
        order.append(browser.switch_to.active_element.get_attribute("id") or browser.switch_to.active_element.tag_name)
    assert {"language", "text", "button", "go", "threshold"} <= set(order)
    find(browser, "#text").send_keys("上海", Keys.CONTROL, Keys.ENTER)
    until(browser, lambda: plain(browser) == "上海")
    find(browser, "#threshold").send_keys(Keys.END)
    assert find(browser, "#shown").text == "1.00"
    assert all("weak" in each.get_attribute("class") for each in browser.find_elements(By.CSS_SELECTOR, "#answer mark"))


def test_both_languages_and_every_field_has_a_name(browser, address):
    opened(browser, address)
    assert find(browser, "html").get_attribute("lang") == "zh-CN" and find(browser, "#go").text == "分析"
    find(browser, "#language").click()
    assert find(browser, "html").get_attribute("lang") == "en" and find(browser, "#go").text == "Analyse"
    unnamed = browser.execute_script(
        "const named = (e) => e.textContent.trim() || (e.labels && e.labels[0].textContent.trim());"
        "return [...document.querySelectorAll('input, textarea, button')]"
        ".filter((e) => !e.closest('[hidden]') && !named(e)).length"
    )
    assert unnamed == 0
    assert find(browser, "#problem").get_attribute("role") == "alert"
    assert find(browser, "#summary").get_attribute("role") == "status"


def test_an_example_is_one_press_away_and_the_page_fits_a_phone(browser, address):
    opened(browser, address)
    browser.set_window_size(390, 800)
    find(browser, "#examples button").click()
    until(browser, lambda: find(browser, "#answer").text)
    wide, seen = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= seen
    heights = [each.size["height"] for each in browser.find_elements(By.CSS_SELECTOR, "button")]
    assert min(heights) >= 44


def test_an_error_is_told(browser, address):
    opened(browser, address)
    ask(browser, "长" * 10_001)
    assert "10000 characters" in find(browser, "#problem").text and not find(browser, "#answer").text
    find(browser, "#text").clear()
    find(browser, "#go").click()
    assert find(browser, "#problem").text


def test_a_class_with_its_probabilities(browser, serve, classifier):
    opened(browser, serve(classifier))
    find(browser, "#examples button").click()
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#answer table"))
    rows = browser.find_elements(By.CSS_SELECTOR, "#answer tbody tr")
    assert len(rows) == 2 and find(browser, ".best").text and find(browser, "#summary").text.startswith("类别")


def test_a_relation_as_an_arrow(browser, serve, relations):
    opened(browser, serve(relations))
    find(browser, "#examples button").click()
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#answer .arrow"))
    nodes = [each.text for each in browser.find_elements(By.CSS_SELECTOR, ".node")]
    assert nodes == [find(browser, field).get_attribute("value") for field in ("#head", "#tail")]


def test_a_token_is_asked_for(browser, serve, tagger):
    browser.get(serve(tagger, HANLP_TUTOR_TOKEN="secret"))
    until(browser, lambda: find(browser, "#token").is_displayed() and find(browser, "#problem").text)
    find(browser, "#secret").send_keys("secret", Keys.TAB)
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#examples button"))
    ask(browser, "上海")
    assert plain(browser) == "上海"
