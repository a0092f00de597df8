"""The picture of an audit says in words what it draws."""

import warnings

from hanlp_tutor.data import LabelledText
from hanlp_tutor.teach.lessons.l01.pictures import audit_picture
from hanlp_tutor.workbench.audit import audit


def texts(count, *labels):
    return [LabelledText(f"第{n}条评论", labels[n % len(labels)]) for n in range(count)]


def test_findings_and_shares():
    dev = [*texts(20, "good", "bad")[:3], LabelledText("新的\ufffd评\u200b论", "bad")]
    report = audit(texts(20, "good", "bad"), dev)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = audit_picture(report)
        assert picture.png().startswith(b"\x89PNG")
    assert "leak 3, odd-character 2" in picture.alt
    assert "train: bad 50%, good 50%; dev: bad 50%, good 50%." in picture.alt
    left, right = picture.figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == list(report.kinds())
    widths = sorted(round(bar.get_width()) for bar in left.patches)
    assert widths == [1, 1, 3]  # an error and a warning of odd-character, three leaks
    assert sorted(round(bar.get_width(), 2) for bar in right.patches) == [0.5, 0.5, 0.5, 0.5]


def test_no_finding_and_many_labels():
    picture = audit_picture(audit(texts(300, *(f"L{n:02}" for n in range(15)))))
    assert "Findings of the audit: none." in picture.alt
    assert len(picture.figure.axes[1].get_yticklabels()) == 12
    assert picture.png()
