#!/bin/sh
# The course as a book of static pages, book/: index, search, light and dark, nothing fetched when it is read.
# `make book` calls it. Sphinx and MyST-NB live in an environment of their own; the lessons are not executed again.
# A book that fails a check stays in build/html, and book/ is the one before.
set -eu
cd "$(dirname "$0")/.."
python=.venv/bin/python
if [ ! -f .venv/book/.stamp ] || ! cmp -s tools/book.txt .venv/book/.stamp; then
    rm -rf .venv/book
    $python -m venv .venv/book
    .venv/book/bin/python -m pip install -q --disable-pip-version-check -r tools/book.txt
    cp tools/book.txt .venv/book/.stamp
fi
rm -rf build/book build/html build/jupyter_execute
$python tools/book.py write build/book
# the reference is made from the docstrings, so the kit and its torch have to be importable
PYTHONPATH=$($python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'):$(pwd) \
    .venv/book/bin/python -m sphinx -q -W --keep-going -d build/doctrees -b html build/book build/html
$python tools/book.py check build/html
# and as a reader sees it, where there is a browser
if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then
    HANLP_TUTOR_BOOK=build/html $python -m pytest -q tests/test_book_pages.py
else
    echo "The check in a browser was left out: chromium or chromedriver is missing" \
        "(Debian and Ubuntu: sudo apt-get install chromium chromium-driver)"
fi
rm -rf book
mv build/html book
echo "book/index.html"
