"""Several tasks on one encoder: what one update does, resuming, words as HanLP makes them, scores, the command line."""

import json

import pytest
import torch
import toy
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from hanlp_tutor import (
    Predictor,
    TrainConfig,
    build_model,
    evaluate_model,
    fine_tune,
    load_corpus,
    load_model,
    save_model,
)
from hanlp_tutor.cli import app
from hanlp_tutor.core.evaluate import end_to_end, score_on_test
from hanlp_tutor.core.heads import token_states, word_states
from hanlp_tutor.core.task import label_set, task_of
from hanlp_tutor.corpora.peoples_daily import word_tasks
from hanlp_tutor.data.words import TaggedWords, word_labels
from hanlp_tutor.errors import ConfigError, DataError, InputError, ModelError, TrainingError
from hanlp_tutor.workbench.job import read_split

pytestmark = pytest.mark.xdist_group("trained")


def news(count: int, tasks=("tok", "pos", "ner")) -> list[TaggedWords]:
    short = [e for e in load_corpus("peoples_daily").train if len(e.text) <= 40 and e.spans]
    return word_tasks(short[:count], tasks)


def fresh(encoder: str, examples, **options):
    config = TrainConfig(**{"batch_size": 8, "dropout": 0.0, **options})
    return build_model("multitask", encoder, label_set("multitask", examples), config), config


def test_one_update_is_the_articles_formula_over_all_tasks(small_encoder, tmp_path):
    """A window of micro-batches of several tasks: (1/n) Σ_t w_t Σ L_t + (λ/N)‖θ‖², by autograd over all of it."""
    examples = news(12)
    options = {"optimizer": "sgd", "lr": 0.1, "head_lr": 0.1, "epochs": 1, "schedule": "constant", "warmup_steps": 0,
               "gradient_accumulation_steps": 100, "task_weights": {"ner": 3.0}, "l2": 0.5, "weight_decay": 0.0,
               "max_grad_norm": None}  # fmt: skip
    model, config = fresh(small_encoder, examples, **options)
    expected, _ = fresh(small_encoder, examples, **options)
    loss, n = 0.0, 0
    for task, weight in (("tok", 1.0), ("pos", 1.0), ("ner", 3.0)):
        batch = expected.collate([expected.encode(e) for e in examples if e.task == task])
        loss = loss + weight * expected.loss_sum(expected(batch), batch)
        n += batch.valid
    assert n == sum(len(e.text) if e.task == "tok" else len(e.words) for e in examples)
    (loss / n + 0.5 / n * sum(p.square().sum() for p in expected.encoder.parameters() if p.requires_grad)).backward()
    fine_tune(model, examples, [], config, tmp_path / "run", progress="none")
    for (name, mine), other in zip(model.named_parameters(), expected.parameters(), strict=True):
        if other.grad is not None:
            torch.testing.assert_close(mine, other - 0.1 * other.grad, atol=2e-6, rtol=1e-4, msg=name)


def test_a_killed_run_goes_on_bit_for_bit(small_encoder, tmp_path, monkeypatch):
    import hanlp_tutor.core.train as module

    examples, dev = news(40), news(60)[-15:]
    options = {"epochs": 3, "lr": 1e-3, "sampling_temperature": 0.5, "dropout": 0.1, "gradient_accumulation_steps": 2}
    whole, config = fresh(small_encoder, examples, **options)
    fine_tune(whole, examples, dev, config, tmp_path / "whole", progress="none")
    save = module.save_checkpoint

    def killed(path, **parts):
        save(path, **parts)
        raise KeyboardInterrupt

    broken, _ = fresh(small_encoder, examples, **options)
    monkeypatch.setattr(module, "save_checkpoint", killed)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(broken, examples, dev, config, tmp_path / "killed", progress="none")
    monkeypatch.undo()
    again, _ = fresh(small_encoder, examples, **options)
    fine_tune(again, examples, dev, config, tmp_path / "killed", resume=True, progress="none")
    state, other = whole.state_dict(), again.state_dict()
    assert all(torch.equal(state[name], other[name]) for name in state)


