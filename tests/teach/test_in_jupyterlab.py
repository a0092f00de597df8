"""Quiz, pictures with controls and live curve in a real JupyterLab in headless Chromium, with no request elsewhere."""

import json
import os
import re
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
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

from hanlp_tutor.teach.quiz import read_quiz  # noqa: E402

ROOT = Path(__file__).parents[2]
WITH_CONTROLS = re.compile(r"\bipywidgets\b|\bExplorer\(|\.explorer\(")
# What lets the reader move something, found by what it is made of: a further one is driven without being named here.
EXPLORERS = [
    path.relative_to(ROOT / "hanlp_tutor" / "teach").as_posix()
    for path in sorted((ROOT / "hanlp_tutor" / "teach").rglob("*.py"))
    if path.name != "widgets.py" and WITH_CONTROLS.search(path.read_text(encoding="utf-8"))
]
# By explorer, in small, what the cells above it have computed
GIVEN = {
    "lessons/l14/explore.py": """texts, gold = ("pump drips", "valve drips"), ("pump/leak", "valve/leak")
found = {"linear SVM": ("valve/leak", "valve/leak"), "two SVMs": ("valve/leak", "pump/leak")}""",
}
QUIZ = 'from hanlp_tutor.teach import quiz\n\nquiz("05")'
LIVE = """from toy import tagged

from hanlp_tutor import build_model, fine_tune
from hanlp_tutor.core.task import label_set
from hanlp_tutor.teach import setup

lesson = setup("05_finetune_ner", {}, {"epochs": 4, "batch_size": 8, "eval_steps": 2})
examples = tagged(16, longest=12)
model = build_model("ner", "mini-bert", label_set("ner", examples), lesson.config)
result = fine_tune(model, examples, examples, lesson.config, "run")"""
KERNEL_IS_IDLE = "return window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
# Runs a cell as a reader does. Gives its errors, and every picture that it showed before it was done.
RUN = """const [index, done] = arguments, notebook = window.jupyterapp.shell.currentWidget.content;
notebook.activeCellIndex = index;
notebook.deselectAll();
notebook.scrollToItem(index);
const cell = notebook.widgets[index], pictures = [];
const look = () => cell.node.querySelectorAll('.jp-OutputArea img').forEach(
    ({src}) => src && pictures.at(-1) !== src && pictures.push(src));
const observer = new MutationObserver(look);
observer.observe(cell.node, {subtree: true, childList: true, attributes: true, attributeFilter: ['src']});
window.jupyterapp.commands.execute('notebook:run-cell').then(() => {
    observer.disconnect();
    const errors = cell.model.sharedModel.outputs.filter(output => output.output_type === 'error');
    done([errors.map(error => `${error.ename}: ${error.evalue}`), pictures]);
})"""
SECONDS = 60  # of waiting for a page on a busy machine


@pytest.fixture(scope="module")
def cells() -> dict[str, str]:
    """The cells of the notebook; those of the explorers as the lessons have them."""
    shown = {f"from hanlp_tutor.teach.{module_of(name)} import explore": name for name in EXPLORERS}
    found = {"quiz": QUIZ, "live": LIVE}
    for lesson, source in lesson_cells():
        name = shown.get(source.partition("\n")[0])
        if name is None or not source.rpartition("\n")[2].startswith("explore.explorer("):
            pytest.fail(f"{lesson}: nothing here drives this cell with controls:\n{source}")
        found[name] = "\n".join(filter(None, (GIVEN.get(name), source)))
    return found


def module_of(name: str) -> str:
    return name.rpartition("/")[0].replace("/", ".")


