"""``python -m experiments.relation_extraction``: relations of marked pairs, with gold entities and end to end.

On the synthetic corpus ``clinic``: rules over types, n-grams and mini-bert, with markers around the pair and without;
then mini-bert behind a model of entities that has learnt from 600 sentences, scored in triples. On FinRE (from
``HANLP_TUTOR_DATA``; its rows are left out where it cannot be had): n-grams and mini-bert on 1,000 lines, and what may
hold a learner back: passes, markers, lines that contradict each other, and, at equal updates, too few lines. Each draw
takes other sentences and is the seed. The learning rate of θ is chosen once, on dev of ``clinic`` with the first draw;
the C of the n-grams on dev in each run. Half an hour of one core. ``--only finre`` measures the rows that begin so.
"""

import argparse
import random
import tempfile
from collections import defaultdict
from functools import lru_cache, partial

from experiments.encoders import data_of
from hanlp_tutor import Predictor, TrainConfig, build_model, fine_tune, load_corpus
from hanlp_tutor.core.scores import span_scores
from hanlp_tutor.core.task import label_set
from hanlp_tutor.corpora.clinic import ENTITIES as ENTITIES_OF_CLINIC
from hanlp_tutor.data import LabelledText
from hanlp_tutor.data.marking import mark
from hanlp_tutor.data.relations import negative_class, plausible, type_pairs
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.errors import DataError
from hanlp_tutor.manifest import manifest
from hanlp_tutor.relations.task import relation_scores
from hanlp_tutor.teach.lessons.l16.pipeline import related, sentences, spans_of, tagged, triple_scores
from hanlp_tutor.teach.lessons.l16.rules import RULES, by_rule, relation_of_types
from hanlp_tutor.teach.results import Experiment

ENCODER, DRAWS = "mini-bert", (1, 2, 3)
SIZES = {"clinic": 500, "finre": 1000}  # pairs
TIMES = 4  # as many lines of FinRE for the encoder, with a quarter of the passes and with as many
MORE = 1500  # lines of FinRE for n-grams, about a minute a row and draw
EPOCHS = {"clinic": 6, "finre": 4}
ENTITIES = {"sentences": 600, "epochs": 6, "lr": 1e-3, "head_lr": 1e-2}  # of the model of entities
RATES, GRID = (3e-4, 1e-3), (1.0, 10.0, 100.0, 1000.0, 10000.0)  # of θ; of C of the n-grams
DEV, TESTED = 500, 1500
HOW = {"markers": "", "plain": ", no markers", "types": ", markers and types"}  # what n-grams read
SIGNS = dict(zip(ENTITIES_OF_CLINIC, "病症药查术体科", strict=True))  # of types, a character each
POOL = 4000  # pairs of the synthetic corpus, from which a draw takes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default="", help="measure only what begins so, such as finre")
    only = parser.parse_args().only
    settings = {"dev": DEV, "tested": TESTED}
    experiment = Experiment("relation_extraction", settings, manifest(describe_device(choose_device())))

    def measure(row: str, run, draws=DRAWS, **depends_on) -> None:
        if row.startswith(only):
            experiment.measure(row, draws, run, depends_on=depends_on)

    for name, task in (("clinic", "relation"), ("finre", None)):
        try:
            corpus = load_corpus(name, task=task) if task else load_corpus(name)
        except DataError as error:
            print(f"{name} is left out: {error}")
            continue
        data = {"data": data_of(corpus)}
        if name == "clinic":
            for rule in RULES:
                measure(f"clinic/rules, {rule}", lambda draw, rule=rule: _by_rule(rule), DRAWS[:1], **data)
        for size in (SIZES[name], MORE) if name == "finre" else (SIZES[name],):
            for how, said in HOW.items():
                row = f"{name}/n-grams{said}" + (f", {size:,} lines" if size == MORE else "")
                if how != "types" or name == "clinic":
                    run = partial(_ngrams, name, size, how)
                    measure(row, lambda draw, run=run: run(draw), pairs=size, grid=GRID, **data)
        if name == "finre":
            measure("lines/finre", lambda draw: _contradictions(), DRAWS[:1], **data)
            row = f"finre/n-grams, {MORE:,} consistent lines"
            run = partial(_ngrams, "finre", MORE, "markers", lines="consistent")
            measure(row, lambda draw, run=run: run(draw), pairs=MORE, grid=GRID, **data)
        _encoders(experiment, measure, name, data, only)