def test_every_knob_reaches_a_multi_task_run(small_encoder, tmp_path):
    examples = news(20)
    options = {"epochs": 1, "gradient_checkpointing": True, "layerwise_decay": 0.9, "crf": True,
               "freeze": "all-but-last-1", "l2": 0.01, "l2_on": "distance"}  # fmt: skip
    model, config = fresh(small_encoder, examples, **options)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    fine_tune(model, examples, [], config, tmp_path / "run", progress="none")
    moved = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert not any("embeddings" in name or "layer.0." in name for name in moved)
    assert any("layer.1." in name for name in moved)
    assert {f"head.decoders.{task}.crf.transitions" for task in model.tasks} <= moved


def test_bf16_trains_several_tasks(small_encoder, tmp_path):
    examples = news(8)
    model, config = fresh(small_encoder, examples, epochs=1, bf16=True, allow_slow_precision=True)
    result = fine_tune(model, examples, examples, config, tmp_path / "run", progress="none")
    assert result.steps > 0 and 0 <= result.best_dev <= 1


@pytest.mark.parametrize(("options", "what"), [({"task_weights": {"dep": 2.0}}, "tok, pos, ner"),
                                               ({"class_weights": "balanced"}, "task_weights")])  # fmt: skip
def test_weights_of_what_is_not_there_are_refused(small_encoder, tmp_path, options, what):
    examples = news(4)
    model, config = fresh(small_encoder, examples, **options)
    with pytest.raises(ConfigError, match=what):
        fine_tune(model, examples, [], config, tmp_path / "run", progress="none")


def test_a_word_is_the_mean_of_its_pieces_as_in_hanlp(small_encoder):
    from hanlp.layers.transformers.utils import pick_tensor_for_each_token

    examples = [e for e in news(30) if e.task == "pos"]
    model, _ = fresh(small_encoder, examples)
    encoded = [model.encode(e) for e in examples]
    batch = model.collate(encoded)
    hidden = torch.randn(*batch.input_ids.shape, 16, generator=torch.Generator().manual_seed(0))
    found = word_states(token_states(hidden, batch), batch)
    spans = [[[1 + i for i, word in enumerate(e.words) if word == k] for k in range(e.units)] for e in encoded]
    width, longest = max(map(len, spans)), max(len(span) for row in spans for span in row)
    padded = torch.zeros(len(spans), width, longest, dtype=torch.long)
    for i, row in enumerate(spans):
        for k, span in enumerate(row):
            padded[i, k, : len(span)] = torch.tensor(span)
    expected = pick_tensor_for_each_token(hidden, padded, True)
    assert longest > 1
    for i, e in enumerate(encoded):
        torch.testing.assert_close(found[i, : e.units], expected[i, : e.units])


STRANGE = "今日北京ab １２３ＡＢ…①㈱😀\u3000\u200d\x00\u0301한ﬁ½\t™ "
ODD = st.text(st.sampled_from(STRANGE) | st.characters(codec="utf-8"), max_size=25)


@settings(max_examples=300, deadline=None)
@given(ODD)
def test_raw_text_is_cut_into_pieces_as_hanlp_cuts_it(text):
    oracle, ours = _tokenizers()
    sample = oracle({"token": text}) if text else {"token_input_ids": [2, 3], "token_subtoken_offsets": []}
    ids, places = ours.with_places(text)
    assert ids == sample["token_input_ids"][1:-1]
    assert places == [tuple(place) for place in sample["token_subtoken_offsets"]]


def _tokenizers(made=[]):  # noqa: B006 - one pair for all examples
    if not made:
        from hanlp.transform.transformer_tokenizer import TransformerSequenceTokenizer

        from hanlp_tutor.data.characters import TextEncoder
        from hanlp_tutor.encoders.mini import mini_tokenizer

        made += [TransformerSequenceTokenizer(mini_tokenizer(), "token", ret_subtokens=True, ret_subtokens_group=True,
                                              cls_is_bos=True, sep_is_eos=True, strip_cls_sep=False),
                 TextEncoder(mini_tokenizer())]  # fmt: skip
    return made


