"""The command ``serve``."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

import click

from hanlp_tutor.cli.speaking import speaks_json
from hanlp_tutor.errors import ConfigError

TOKEN = "HANLP_TUTOR_TOKEN"  # the variable; on the command line other users of the machine could read it

_TEXT = '{"text": "王小明在上海。"}'


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets other machines in.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--token-file", type=click.Path(path_type=Path), help=f"Whose line requests must bring; or ${TOKEN}.")
@click.option(
    "--deadline",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.01, 60),
    help="Seconds: a request that would wait longer for its answer is refused at once, with 429.",
)
@click.option(
    "--batch",
    default=64,
    show_default=True,
    type=click.IntRange(1, 1024),
    help="Most texts that are computed together, from however many requests.",
)
@click.option("--queue", default=2048, show_default=True, type=click.IntRange(1, 10**6), help="Texts that may wait.")
@click.option("--max-texts", default=256, show_default=True, type=click.IntRange(1, 10**5), help="Of one request.")
@click.option("--max-characters", default=10_000, show_default=True, type=click.IntRange(1, 10**6), help="Of a text.")
@click.option(
    "--max-body", default=2**20, show_default=True, type=click.IntRange(64, 2**30), help="Bytes of a request."
)
@click.option("--cors", multiple=True, metavar="ORIGIN", help="A page elsewhere that may ask; several times.")
@click.option("--examples", type=click.Path(path_type=Path), help="A text a line, for the page and the documentation.")
@click.option("--threads", type=click.IntRange(1, 1024), help="Of one computation; default: the cores.")
@speaks_json
def serve(model: Path, host: str, port: int, token_file: Path | None, as_json: bool, **options: Any) -> None:
    """Serve MODEL over HTTP: a folder of the kit, of HanLP, or ONNX. The page at / shows what it answers.

    Ctrl-C or SIGTERM stops it once all that was accepted is answered.
    """
    from hanlp_tutor.serving import Batching, Limits, create_app
    from hanlp_tutor.serving.examples import PAIR, read_examples
    from hanlp_tutor.serving.server import LOOPBACK, serve_app

    token = _token(token_file)
    for origin in options["cors"]:
        if origin != "*" and not origin.startswith(("http://", "https://")):
            raise ConfigError(f"--cors {origin}: an origin is written https://name[:port].")
    app = create_app(
        model,
        batching=Batching(texts=options["batch"], deadline=options["deadline"], queue=options["queue"]),
        limits=Limits(options["max_body"], options["max_texts"], options["max_characters"]),
        token=token,
        cors=options["cors"],
        threads=options["threads"],
        examples=None if options["examples"] is None else read_examples(options["examples"]),
    )
    if host not in LOOPBACK and token is None:
        click.echo(f"Note: whoever reaches {host} may ask; set ${TOKEN} or --token-file to ask for a token.", err=True)

    def ready(address: str) -> None:
        click.echo(f"Serving {model} at {address} (Ctrl-C stops it)", err=True)
        given, what = _TEXT, ""
        if app.state.served.takes_pairs:
            pair = app.state.examples[0]
            given = json.dumps({"pair": pair}, ensure_ascii=False)
            what = " (an example of the form, not of what this model has learnt)" if pair == PAIR else ""
        header = "" if token is None else ' -H "Authorization: Bearer TOKEN"'
        asked = f"curl {address}predict -H 'Content-Type: application/json'{header} -d {shlex.quote(given)}"
        click.echo(f"Ask it{what}: {asked}", err=True)
        if as_json:
            click.echo(f'{{"address": "{address}"}}')

    serve_app(app, host=host, port=port, ready=ready)


def _token(file: Path | None) -> str | None:
    """The token that requests must bring.

    Raises:
        ConfigError: an empty one.
    """
    token = os.environ.get(TOKEN) if file is None else file.read_text(encoding="utf-8").strip()
    if token is None:
        return None
    if not token.isascii() or not token.isprintable() or " " in token or not token:
        where = f"${TOKEN}" if file is None else str(file)
        raise ConfigError(f"{where}: a token is one word of ASCII characters, as `openssl rand -hex 32` makes.")
    return token
