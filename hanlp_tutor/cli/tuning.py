"""The command ``tune``: search options on your own data."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from hanlp_tutor.cli.options import ONE_TASK, p_option, read_sets, reads_files, run_config, trains_on_files
from hanlp_tutor.cli.speaking import goes_on, speaks_json
from hanlp_tutor.errors import ConfigError


@click.command()
@click.option("--task", required=True, type=ONE_TASK)
@trains_on_files
@click.option(
    "--space",
    "pairs_of_space",
    multiple=True,
    required=True,
    metavar="NAME=VALUES",
    help="What to search; repeat. lr=1e-5..1e-3:log, dropout=0..0.3 or batch_size=8,16,32.",
)
@click.option("--trials", default=20, show_default=True, help="That the study shall have in all.")
@click.option("--minutes", type=float, help="Begin no trial later than so many after the start.")
@click.option("--sampler", default="tpe", show_default=True, type=click.Choice(["tpe", "random"]))
@click.option("--pruner", default="median", show_default=True, type=click.Choice(["median", "halving", "none"]))
@click.option(
    "-c", "--config", "config_file", type=click.Path(path_type=Path), help="A YAML file of the other options."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Study folder; one that exists goes on.")
@reads_files()
@p_option
@speaks_json
def tune(
    task: str,
    train_file: Path,
    dev_file: Path | None,
    split_file: Path | None,
    encoder: str,
    pairs_of_space: tuple[str, ...],
    trials: int,
    minutes: float | None,
    sampler: str,
    pruner: str,
    config_file: Path | None,
    out: Path,
    reading: dict[str, Any],
    pairs: tuple[tuple[str, str], ...],
    as_json: bool,
) -> dict[str, Any]:
    """Search the options of a run by their dev score; write the best as YAML for `train -c`.

    Each trial is one run. Trials that fall behind are ended early. A study that was interrupted, or shall have more
    trials, goes on with the same command; given to several processes at a time, it shares its trials among them. Test
    data are never looked at.
    """
    from hanlp_tutor.workbench.tuning.space import parse_pairs, read_space

    config = run_config(config_file, pairs)
    space = read_space(parse_pairs(pairs_of_space), config)
    if split_file and dev_file:
        raise ConfigError("--split divides the training file, so leave out --dev.")
    from hanlp_tutor.workbench.tuning.search import BEST_FILE
    from hanlp_tutor.workbench.tuning.search import tune as search_options

    split = read_sets(task, train_file, dev_file, None, split_file, config.seed, reading)
    click.echo(f"{len(split.train)} examples to train on, {len(split.dev)} dev", err=True)
    with goes_on(out):
        search = search_options(
            task, split, encoder, config, space, trials, out, sampler=sampler, pruner=pruner, minutes=minutes
        )
    best = search.trials[search.best_trial]
    if not as_json:
        click.echo(f"best dev: {best['dev']:.4f}  " + "  ".join(f"{n}={v}" for n, v in best["options"].items()))
        click.echo(f"options: {out / BEST_FILE}")
    return {"best_dev": best["dev"], "options": best["options"], "config": str(out / BEST_FILE), **asdict(search)}
