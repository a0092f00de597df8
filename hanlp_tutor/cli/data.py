"""The command about data files: ``convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hanlp_tutor.cli.options import parameters, r_option, reading_options, scheme_option, strip_option
from hanlp_tutor.cli.speaking import NOTES_SHOWN, speaks_json


def _list_formats(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from hanlp_tutor.data.formats import FORMATS

    for form in FORMATS.values():
        click.echo(f"{form.name:<20}holds {', '.join(sorted(form.carries))}")
    context.exit()


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path())
@click.option("--from", "--format", "from_", metavar="FORMAT", help="Of SOURCE; default: detected.")
@click.option("--to", required=True, metavar="FORMAT", help="Of TARGET; --formats lists them.")
@click.option("--overlaps", help="Of nested entities: refuse (default), longest or keep.")
@click.option("--drop", metavar="WHAT", help="entities, labels or relations that the target cannot hold.")
@click.option("--split-lines", is_flag=True, help="Make each line a text, for formats that hold one line.")
@click.option("--encoding", help="Of SOURCE; default: detected.")
@scheme_option
@strip_option
@r_option
@click.option("-p", "earlier_pairs", nargs=2, multiple=True, hidden=True)  # what -r was called here before
@click.option("-w", "writing", nargs=2, multiple=True, metavar="NAME VALUE", help="An option of writing TARGET.")
@click.option(
    "--formats",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_formats,
    help="List the formats and what each can hold, and exit.",
)
@speaks_json
def convert(
    source: Path,
    target: str,
    from_: str | None,
    to: str,
    overlaps: str | None,
    drop: str | None,
    split_lines: bool,
    encoding: str | None,
    scheme: str | None,
    strip_segmentation_digits: bool,
    reading_pairs: tuple[tuple[str, str], ...],
    earlier_pairs: tuple[tuple[str, str], ...],
    writing: tuple[tuple[str, str], ...],
    as_json: bool,
) -> dict[str, Any]:
    """Convert SOURCE into TARGET, or refuse with file and line: nothing is lost in silence."""
    from hanlp_tutor.data import convert as convert_file

    read = reading_options(
        (*earlier_pairs, *reading_pairs),
        overlaps=overlaps,
        format=from_,
        encoding=encoding,
        scheme=scheme,
        strip_segmentation_digits=strip_segmentation_digits,
    )
    conversion = convert_file(
        source,
        target,
        from_=read.pop("format", None),
        to=to,
        overlaps=read.pop("overlaps", "refuse"),
        drop=drop,
        split_lines=split_lines,
        read=read,
        write=parameters(writing),
    )
    for each in conversion.notes[:NOTES_SHOWN]:
        click.echo(f"Note: {each}", err=True)
    if len(conversion.notes) > NOTES_SHOWN:
        click.echo(f"Note: {len(conversion.notes) - NOTES_SHOWN} more; --json prints all.", err=True)
    if not as_json:
        relations = f", {conversion.relations} relations" if conversion.relations else ""
        click.echo(
            f"{conversion.texts} texts, {conversion.entities} entities, {conversion.labels} labels{relations}: "
            f"{conversion.from_} -> {conversion.to}, {target}"
        )
    return conversion.as_dict()