def test_gold_words_keep_every_word_even_one_without_a_piece(small_encoder):
    odd = [TaggedWords("pos", ("他", "\u200b", "说", "ﬁ", "1998年"), ("r", "w", "v", "n", "t"))]
    model, _ = fresh(small_encoder, odd)
    encoded = model.encode(odd[0])
    assert encoded.units == 5 and len(encoded.labels) == 5 and encoded.words == sorted(encoded.words)
    assert encoded.ids[encoded.words.index(1)] == model.text_encoder.unk_id
    assert encoded.words.count(4) == 5, "each digit is a piece"


def test_scores_agree_with_seqeval_and_scikit_learn(multitask_model):
    from seqeval.metrics import f1_score
    from sklearn.metrics import accuracy_score

    known = set(multitask_model.labels)
    lines = load_corpus("peoples_daily").test[:80]
    lines = [e for e in lines if known.issuperset(word_tasks([e], ["pos"])[0].gold_labels)]
    examples = word_tasks(lines)
    scores = evaluate_model(multitask_model, examples)
    predicted: dict[str, list] = {}
    for example in examples:
        batch = multitask_model.collate([multitask_model.encode(example)])
        with torch.no_grad():
            predicted.setdefault(example.task, []).extend(multitask_model.decode(multitask_model(batch), batch))
    gold = {task: [list(e.tags) for e in examples if e.task == task] for task in ("pos", "ner")}
    assert scores["ner"]["f1"] == pytest.approx(f1_score(gold["ner"], predicted["ner"]))
    flat = [[tag for tags in each["pos"] for tag in tags] for each in (gold, predicted)]
    assert scores["pos"]["accuracy"] == pytest.approx(accuracy_score(*flat))
    means = (scores["tok"]["f1"], scores["pos"]["accuracy"], scores["ner"]["f1"])
    assert scores["mean"] == pytest.approx(sum(means) / 3) and min(means) > 0.2
    raw = end_to_end(multitask_model, examples)
    assert raw["tok"]["f1"] == pytest.approx(scores["tok"]["f1"], abs=0.01), "words of characters, words of pieces"
    assert raw["pos"]["f1"] < scores["pos"]["accuracy"], "a wrong word has no right tag"
    assert scores["loss"] > 0 and scores["minority"] > 0
    wrong = task_of(multitask_model).mistakes(multitask_model, examples, Predictor(multitask_model).predict_many)
    for task, type_names in (("tok", ["word"]), ("pos", raw["pos"]["per_type"]), ("ner", raw["ner"]["per_type"])):
        wanted = sum(raw[task]["per_type"][name]["support"] for name in type_names)
        missing = sum(len(each["missing"]) for each in wrong if each["task"] == task)
        assert raw[task]["recall"] == pytest.approx(1 - missing / wanted)
        assert all(each["shown"].startswith(f"{each['task']}: ") for each in wrong)


def test_what_the_model_says_itself_scores_one(multitask_model):
    texts = [e.text for e in load_corpus("peoples_daily").test[:20]]
    found = Predictor(multitask_model).predict_many(texts)
    own = [TaggedWords("tok", a["tok"]) for a in found] + [TaggedWords("pos", a["tok"], a["pos"]) for a in found]
    scores = score_on_test(multitask_model, [e for e in own if e.text in texts])
    for task in ("tok", "pos"):
        assert scores[task]["end_to_end"]["f1"] == 1.0


def test_a_gold_tag_that_training_lacked_counts_as_missed(multitask_model):
    example = TaggedWords("pos", ("北京", "好"), ("ns", "zzz"))
    with pytest.raises(DataError, match="'zzz' is unknown"):
        evaluate_model(multitask_model, [example])
    assert score_on_test(multitask_model, [example])["pos"]["per_class"]["zzz"]["recall"] == 0


def test_raw_text_in_words_tags_and_entities_out(multitask_model):
    texts = ["江泽民主席今天在北京会见了美国总统。", "", " \u3000", "a 江 b", "今" * 1200, "😀\x00"]
    predictions = Predictor(multitask_model).predict_many(texts)
    for text, found in zip(texts, predictions, strict=True):
        assert found["text"] == text and len(found["pos"]) == len(found["tok"]) == len(found["offsets"])
        assert [text[start:end] for start, end in found["offsets"]] == found["tok"]
        assert all(text[e["start"] : e["end"]] == e["text"] and 0 < e["score"] <= 1 for e in found["ner"])
    assert "".join(predictions[0]["tok"]) == texts[0] and "".join(predictions[4]["tok"]) == texts[4]
    assert predictions[1]["tok"] == predictions[2]["tok"] == []
    alone = Predictor(multitask_model).predict(texts[0])
    assert all(alone[name] == predictions[0][name] for name in ("text", "tok", "offsets", "pos"))
    for one, other in zip(alone["ner"], predictions[0]["ner"], strict=True):
        assert one.pop("score") == pytest.approx(other.pop("score"), abs=1e-4) and one == other


