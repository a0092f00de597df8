"""What the result file says, what it does not say, and what it says of other weights."""

from hanlp_tutor.encoders import weights_of
from hanlp_tutor.encoders.mini import LESSON_ENCODER
from hanlp_tutor.teach.lessons.l20.results import against_the_first, remedies, verdicts
from hanlp_tutor.teach.results import Experiment

TODAY = weights_of(LESSON_ENCODER)


def write(folder):
    experiment = Experiment("troubleshooting", {}, {}, folder)

    def measure(row, values, depends_on=TODAY):
        experiment.measure(row, range(len(values)), lambda seed: values[seed], depends_on=depends_on)

    measure("remedy/over-fitting/as it is", [{"dev": d, "gap": 0.5, "rise": 2.0, "left": 0.1} for d in (0.2, 0.3, 0.6)])
    measure("remedy/over-fitting/λ", [{"dev": d, "gap": 0.5, "rise": 2.0, "left": 0.1} for d in (0.3, 0.4, 0.5)])
    measure("remedy/over-fitting/old", [{"dev": 1.0, "gap": 0.0, "rise": 1.0, "left": 0.1}], {"weights": "others"})
    measure("fault/weibo/leak", [{"named": 1.0, "first": 0.0}, {"named": 1.0, "first": 1.0}])
    measure("fault/reviews/leak", [{"named": 0.0, "first": 0.0}])
    measure("healthy/weibo/00", [{"alarms": 0.0}])
    measure("healthy/weibo/01", [{"alarms": 2.0}])


def test_tables(tmp_path):
    write(tmp_path)
    row, remedy = remedies("over-fitting", tmp_path)
    assert row["run"] == "as it is" and row["best dev F1"] == "0.300 (0.200 to 0.600)" and row["ahead in"] == ""
    assert remedy["ahead in"] == "2 of 3 seeds"
    (name, compared), *_ = against_the_first("over-fitting", tmp_path).items()
    assert name == "λ" and abs(compared.difference - 0.1 / 3) < 1e-9 and not compared.excludes_zero
    assert against_the_first("over-fitting", tmp_path, measure="rise")["λ"].difference == 0
    assert verdicts(tmp_path) == [
        {"planted": "leak", "runs": "3", "named": "2", "first": "1"},
        {"planted": "nothing", "runs": "2", "named": "1 alarm", "first": ""},
    ]


def test_nothing_measured_says_how_to(tmp_path):
    assert against_the_first("over-fitting", tmp_path) == {}
    for (row,) in (remedies("slow convergence", tmp_path), verdicts(tmp_path)):
        assert "python -m experiments.troubleshooting" in next(iter(row.values()))
