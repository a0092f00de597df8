"""What a run folder tells whoever cannot use it: why a checkpoint is not theirs, why there is no model."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise, product
from pathlib import Path
from typing import Any

from hanlp_tutor.config import typed_value
from hanlp_tutor.errors import ConfigError


def digest(text: str) -> str:
    """The hash by which a checkpoint knows what it belongs to."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def other_run(folder: Path, then: Mapping[str, str], here: Mapping[str, str], now: Mapping[str, Any]) -> str:
    """Why a checkpoint in a run folder cannot be continued: what differs, both values, and what to type.

    Args:
        folder: the run's; its manifest says what it was started with.
        then, here: the hashes of the checkpoint and of what is to continue it, by name; only their difference counts.
        now: what the manifest would say, and under ``given`` the options as they were given.
    """
    path = folder / "manifest.json"
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        before = {}
    differing = [name for name, value in here.items() if then.get(name) != value]
    what, remedies, rest = [], [], []
    for name in differing:
        if name == "configuration" and before.get("config") and "given" in now:
            options = _earlier_options(then[name], before["config"], now)
            what += [
                f"{option} is {_shown(mine)} here and was {_shown(other)} there" for option, mine, other in options
            ]
            remedies += [_on_command_line(option, other) for option, _, other in options]
            if options:
                continue
        elif name == "encoder" and "encoder" in before:
            what.append(f"the encoder is {now['encoder']} here and was {before['encoder']} there")
            remedies.append(f"--encoder {shlex.quote(before['encoder'])}")
            continue
        rest.append(name)
    for name in rest:
        key = name.replace(" data", "_examples").replace("training", "train")
        sizes = [source.get("data", {}).get(key) for source in (now, before)]
        counted = "" if None in sizes else f" ({sizes[0]:,} examples here, {sizes[1]:,} there)"
        what.append(f"the {name} differ{'s' if name in ('configuration', 'encoder', 'text') else ''}{counted}")
    if rest and remedies:
        remedies.append("the files that it was started with")
    with_ = " ".join(remedies[:-1]) + " and " + remedies[-1] if rest and remedies else " ".join(remedies)
    with_ = with_ or "what the run was started with"
    return f"{', '.join(what)}. Resume with {with_}, or start a new run in another folder."


def why_no_model(folder: Path, program: Sequence[str] = ("hanlp-tutor",)) -> str | None:
    """What a folder is that is no model folder, and how to come to a model from it; None where nothing is known of it.

    Args:
        folder: any path.
        program: the words that call the command line here.
    """
    train = shlex.join([*program, "train", "--task", "TASK", "--train", "FILE", "--out", "RUN"])
    if not folder.is_dir():
        return "no such model folder."
    if (folder / "model.json").exists():
        return None
    if (folder / "model" / "model.json").exists():
        return f"a run folder; its model is {folder / 'model'}."
    if (folder / "encoder").is_dir():
        return f"a pre-trained encoder without labels. Fine-tune it: {train} --encoder {folder / 'encoder'}"
    if (folder / "best.yaml").exists():
        return f"a search for options. Train with the best: {train} -c {folder / 'best.yaml'}"
    if (folder / "checkpoint.pt").exists() or (folder / "manifest.json").exists():
        return _how_to_finish(folder, program)
    if (folder / "config.json").exists():
        serve = shlex.join([*program, "serve", str(folder)])
        return (
            f"a folder for HanLP: open it with load_hanlp in Python, or by {serve}; here give the kit's own model "
            "folder, such as RUN/model."
        )
    runs = [path.parents[1] for depth in ("*", "*/*") for path in sorted(folder.glob(f"{depth}/model/model.json"))]
    if runs:
        return f"a folder of runs; name one of them: {', '.join(map(str, runs[:5]))}{', ...' if runs[5:] else ''}"
    return None


def _how_to_finish(folder: Path, program: Sequence[str]) -> str:
    """What a run folder without a model lacks, and the command that finishes it, from what its manifest says."""
    saved = (folder / "checkpoint.pt").exists()
    has = "has a checkpoint, and no model yet" if saved else "was stopped before anything of it was saved"
    try:
        words = shlex.split(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["command"])[1:]
    except (OSError, ValueError, KeyError, TypeError):
        words = []
    if words[:1] not in (["train"], ["pretrain"]):
        again = "with resume=True (--resume)" if saved else "again"
        return f"an unfinished run: it {has}. Call what began it {again}."
    if saved and "--resume" not in words:
        words.append("--resume")
    out = next((after for word, after in pairwise(words) if word == "--out"), ".")
    where = "" if Path(out).resolve() == folder.resolve() else "in the folder where it was begun, "
    return f"an unfinished run: it {has}. Finish it {where}with: {shlex.join([*program, *words])}"


def _earlier_options(stored: str, before: dict[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Options that differ: name, value here, value there, as they were given.

    The manifest holds what became of an option; one that was not given was chosen. Which it was, the hash tells.
    """
    config, mine = now["given"], json.loads(now["given"].model_dump_json())
    became = json.loads(json.dumps(now["config"]))
    changed = {name for name in mine if before.get(name, mine[name]) != became[name]}
    earlier = {name: before[name] if name in changed else value for name, value in mine.items()}
    chosen = [n for n, f in type(config).model_fields.items() if f.default is None and before.get(n) is not None]
    for given in product((True, False), repeat=len(chosen)):
        as_given = dict(zip(chosen, given, strict=True))
        attempt = earlier | {name: before[name] if was else None for name, was in as_given.items()}
        with suppress(ConfigError):  # of options that exclude each other, and so were not given together
            if digest(type(config)(**attempt).canonical()) == stored:
                earlier = attempt
                break
    return [(name, mine[name], earlier[name]) for name in mine if mine[name] != earlier[name]]


def _on_command_line(option: str, value: Any) -> str:
    """As ``train`` and ``pretrain`` take it; two of the latter have a flag of their own."""
    flag = f"--{option}" if option in ("recipe", "tokens") else f"-p {option}"
    return f"{flag} {shlex.quote(typed_value(value))}"


def _shown(value: Any) -> str:
    return "not given" if value is None else repr(value)
