"""A multi-task folder in plain HanLP, without our package and the network: the same words, tags and entities."""

import hashlib
import json
import shutil

import plain_hanlp
import pytest
import torch
from test_hanlp_io import EMOJI, sentences

from hanlp_tutor import TrainConfig, build_model, export_hanlp, relocate
from hanlp_tutor.core.predict import Predictor
from hanlp_tutor.corpora.peoples_daily import word_tasks
from hanlp_tutor.data import TaggedText
from hanlp_tutor.data.edges import without_blank_edges
from hanlp_tutor.data.words import TaggedWords, word_labels
from hanlp_tutor.errors import ModelError
from hanlp_tutor.hanlp_bridge.load import check_hanlp

pytestmark = pytest.mark.xdist_group("trained")


def ours(model, texts: list[str]) -> dict[str, list]:
    """In HanLP's form: offsets of entities count words, and their text has no space between words."""
    rows: dict[str, list] = {task: [] for task in model.tasks}
    for prediction in Predictor(model).predict_many(texts):
        # the word in which a character lies: an invisible one at a word's edge is no part of the entity
        word = {place: number for number, (a, b) in enumerate(prediction["offsets"]) for place in range(a, b)}
        for task in model.tasks:
            if task != "ner":
                rows[task].append(prediction[task])
                continue
            spans = [(e["label"], word[e["start"]], word[e["end"] - 1] + 1) for e in prediction["ner"]]
            rows[task].append([["".join(prediction["tok"][a:b]), label, a, b] for label, a, b in spans])
    return rows


def cut(predictions: dict[str, list]) -> dict[str, list]:
    """HanLP's, without blank words at the edges of entities, which it cannot cut."""
    entities = []
    for words, row in zip(predictions["tok"], predictions["ner"], strict=True):
        places = [(label, *without_blank_edges(words, start, end)) for _, label, start, end in row]
        entities.append([["".join(words[a:b]), label, a, b] for label, a, b in places if a < b])
    return {**predictions, "ner": entities}


@pytest.fixture(scope="module")
def plain(multitask_model, small_encoder, tiny_encoder, tmp_path_factory):
    """What plain HanLP predicts from each folder, with the texts: one process for all."""
    base = tmp_path_factory.mktemp("folders")
    texts = [*sentences(), "", " \u3000 ", EMOJI, "A  B 今 天"]
    some = texts[:3] + texts[-60:-4] + texts[-1:]  # without blank ones: HanLP's CRF cannot decode those
    labels = multitask_model.labels
    torch.manual_seed(0)
    crf = build_model("multitask", small_encoder, labels, TrainConfig(crf=True)).eval()
    two = build_model("multitask", tiny_encoder, labels[: -len(multitask_model.tags["ner"])], TrainConfig()).eval()
    for model in (crf, two):  # random, but not timid
        for name, parameter in model.head.named_parameters():
            torch.nn.init.normal_(parameter, std=0.1 if "crf" in name else 1.0)
    models = {"trained": (multitask_model, texts), "crf": (crf, some), "word pieces": (two, some)}
    folders = {name: export_hanlp(model, base / name) for name, (model, _) in models.items()}
    for name in ("moved", "mended"):
        models[name] = multitask_model, some
        folders[name] = shutil.move(export_hanlp(multitask_model, base / "first place"), base / name)
    relocate(base / "mended")
    models["one"] = multitask_model, "今日北京天气如何"
    folders["one"] = folders["trained"]
    jobs = [{"folder": str(folders[name]), "inputs": inputs} for name, (_, inputs) in models.items()]
    predictions = dict(zip(models, plain_hanlp.ask(jobs), strict=True))
    return {name: (*models[name], folders[name], predictions[name]) for name in models}