def lesson_cells():
    """The cells of the lessons that show something with controls."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and WITH_CONTROLS.search(source):
                yield path.name, source


@pytest.fixture(scope="module")
def lab(tmp_path_factory, cells):
    """The address of a notebook in a JupyterLab of its own."""
    folder = tmp_path_factory.mktemp("lab")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    node = new_notebook(cells=[new_code_cell(source) for source in cells.values()], metadata={"kernelspec": kernel})
    nbformat.write(node, folder / "lesson.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "IPYTHONDIR")
    found = os.pathsep.join(map(str, (ROOT, ROOT / "tests")))
    environment = {**os.environ, **{name: str(folder / name) for name in places}, "PYTHONPATH": found}
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
            try:
                server.wait(SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()


@pytest.fixture(scope="module")
def browser():
    driver = chromium.start("performance", height=1600)
    driver.set_script_timeout(SECONDS)
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
    return WebDriverWait(browser, SECONDS, poll_frequency=0.1).until(lambda driver: condition())


@pytest.fixture(scope="module")
def run(browser, lab, cells):
    """Runs a cell by its name; gives its element and the pictures that it showed while it ran."""
    browser.get(lab)
    until(browser, lambda: browser.execute_script("return window.jupyterapp && true"))
    until(browser, lambda: browser.execute_script(KERNEL_IS_IDLE))

    def run(name):
        index = list(cells).index(name)
        errors, pictures = browser.execute_async_script(RUN, index)
        assert not errors, name
        script = "return window.jupyterapp.shell.currentWidget.content.widgets[arguments[0]].node"
        return browser.execute_script(script, index), pictures

    return run


def all_of(element, css):
    return element.find_elements(By.CSS_SELECTOR, css)


def in_sight(browser, element):
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    return element


def test_a_quiz_answers(browser, run):
    """Buttons in the place of the list, a wrong answer and the right one, each with its reason."""
    cell, _ = run("quiz")
    until(browser, lambda: len(all_of(cell, ".Quiz")) == 3)
    question = read_quiz("05")[0]
    assert not any(each.is_displayed() for each in all_of(cell, "#quiz05 .as-list"))
    wrong = next(answer for answer in question.answers if not answer.right)
    for answer, word in ((wrong, "No."), (question.right, "Right.")):
        (button,) = [each for each in all_of(cell, ".Quiz:nth-of-type(1) .MCButton") if each.text == answer.text]
        in_sight(browser, button).click()
        said = until(browser, lambda: all_of(cell, ".Quiz .Feedback")[0].text)
        assert said == f"{word} {answer.why}".replace("`", "")


@pytest.mark.parametrize("name", EXPLORERS)
def test_each_control_changes_what_is_drawn_and_what_is_said(browser, run, cells, name):
    assert name in cells, "no lesson shows it"
    cell, _ = run(name)
    (image,) = until(browser, lambda: all_of(cell, "img.widget-image"))
    (says,) = all_of(cell, ".widget-html-content")
    controls = all_of(cell, ".noUi-handle, select")
    assert controls
    # One step of each, which may change the words alone, or the picture; then the first all of the way, both
    for control, far, enough in (*((each, False, any) for each in controls), (controls[0], True, all)):
        drawn, said = image.get_attribute("src"), until(browser, lambda: says.text)
        move(in_sight(browser, control), far)
        until(browser, lambda: enough((image.get_attribute("src") != drawn, says.text != said)))  # noqa: B023


def move(control, far: bool) -> None:
    """Onwards, or back from the last of the values; far: all of the way. A slider by keys, a menu by a choice in it:
    in a notebook, JupyterLab takes the arrows for the next cell."""
    if control.tag_name == "select":
        menu = Select(control)
        last = len(menu.options) - 1
        now = next(i for i, option in enumerate(menu.options) if option.is_selected())
        if now == last:
            menu.select_by_index(0 if far else now - 1)
        else:
            menu.select_by_index(last if far else now + 1)
    else:
        at_the_end = control.get_attribute("aria-valuenow") == control.get_attribute("aria-valuemax")
        on, back = (Keys.END, Keys.HOME) if far else (Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
        control.send_keys(back if at_the_end else on)


def test_the_curve_grows_while_the_model_trains(run):
    _, pictures = run("live")
    assert len(pictures) > 1


def test_nothing_is_fetched_from_elsewhere(browser, run, lab):
    requests = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [each["params"]["request"]["url"] for each in requests if each["method"] == "Network.requestWillBeSent"]
    host = lab.partition("/lab/")[0]
    assert asked and not [url for url in asked if not url.startswith((host, "data:", "blob:", "chrome"))]