def _encoders(experiment, measure, name: str, data, only: str) -> None:
    rows = [name, f"{name}/{ENCODER}"]
    rows += ["clinic/end to end", *(f"clinic/{ENCODER}{said}" for said in HOW.values())] if name == "clinic" else []
    lines = f"finre/{ENCODER}, {TIMES * SIZES['finre']:,} lines"
    rows += [f"finre/{ENCODER}, twice the passes", lines] if name == "finre" else []
    if not any(row.startswith(only) for row in rows):
        return
    chosen_on = {"data": data_of(_corpus("clinic")), "pairs": SIZES["clinic"], **weights_of(ENCODER)}
    lr = experiment.best_learning_rate(
        "clinic", RATES, DRAWS[:1], lambda draw, lr: _dev("clinic", draw, lr), depends_on=chosen_on
    )
    depends_on = {**data, **weights_of(ENCODER)}
    trained = {"lr": lr, "pairs": SIZES[name], "epochs": EPOCHS[name], **depends_on}
    measure(f"{name}/{ENCODER}", lambda draw: _fine_tuned(name, draw, lr), **trained)
    if name == "clinic":
        measure("clinic/end to end", lambda draw: _end_to_end(draw, lr), entities=ENTITIES, **trained)
        for how, said in (("signs", HOW["types"]), ("plain", HOW["plain"])):
            row = f"clinic/{ENCODER}{said}"
            signs = {"signs": "".join(SIGNS.values())} if how == "signs" else {}
            measure(row, lambda draw, how=how: _fine_tuned(name, draw, lr, how=how), **signs, **trained)
    else:
        twice = {**trained, "epochs": 2 * EPOCHS[name]}
        row = f"finre/{ENCODER}, twice the passes"
        measure(row, lambda draw: _fine_tuned(name, draw, lr, epochs=twice["epochs"]), **twice)
        for row, epochs in ((f"{lines}, {EPOCHS[name] // TIMES} pass", EPOCHS[name] // TIMES), (lines, EPOCHS[name])):
            more = {**trained, "epochs": epochs, "pairs": TIMES * SIZES[name]}
            run = partial(_fine_tuned, name, lr=lr, epochs=epochs, size=more["pairs"])
            measure(row, run, **more)


@lru_cache(maxsize=2)
def _corpus(name: str):
    return load_corpus(name, task="relation") if name == "clinic" else load_corpus(name)


def _relations_by_pair(lines) -> dict[tuple[str, str, str], list[str]]:
    said = defaultdict(list)
    for each in lines:
        said[each.text, each.head, each.tail].append(each.relation)
    return said


def _contradictions() -> dict[str, float]:
    """Lines of FinRE that give one pair of one sentence several relations, and what that costs whoever says one."""
    corpus = _corpus("finre")
    train, test = (_relations_by_pair(part).values() for part in (corpus.train, corpus.test))
    best = sum(max(map(some.count, some)) for some in test)
    return {
        "lines": len(corpus.train),
        "contradicting": sum(len(some) for some in train if len(set(some)) > 1),
        "accuracy_at_most": best / len(corpus.test),
    }


def _sets(name: str, draw: int | None, size: int | None = None, lines: str = "any"):
    """Train, dev and test of plausible pairs; a draw takes whole sentences."""
    corpus = _corpus(name)
    negative = negative_class(corpus.train)
    train = list(corpus.train)
    if lines == "consistent":
        said = _relations_by_pair(train)
        train = [each for each in train if len(set(said[each.text, each.head, each.tail])) == 1]
    if draw is not None:
        texts = sorted({each.text for each in train})
        random.Random(draw).shuffle(texts)
        place = {text: number for number, text in enumerate(texts)}
        train = sorted(train, key=lambda each: place[each.text])[: size or SIZES[name]]
    allowed = type_pairs(train, negative)
    test = list(corpus.test) if len(corpus.test) <= TESTED else random.Random(0).sample(list(corpus.test), TESTED)
    return tuple(plausible(part, allowed, negative) for part in (train, list(corpus.dev)[:DEV], test))


def _scores(gold, found, negative) -> dict[str, float]:
    scores = relation_scores(gold, found, negative)
    return {measure: scores[measure] for measure in ("micro_f1", "accuracy", "macro_f1")}


def _relations(part) -> list[str]:
    return [each.relation for each in part]


def _by_rule(rule: str) -> dict[str, float]:
    train, dev, test = _sets("clinic", None)
    negative = negative_class(train)
    known = relation_of_types(train, negative)
    on_dev = relation_scores(_relations(dev), by_rule(rule, dev, known, negative), negative)["micro_f1"]
    return {**_scores(_relations(test), by_rule(rule, test, known, negative), negative), "best_dev": on_dev}


def _text(pair, how: str) -> str:
    head, tail = pair.spans
    marked = mark(pair.text, (head.start, head.end), (tail.start, tail.end))
    types = pair.types or ()
    return {
        "plain": pair.text,
        "markers": marked,
        "types": f"{'/'.join(types)} {marked}",  # n-grams: the whole names weigh more
        "signs": f"{''.join(SIGNS[each] for each in types)}：{marked}",  # an encoder of characters
    }[how]


def _ngrams(name: str, size: int, how: str, draw: int, *, lines: str = "any") -> dict[str, float]:
    from hanlp_tutor.workbench.baselines import ngram_classifier

    train, dev, test = _sets(name, draw, size, lines)
    negative = negative_class(train)
    texts = [[_text(pair, how) for pair in part] for part in (train, dev, test)]
    best: tuple[float, float, list[str]] = (-1.0, 0.0, [])
    for c in GRID:
        model = ngram_classifier()
        model[-1].set_params(C=c)
        model.fit(texts[0], _relations(train))
        on_dev = relation_scores(_relations(dev), list(map(str, model.predict(texts[1]))), negative)["micro_f1"]
        if on_dev > best[0]:
            best = on_dev, c, list(map(str, model.predict(texts[2])))
    return {**_scores(_relations(test), best[2], negative), "best_dev": best[0], "C": best[1], "pairs": len(train)}


def _config(epochs: int, lr: float, seed: int, **options) -> TrainConfig:
    given = {"batch_size": 16, "head_lr": 1e-3, "patience": None, "checkpoint_steps": 10**6, **options}
    return TrainConfig(epochs=epochs, lr=lr, seed=seed, **given)


def _trained(task: str, train, labels, config):
    model = build_model(task, ENCODER, labels, config)
    with tempfile.TemporaryDirectory() as folder:
        return model, round(fine_tune(model, train, [], config, folder, progress="none").seconds, 1)


@lru_cache(maxsize=len(DRAWS))
def _model(name: str, draw: int, lr: float, epochs: int | None, how: str, size: int | None = None):
    train, _, _ = _sets(name, draw, size)
    config, labels = _config(epochs or EPOCHS[name], lr, draw), label_set("relation", _corpus(name).train)
    if how == "markers":
        return _trained("relation", train, labels, config)
    plain = [LabelledText(_text(pair, how), pair.relation, pair.source) for pair in train]
    return _trained("classify", plain, labels, config)


def _found(model, part, how: str) -> list[str]:
    marked = how == "markers"  # the relation model marks by itself
    answers = Predictor(model).predict_many(part if marked else [_text(pair, how) for pair in part])
    return [answer["relation" if marked else "label"] for answer in answers]


def _dev(name: str, draw: int, lr: float) -> float:
    model, _ = _model(name, draw, lr, None, "markers")
    train, dev, _ = _sets(name, draw)
    return relation_scores(_relations(dev), _found(model, dev, "markers"), negative_class(train))["micro_f1"]


def _fine_tuned(
    name: str, draw: int, lr: float, *, epochs: int | None = None, how: str = "markers", size: int | None = None
) -> dict[str, float]:
    model, seconds = _model(name, draw, lr, epochs, how, size)
    train, _, test = _sets(name, draw, size)
    scores = _scores(_relations(test), _found(model, test, how), negative_class(train))
    few = train[:300]
    learnt = relation_scores(_relations(few), _found(model, few, how), negative_class(train))["micro_f1"]
    return {**scores, "on_training_pairs": learnt, "lr": lr, "seconds": seconds}


def _end_to_end(draw: int, lr: float) -> dict[str, float]:
    """Triples between gold entities, and between those that a model finds."""
    pool, test = sentences("train", POOL), sentences("test", POOL)
    examples = tagged(random.Random(draw).sample(pool, ENTITIES["sentences"]))
    config = _config(ENTITIES["epochs"], ENTITIES["lr"], draw, head_lr=ENTITIES["head_lr"], crf=True)
    entities, _ = _trained("ner", examples, label_set("ner", tagged(pool)), config)
    model, _ = _model("clinic", draw, lr, None, "markers")
    predictor, texts = Predictor(model), [each.text for each in test]
    gold = [each.triples for each in test]
    found = spans_of(Predictor(entities).predict_many(texts))
    ends = {"gold": [each.spans for each in test], "found": found}
    scores = {name: triple_scores(gold, related(predictor, texts, spans)) for name, spans in ends.items()}
    reachable = triple_scores(gold, [_between(each.triples, spans) for each, spans in zip(test, found, strict=True)])
    return {
        "f1": scores["found"]["f1"],
        "precision": scores["found"]["precision"],
        "recall": scores["found"]["recall"],
        "f1_gold_entities": scores["gold"]["f1"],
        "reachable": reachable["recall"],
        "entity_f1": span_scores([each.spans for each in test], found)["f1"],
        "sentences": len(examples),
    }


def _between(triples, spans) -> set:
    """The triples both of whose entities were found."""
    places = {(span.start, span.end) for span in spans}
    return {each for each in triples if {each.head, each.tail} <= places}


if __name__ == "__main__":
    main()
