"""The contract of a run: what is refused, and whether the message names the remedy."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanlp_tutor.config import TrainConfig, config_from_yaml, parse_value
from hanlp_tutor.errors import ConfigError


def refusal(**values) -> str:
    with pytest.raises(ConfigError) as caught:
        TrainConfig(**values)
    return str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("epochz", "epochs"),
        ("learning_rate", "lr"),
        ("num_train_epochs", "epochs"),
        ("learning_rate_head", None),
        ("headlr", "head_lr"),
        ("warmup", "warmup_steps"),
        ("gradient_accumulation", "gradient_accumulation_steps"),
    ],
)
def test_misspelt_option_names_the_nearest(wrong, right):
    message = refusal(**{wrong: 3})
    assert repr(wrong) in message
    assert (repr(right) if right else "Known: ") in message


@pytest.mark.parametrize("name", ["lr", "head_lr", "epochs", "warmup_steps", "weight_decay", "seed"])
def test_a_number_as_text_is_refused_with_the_remedy(name):
    message = refusal(**{name: "2e-5"})
    assert name in message and "'2e-5'" in message
    assert "without quotes" in message and "2.0e-5" in message


def test_a_plain_number_as_text_needs_no_word_about_yaml():
    message = refusal(epochs="3")
    assert "without quotes" in message and "YAML" not in message


@pytest.mark.parametrize(
    "values",
    [
        {"epochs": 0},
        {"epochs": 3.0},
        {"epochs": True},
        {"batch_size": 0},
        {"max_length": 513},
        {"max_length": 15},
        {"gradient_accumulation_steps": 0},
        {"lr": 0.0},
        {"lr": 1.1},
        {"lr": True},
        {"head_lr": -1e-3},
        {"warmup_steps": -1},
        {"warmup_steps": 1.5},
        {"schedule": "step"},
        {"optimizer": "adamv"},
        {"layerwise_decay": 0.0},
        {"layerwise_decay": 1.1},
        {"max_grad_norm": 0.0},
        {"weight_decay": -0.1},
        {"l2": -1.0},
        {"l2_on": "head"},
        {"dropout": 1.0},
        {"freeze": "all"},
        {"freeze": "all-but-last-0"},
        {"class_weights": "balance"},
        {"class_weights": {}},
        {"class_weights": {"O": 0.0}},
        {"class_weights": {"O": -1.0}},
        {"patience": 0},
        {"seed": -1},
        {"seed": 2**32},
        {"fp16": 1},
        {"fp16": True, "bf16": True},
        {"crf": True, "class_weights": "balanced"},
        {"freeze": "encoder", "l2": 0.1},
        {"freeze": "encoder", "l2": 0.1, "l2_on": "distance"},
    ],
    ids=str,
)
def test_out_of_range_or_contradictory_is_refused(values):
    assert any(name in refusal(**values) for name in values)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["lr", "warmup_steps", "l2", "weight_decay", "max_grad_norm", "dropout"])
def test_numbers_that_are_none_are_refused(name, number):
    assert name in refusal(**{name: number})


def test_weights_that_are_no_numbers_are_refused():
    assert "class_weights" in refusal(class_weights={"O": math.nan})


def test_what_is_allowed():
    config = TrainConfig(lr=1, warmup_steps=0.1, class_weights={"O": 1}, freeze="all-but-last-12", l2=0.1)
    assert (config.lr, config.warmup_steps, config.batch_tokens) == (1.0, 0.1, 128 * 32)
    assert TrainConfig(freeze="encoder", l2=0.1, l2_on="all").l2_on == "all"


def test_frozen_and_replaced_with_the_same_checks():
    config = TrainConfig(epochs=2)
    with pytest.raises(ValueError, match="frozen"):
        config.epochs = 3
    assert config.replace(epochs=4).epochs == 4 and config.epochs == 2
    with pytest.raises(ConfigError, match="'epochs'"):
        config.replace(epochz=3)


def test_yaml_1_1_reads_2e_5_as_text_and_is_told_so(tmp_path):
    path = tmp_path / "options.yaml"
    path.write_text("lr: 2e-5\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"write 2\.0e-5"):
        config_from_yaml(path)
    path.write_text("lr: 2.0e-5\nfreeze: none\npatience: null\n", encoding="utf-8")
    config = config_from_yaml(path, {"epochs": 7})
    assert (config.lr, config.freeze, config.patience, config.epochs) == (2e-5, "none", None, 7)


@pytest.mark.parametrize("content", ["- epochs", "epochs", "3: 4", "a: [", "epochz: 3", "[a]: 1", b"\xff\xfe"])
def test_yaml_that_is_no_mapping_of_options(tmp_path, content):
    path = tmp_path / "options.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError):
        config_from_yaml(path)


def test_a_key_that_stands_twice_on_the_command_line_is_named():
    with pytest.raises(ConfigError, match=r"\{a: 1, a: 2\}: a stands here twice; keep one\."):
        parse_value("{a: 1, a: 2}")


def test_a_key_that_stands_twice_in_yaml_is_named_with_its_line(tmp_path):
    path = tmp_path / "options.yaml"
    path.write_text("epochs: 1\nlr: 1.0e-3\nepochs: 2\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"options\.yaml:3: not YAML: epochs stands here twice; keep one") as raised:
        config_from_yaml(path)
    assert "\n" not in str(raised.value)


def test_yaml_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        config_from_yaml(tmp_path / "nowhere.yaml")


def test_an_empty_yaml_is_the_default(tmp_path):
    (tmp_path / "empty.yaml").write_text("", encoding="utf-8")
    assert config_from_yaml(tmp_path / "empty.yaml") == TrainConfig()


def test_every_default_survives_the_command_line():
    """`-p NAME str(VALUE)` gives the value back, whatever the option is."""
    for name, value in TrainConfig().model_dump().items():
        assert TrainConfig(**{name: parse_value(str(value))}).model_dump()[name] == value


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.booleans())
def test_parse_value_is_the_reverse_of_str(value):
    parsed = parse_value(str(value))
    assert parsed == value and type(parsed) is type(value)