def test_the_same_predictions_on_500_real_sentences(plain):
    model, texts, _, predicted = plain["trained"]
    expected = ours(model, texts)
    assert len(texts) > 500 and max(map(len, texts)) > 510
    assert set(predicted["predictions"]) == {"tok", "pos", "ner"}
    for task in model.tasks:
        assert cut(predicted["predictions"])[task] == expected[task], task
    assert sum(map(len, expected["ner"])) > 300, "a model that finds nothing would prove nothing"


@pytest.mark.parametrize("name", ["crf", "word pieces", "mended"])
def test_the_same_predictions_with_a_crf_with_word_pieces_and_after_a_move(plain, name):
    model, texts, _, predicted = plain[name]
    found = predicted["predictions"]
    assert (cut(found) if "ner" in found else found) == ours(model, texts)
    assert sum(map(len, predicted["predictions"]["pos"])) > 100


def test_the_issues_own_sentence(plain):
    model, text, _, predicted = plain["one"]
    assert {task: [row] for task, row in predicted["predictions"].items()} == ours(model, [text])
    assert "".join(predicted["predictions"]["tok"]) == text


def test_a_moved_folder_fails_until_it_is_mended(plain):
    folder, predicted = plain["moved"][2:]
    assert "error" in predicted
    assert "first place" in json.loads((folder / "config.json").read_text())["encoder"]["transformer"]


@pytest.mark.parametrize("name", ["trained", "crf", "word pieces"])
def test_every_weight_arrives_in_hanlp(plain, name):
    model, _, _, predicted = plain[name]
    expected = {"encoder.transformer." + key: tensor for key, tensor in model.encoder.state_dict().items()}
    expected |= model.head.state_dict()
    assert any(key.startswith("decoders.tok.") for key in expected)
    digests = {key: hashlib.sha256(tensor.numpy().tobytes()).hexdigest() for key, tensor in expected.items()}
    assert predicted["weights"] == digests


def test_the_folder_says_how_to_use_it(plain):
    text = (plain["trained"][2] / "README.md").read_text(encoding="utf-8")
    assert "count words" in text and "relocate" in text and "tok, pos, ner" in text


def test_an_export_passes_the_check_of_strangers_folders(multitask_model, tmp_path):
    folder = export_hanlp(multitask_model, tmp_path / "tasks")
    assert check_hanlp(folder)["task_names"] == ["tok", "pos", "ner"]
    config = json.loads((folder / "config.json").read_text())
    config["transform"]["mapper"] = "https://example.com/table.json"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="NormalizeToken"):
        check_hanlp(folder)


def test_a_model_without_a_segmenter_is_not_exported(small_encoder, tmp_path):
    model = build_model("multitask", small_encoder, ("ner/O", "ner/B-X", "ner/I-X"), TrainConfig())
    with pytest.raises(ModelError, match="no segmenter"):
        export_hanlp(model, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_relocate_mends_nothing_that_is_whole(multitask_model, tmp_path):
    folder = export_hanlp(multitask_model, tmp_path / "tasks")
    before = (folder / "config.json").read_bytes()
    assert "nothing to mend" in str(relocate(folder)) and (folder / "config.json").read_bytes() == before
    (folder / "tok_vocabs.json").unlink()
    (folder / "pos_vocabs.json").unlink()
    (folder / "ner_vocabs.json").unlink()
    with pytest.raises(ModelError, match=r"vocabs\.json is missing"):
        relocate(folder)


def test_lines_of_the_corpus_keep_their_entities_as_words():
    from hanlp_tutor import load_corpus

    lines = load_corpus("peoples_daily").train[:300]
    made = word_tasks(lines, ["ner", "pos"])
    assert [e.text for e in made[:300]] == [e.text for e in lines] == [e.text for e in made[300:]]
    assert [e.spans for e in made[:300]] == [e.spans for e in lines]
    types = [f"ner/{letter}-{kind}" for kind in ("LOC", "ORG", "PER") for letter in "BI"]
    assert word_labels(made[:300]) == ("ner/O", *types)
    assert isinstance(made[0], TaggedWords) and isinstance(lines[0], TaggedText)