def test_a_model_folder_keeps_the_tasks(multitask_model, tmp_path):
    again = load_model(save_model(multitask_model, tmp_path / "model"))
    assert again.tasks == ("tok", "pos", "ner") and again.tags == multitask_model.tags
    texts = [e.text for e in load_corpus("peoples_daily").test[:10]]
    assert Predictor(again).predict_many(texts) == Predictor(multitask_model).predict_many(texts)


def test_without_a_segmenter_raw_text_is_refused(small_encoder):
    examples = news(4, tasks=("ner",))
    model, _ = fresh(small_encoder, examples)
    assert set(evaluate_model(model, examples)) == {"ner", "mean", "loss", "minority"}
    with pytest.raises(InputError, match="train it with tok"):
        Predictor(model).predict_many(["今天"])
    with pytest.raises(DataError, match="an example of pos"):
        model.encode(TaggedWords("pos", ("好",), ("a",)))
    with pytest.raises(ModelError, match="tok, pos, ner"):
        build_model("multitask", small_encoder, ("dep/x",), TrainConfig())


def test_train_evaluate_and_predict_on_the_command_line(small_encoder, tmp_path):
    files = []
    for task in ("tok", "pos", "ner"):
        toy.write_words(tmp_path / task, news(60, tasks=(task,)))
        files.append(f"{task}={tmp_path / task}")
    joined, out = ",".join(files), tmp_path / "run"
    train = ["train", "--task", "multitask", "--train", joined, "--encoder", small_encoder, "--out", str(out),
             "-p", "epochs", "1", "-p", "lr", "1e-3", "--json"]  # fmt: skip
    done = CliRunner().invoke(app, train)
    assert done.exit_code == 0, done.output
    metrics = json.loads(done.output.strip().splitlines()[-1])
    assert metrics == json.loads((out / "metrics.json").read_text()) and metrics["task"] == "multitask"
    assert set(metrics["test"]) == {"tok", "pos", "ner"} and 0 <= metrics["best_dev"] <= 1
    assert metrics["test"]["ner"].keys() >= {"precision", "recall", "f1", "per_type", "end_to_end"}
    assert metrics["test"]["pos"].keys() >= {"accuracy", "macro_f1", "micro_f1", "per_class", "end_to_end"}
    done = CliRunner().invoke(app, ["evaluate", str(out), joined])
    assert done.exit_code == 0 and all(f"{task}:" in done.output for task in ("tok", "pos", "ner")), done.output
    done = CliRunner().invoke(app, ["predict", str(out), "今日北京天气如何"])
    assert done.exit_code == 0 and "/" in done.output
    assert CliRunner().invoke(app, [*train[:-1], "--split", "x"]).exit_code == 2


def test_held_out_sentences_are_held_out_of_every_task(tmp_path):
    for task in ("tok", "pos"):
        toy.write_words(tmp_path / task, news(100, tasks=(task,)))
    split = read_split("multitask", f"tok={tmp_path / 'tok'},pos={tmp_path / 'pos'}")
    texts = [{e.text for e in subset} for subset in (split.train, split.dev, split.test)]
    assert not texts[0] & texts[2] and not texts[1] & texts[2] and len(split.test) > 5
    known = set(word_labels(split.train))
    assert all(known.issuperset(e.gold_labels) for e in split.dev)
    with pytest.raises(ConfigError, match="no option"):
        read_split("multitask", f"tok={tmp_path / 'tok'}", overlaps="longest")


def test_examples_of_another_kind_are_a_clear_error(multitask_model, tmp_path):
    with pytest.raises((DataError, TrainingError), match="words"):
        fine_tune(multitask_model, toy.tagged(3), [], TrainConfig(), tmp_path / "run", progress="none")
