"""``predict MODEL --in FILE --out FILE``: a file of any size as a stream."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from hanlp_tutor.cli.model_folders import predicting_folder, predictor_of
from hanlp_tutor.errors import ConfigError


def label_files(
    model: Path, source: Path, out: Path, column: str | None, fresh: bool, reading: dict[str, Any], as_json: bool
) -> dict[str, Any]:
    """Label one file into another, with progress on standard error.

    Raises:
        ConfigError, DataError: as :func:`hanlp_tutor.serving.batch_files.label_file`.
    """
    from hanlp_tutor.serving.batch_files import label_file
    from hanlp_tutor.serving.batch_forms import FORMATS
    from hanlp_tutor.serving.opening import checksum

    form = reading.get("format")
    if form is not None and form not in FORMATS:
        raise ConfigError(f"--format {form}: --in reads {', '.join(FORMATS)}; other formats are read with --file.")
    folder = predicting_folder(model)
    predictor = predictor_of(folder)
    with _Shown(source.stat().st_size) as shown:
        done = label_file(
            predictor.predict_many, source, out, model=f"{'/'.join(folder.resolve().parts[-2:])} "
            f"({checksum(folder)[:12]})", column="text" if column is None else column, form=form,
            encoding=reading.get("encoding", "utf-8"), fresh=fresh, progress=shown,
        )  # fmt: skip
    if not as_json:
        before = f", {done['before']:,} of them before" if done["before"] else ""
        click.echo(f"{out}: {done['records']:,} records{before}")
    return {"out": str(out), **done}


class _Shown:
    """A bar in a terminal, a line every ten seconds elsewhere."""

    def __init__(self, size: int):
        from hanlp_tutor.progress import resolve_mode

        self.mode, self.bar, self.said = resolve_mode("auto"), None, time.monotonic()
        if self.mode == "bar":
            from tqdm.auto import tqdm

            self.bar = tqdm(total=size, unit="B", unit_scale=True, leave=False)

    def __call__(self, records: int, read: int, size: int) -> None:
        if self.bar is not None:
            self.bar.update(read - self.bar.n)
        elif self.mode == "lines" and time.monotonic() - self.said >= 10:
            self.said = time.monotonic()
            click.echo(f"{records:,} records, {read / max(size, 1):.0%}", err=True)

    def __enter__(self) -> _Shown:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()
