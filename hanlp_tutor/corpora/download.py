"""One published file into the cache: pooch verifies it and puts it in place, a broken download goes on."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from hanlp_tutor.errors import DataError
from hanlp_tutor.progress import resolve_mode

ATTEMPTS = 4  # of one call; each goes on from the bytes that the one before has brought
TIMEOUT = (10.0, 30.0)  # seconds to connect, and from one piece to the next: a slow line is no broken one
PAUSE = 1.0  # second before the second attempt, twice as long before the third, and so on
_CHUNK = 1 << 12  # bytes; of a connection that breaks, less than one chunk is lost


def download(address: str, target: Path, sha256: str, remedy: str) -> Path:
    """Bring ``target``, whole and verified; nothing is asked of the network when it lies there already.

    What an interrupted download has brought stays in ``target.part``, which nobody takes for the file; the next call
    asks the server for the rest only. Two processes wait for each other.

    Args:
        address: of the file.
        target: its place in the cache.
        sha256: of the published file, in hexadecimal.
        remedy: what else the user can do; the end of every error.

    Raises:
        DataError: the server refuses, cannot be reached or breaks off, other content, a cache that cannot be written.
    """
    import pooch
    from filelock import FileLock
    from requests.exceptions import RequestException

    pooch.get_logger().setLevel("WARNING")  # it would announce each file; the progress bar does
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(target) + ".lock"):
            # A part may be of another file (the server's has changed): then once more from the beginning.
            for last in (False, True) if part.exists() else (True,):
                try:
                    pooch.retrieve(address, sha256, target.name, target.parent, downloader=_Resuming(part))
                    break
                except ValueError as error:  # pooch's word for a wrong checksum, and the base of requests' InvalidURL
                    if isinstance(error, RequestException):
                        raise
                    if last:
                        message = "what the server sends is not the published file: its checksum (SHA-256) differs."
                        raise DataError(message, path=address, remedy=remedy) from None
    except RequestException as error:
        raise DataError(_what_happened(error, part), path=address, remedy=remedy) from None
    except OSError as error:
        message = f"the download cannot be kept here: {error.strerror or error}."
        raise DataError(message, path=target, remedy=remedy) from None
    return target


class _Resuming:
    """A downloader for pooch; it keeps its bytes in ``part`` until they are all there."""

    def __init__(self, part: Path):
        self.part = part

    def __call__(self, url: str, output_file: str, _pooch: Any) -> None:
        from requests.exceptions import ChunkedEncodingError, ConnectionError, Timeout

        for attempt in range(1, ATTEMPTS + 1):
            try:
                if self._go_on(url):
                    break
            except (ChunkedEncodingError, ConnectionError, Timeout):
                if attempt == ATTEMPTS:
                    raise
            time.sleep(PAUSE * attempt)
        os.replace(self.part, output_file)

    def _go_on(self, url: str) -> bool:
        """Ask for what is missing and write it; False when the server is to be asked again."""
        import requests
        from tqdm.auto import tqdm

        done = self.part.stat().st_size if self.part.exists() else 0
        headers = {"Accept-Encoding": "identity"}  # a range of compressed bytes would be no range of the file
        if done:
            headers["Range"] = f"bytes={done}-"
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                self.part.unlink()  # longer than the server's file
                return False
            if answer.status_code in (429, 500, 502, 503, 504):
                raise requests.exceptions.ConnectionError(f"the server answers {answer.status_code} {answer.reason}")
            answer.raise_for_status()
            goes_on = answer.headers.get("Content-Range", "").startswith(f"bytes {done}-")
            done = done if goes_on else 0  # many servers know no ranges and send it all
            missing = answer.headers.get("Content-Length")
            with (
                open(self.part, "ab" if goes_on else "wb") as file,
                tqdm(
                    desc=url.rpartition("/")[2],
                    total=done + int(missing) if missing else None,
                    initial=done,
                    unit="B",
                    unit_scale=True,
                    leave=False,
                    disable=resolve_mode("auto") != "bar",
                ) as bar,
            ):
                for piece in answer.iter_content(_CHUNK):
                    file.write(piece)
                    bar.update(len(piece))
        return True


def _what_happened(error: Exception, part: Path) -> str:
    from requests.exceptions import ChunkedEncodingError, ConnectionError, HTTPError, SSLError, Timeout

    if isinstance(error, HTTPError):
        return f"the server answers {error.response.status_code} {error.response.reason}."
    if "server answers" in str(error):  # our own, of a server that is unwell
        return f"{error}."
    if isinstance(error, SSLError):
        return "the server's certificate is not trusted on this machine."
    if not isinstance(error, (ChunkedEncodingError, ConnectionError, Timeout)):
        return f"cannot be downloaded ({type(error).__name__})."
    if part.exists() and part.stat().st_size:
        return (
            f"the download broke off {ATTEMPTS} times, after {part.stat().st_size:,} bytes, which are kept: "
            "the next call goes on from there."
        )
    return f"the server cannot be reached, or does not answer, in {ATTEMPTS} attempts; is there a network?"
