"""What can be searched, how it is written, and what is refused with which words."""

import pytest

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.errors import ConfigError
from hanlp_tutor.workbench.tuning.space import Range, describe_space, parse_pairs, read_space

CONFIG = TrainConfig()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("lr", "1e-5..1e-3:log", Range(1e-5, 1e-3, log=True)),
        ("dropout", "0..0.3", Range(0.0, 0.3)),
        ("epochs", "2..10", Range(2, 10)),
        ("batch_size", "8,16,32", [8, 16, 32]),
        ("batch_size", [16, 8, 16], [16, 8]),
        ("crf", "true,false", [True, False]),
        ("schedule", "linear,cosine", ["linear", "cosine"]),
        ("patience", "none,3", [None, 3]),
        ("warmup_steps", "0..0.2", Range(0.0, 0.2)),
        ("warmup_steps", "0..100", Range(0, 100)),
        ("weight_decay", "0..1", Range(0.0, 1.0)),  # a field of float, so no whole numbers only
        ("lr", Range(1e-4, 1e-2, log=True), Range(1e-4, 1e-2, log=True)),
    ],
)
def test_reading(name, text, expected):
    (read,) = read_space({name: text}, CONFIG).values()
    assert read == expected
    ends = [read.low, read.high] if isinstance(read, Range) else read
    assert [type(end) for end in ends] == [
        type(end) for end in (expected if isinstance(expected, list) else [expected.low, expected.high])
    ]


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({}, ["empty"]),
        ({"learning_rat": "1e-5..1e-3"}, ["learning_rat"]),
        ({"bach_size": "8,16"}, ["bach_size", "Did you mean 'batch_size'"]),
        ({"seed": "1,2,3"}, ["seed", "luck"]),
        ({"eval_steps": "1,2"}, ["eval_steps"]),
        ({"lr": "1e-3..1e-5:log"}, ["empty", "smaller number comes first"]),
        ({"lr": "0..1e-3:log"}, ["logarithmic", "above 0"]),
        ({"lr": "1e-5,1e-3:log"}, ["only a range"]),
        ({"lr": "low..high"}, ["from a number to a number"]),
        ({"lr": "1e-5..2"}, ["lr=2.0", "less than or equal to 1"]),
        ({"dropout": "0,0.5,1"}, ["dropout=1"]),
        ({"batch_size": "0..4"}, ["batch_size=0"]),
        ({"batch_size": "8.5..16"}, ["batch_size=8.5"]),
        ({"schedule": "linear,cosin"}, ["schedule='cosin'"]),
        ({"batch_size": ","}, ["no value"]),
        ({"class_weights": [{"O": 1.0}, None]}, ["class_weights"]),
    ],
)
def test_refused(space, words):
    with pytest.raises((ConfigError, TypeError)) as error:
        read_space(space, CONFIG)
    assert isinstance(error.value, ConfigError), error.value
    for word in words:
        assert word in str(error.value)


def test_evaluations_have_to_be_comparable():
    config = TrainConfig(eval_steps=10)
    assert read_space({"lr": "1e-5..1e-3"}, config)
    with pytest.raises(ConfigError, match="eval_steps"):
        read_space({"batch_size": "8,16"}, config)


def test_pairs_of_a_command_line():
    assert parse_pairs(["lr=1e-5..1e-3:log", "batch_size = 8,16 "]) == {
        "lr": "1e-5..1e-3:log",
        "batch_size": "8,16",
    }
    for pairs in (["lr"], ["=3"], ["lr="], ["lr=1,2", "lr=3,4"]):
        with pytest.raises(ConfigError, match="--space"):
            parse_pairs(pairs)


def test_described_and_read_again_is_the_same():
    space = read_space({"lr": "1e-5..1e-3:log", "dropout": "0..0.3", "epochs": "2..10", "batch_size": "8,16"}, CONFIG)
    assert read_space(describe_space(space), CONFIG) == space


def test_a_share_of_a_range():
    assert Range(1e-5, 1e-3, log=True).at(0.5) == pytest.approx(1e-4)
    assert (Range(1e-5, 1e-3, log=True).at(0.0), Range(1e-5, 1e-3, log=True).at(1.0)) == (1e-5, 1e-3)
    assert Range(0.0, 0.3).at(0.5) == pytest.approx(0.15)
    assert Range(2, 10).at(0.5) == 6 and type(Range(2, 10).at(0.3)) is int
