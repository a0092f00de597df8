"""One published file into the cache, by pooch: verified, and in its place only when it is whole.

The files are of 1 to 16 MB, so a download that breaks off is begun anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from hanlp_tutor.errors import DataError
from hanlp_tutor.progress import resolve_mode

ATTEMPTS = 4  # of one call
TIMEOUT = (10.0, 30.0)  # seconds to connect, and from one piece to the next: a slow line is no broken one
PAUSE = 1.0  # second before the second attempt, twice as long before the third, and so on


def is_published(path: Path, checksum: str | Callable[[Path], bool]) -> bool:
    """Whether a file has the content that was published.

    Args:
        path: of the file.
        checksum: SHA-256 in hexadecimal; or of 40 digits the name that git has for the content, which a repository's
            listing tells of a file that is not at hand; or what looks into an archive, whose own bytes say nothing,
            because a server packs it anew.
    """
    if callable(checksum):
        return checksum(path)
    content = path.read_bytes()
    if len(checksum) == 40:
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == checksum
    return hashlib.sha256(content).hexdigest() == checksum


def download(address: str, target: Path, checksum: str | Callable[[Path], bool], remedy: str) -> Path:
    """Bring ``target``, whole and verified; nothing is downloaded when it lies there already.

    What comes lies in the folder ``target.partial`` until it is whole, and nobody takes it for the file; what a killed
    process left there is removed by the next call. Two processes wait for each other.

    Args:
        address: of the file.
        target: its place in the cache.
        checksum: of the published file (:func:`is_published`).
        remedy: what else the user can do; the end of every error.

    Raises:
        DataError: the server refuses, cannot be reached or breaks off, other content, a cache that cannot be written.
    """
    from filelock import FileLock
    from requests.exceptions import RequestException

    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(target) + ".lock"):
            if not (target.is_file() and is_published(target, checksum)):
                shutil.rmtree(partial, ignore_errors=True)
                try:
                    _retrieve(address, partial / target.name, checksum)
                    os.chmod(partial / target.name, 0o644)  # pooch makes private files; a cache may be shared
                    os.replace(partial / target.name, target)
                finally:
                    shutil.rmtree(partial, ignore_errors=True)
    except RequestException as error:
        raise DataError(_what_happened(error), path=address, remedy=remedy) from None
    except ValueError:  # pooch's word for a wrong checksum
        message = "what the server sends is not the published file: its checksum differs."
        raise DataError(message, path=address, remedy=remedy) from None
    except OSError as error:
        message = f"the download cannot be kept here: {error.strerror or error}."
        raise DataError(message, path=target, remedy=remedy) from None
    return target


def _retrieve(address: str, path: Path, checksum: str | Callable[[Path], bool]) -> None:
    """pooch's own, in several attempts where another may end better.

    Raises:
        ValueError: another checksum.
    """
    import pooch
    from requests.exceptions import RequestException
    from tqdm.auto import tqdm

    pooch.get_logger().setLevel("WARNING")  # it would announce each file; the progress bar does
    # pooch sets the true total; without any, a bar would have no truth value, for which pooch asks
    options = {"desc": path.name, "total": 1, "unit": "B", "unit_scale": True, "leave": False}
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with tqdm(**options, disable=resolve_mode("auto") != "bar") as bar:
                downloader = pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT)
                pooch.retrieve(address, None, path.name, path.parent, downloader=downloader)
            break
        except RequestException as error:
            if attempt == ATTEMPTS or not _may_pass(error):
                raise
        time.sleep(PAUSE * attempt)
    if not is_published(path, checksum):
        raise ValueError(checksum)


def _may_pass(error: Exception) -> bool:
    """Whether asking again may help: of a broken line or a server that is unwell, not of one that says no."""
    from requests.exceptions import ChunkedEncodingError, ConnectionError, HTTPError, SSLError, Timeout

    if isinstance(error, HTTPError):
        return error.response.status_code in (429, 500, 502, 503, 504)
    return isinstance(error, (ChunkedEncodingError, ConnectionError, Timeout)) and not isinstance(error, SSLError)


def _what_happened(error: Exception) -> str:
    from requests.exceptions import ChunkedEncodingError, HTTPError, SSLError

    if isinstance(error, HTTPError):
        return f"the server answers {error.response.status_code} {error.response.reason}."
    if isinstance(error, SSLError):
        return "the server's certificate is not trusted on this machine."
    if isinstance(error, ChunkedEncodingError):
        return f"the download broke off {ATTEMPTS} times; the next call begins anew."
    if _may_pass(error):
        return f"the server cannot be reached, or does not answer, in {ATTEMPTS} attempts; is there a network?"
    return f"cannot be downloaded ({type(error).__name__})."
