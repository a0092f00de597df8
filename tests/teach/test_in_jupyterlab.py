"""Quiz and picture with controls in a real JupyterLab in headless Chromium, without a request to anywhere else."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import chromium
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
pytestmark = [
    pytest.mark.slow,
    chromium.NEEDED,
    pytest.mark.skipif(not (find_spec("jupyterlab") and find_spec("ipywidgets")), reason="no extra `lab` here"),
    pytest.mark.xdist_group("page"),
]

from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

from hanlp_tutor.teach.quiz import read_quiz  # noqa: E402

ROOT = Path(__file__).parents[2]
CELLS = (
    'from hanlp_tutor.teach import quiz\n\nquiz("05")',
    "from hanlp_tutor.teach.lessons.l02 import explore\n\nexplore.explorer()",
)
KERNEL_IS_IDLE = "return window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
SECONDS = 60  # of waiting for a page on a busy machine


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a notebook in a JupyterLab of its own."""
    folder = tmp_path_factory.mktemp("lab")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    node = new_notebook(cells=[new_code_cell(source) for source in CELLS], metadata={"kernelspec": kernel})
    nbformat.write(node, folder / "lesson.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "IPYTHONDIR")
    environment = {**os.environ, **{name: str(folder / name) for name in places}, "PYTHONPATH": str(ROOT)}
    environment.pop("HANLP_TUTOR_PROGRESS", None)  # somebody sits in front of it
    options = ("--no-browser", "--allow-root", "--IdentityProvider.token=", f"--port={port}", "--ip=127.0.0.1",
               "--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={folder}", "--LabApp.news_url=",
               "--LabApp.collaborative=False")  # fmt: skip
    with open(folder / "log.txt", "w", encoding="utf-8") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], cwd=folder, env=environment, stdout=log, stderr=log
        )
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{address}/api", server, folder / "log.txt")
            yield f"{address}/lab/tree/lesson.ipynb"
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture(scope="module")
def browser():
    driver = chromium.start(height=1600, log="performance")
    yield driver
    driver.quit()


def _wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab does not answer:\n{log.read_text(encoding='utf-8')[-2000:]}")


def until(browser, condition):
    return WebDriverWait(browser, SECONDS).until(lambda driver: condition())


def test_quiz_and_controls_answer_and_fetch_nothing(browser, lab):
    def all_of(css):
        return browser.find_elements(By.CSS_SELECTOR, css)

    browser.get(lab)
    until(browser, lambda: browser.execute_script("return window.jupyterapp && true"))
    until(browser, lambda: len(all_of(".jp-CodeCell")) == len(CELLS))
    until(browser, lambda: browser.execute_script(KERNEL_IS_IDLE))
    browser.execute_script("window.jupyterapp.commands.execute('notebook:run-all-cells')")

    # The quiz: buttons in the place of the list, a wrong answer and the right one, each with its reason
    until(browser, lambda: len(all_of(".Quiz")) == 3)
    question = read_quiz("05")[0]
    assert not any(each.is_displayed() for each in all_of("#quiz05 .as-list"))
    wrong = next(answer for answer in question.answers if not answer.right)
    for answer, word in ((wrong, "No."), (question.right, "Right.")):
        (button,) = [each for each in all_of(".Quiz:nth-of-type(1) .MCButton") if each.text == answer.text]
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()
        said = until(browser, lambda: all_of(".Quiz .Feedback")[0].text)
        assert said == f"{word} {answer.why}".replace("`", "")

    # The picture: a key on the slider changes both what is drawn and what is said
    (image,) = until(browser, lambda: all_of(".jp-OutputArea img.widget-image"))
    (says,) = all_of(".jp-OutputArea .widget-html-content")
    drawn, said = image.get_attribute("src"), says.text
    (handle,) = all_of(".jp-OutputArea .noUi-handle")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", handle)
    handle.send_keys(Keys.ARROW_RIGHT)
    until(browser, lambda: says.text != said and image.get_attribute("src") != drawn)
    assert "λ = 0.3" in says.text

    requests = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [each["params"]["request"]["url"] for each in requests if each["method"] == "Network.requestWillBeSent"]
    host = lab.partition("/lab/")[0]
    assert asked and not [url for url in asked if not url.startswith((host, "data:", "blob:", "chrome"))]
