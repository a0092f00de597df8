"""Services of notebook 19: started on a free port, stopped with the block, told why they did not start; its tables."""

import json

import pytest

from hanlp_tutor.errors import TutorError
from hanlp_tutor.teach.lessons.l19 import results
from hanlp_tutor.teach.lessons.l19.listing import ARTICLE_SERVICE, write_article_service
from hanlp_tutor.teach.lessons.l19.services import Service, ask


def rows_of(table):
    return table.frame.to_dict("records")


def test_a_service_answers_and_ends_with_its_block(tmp_path):
    with Service(["-m", "http.server", "PORT", "--bind", "127.0.0.1", "--directory", str(tmp_path)], "") as service:
        assert ask(service, "")[0] == 200 and ask(service, "absent")[0] == 404
        assert service.mib > 1
        process = service.process
    assert process.poll() is not None


def test_what_does_not_start_says_why():
    with pytest.raises(TutorError, match="No module named nothing_of_that_name"):
        Service(["-m", "nothing_of_that_name"], "")


def test_the_listing_is_python_and_that_of_the_article(tmp_path):
    assert write_article_service(tmp_path / "new") == "article_service:app"
    compile((tmp_path / "new" / "article_service.py").read_text(encoding="utf-8"), "service", "exec")
    assert "async def predict(text: str):\n    return hanlp(text)" in ARTICLE_SERVICE


def test_tables_say_what_is_measured_and_what_is_not(tmp_path):
    assert results.measured_on(tmp_path) == results.UNMEASURED
    assert results.unlucky(folder=tmp_path) == results.memory_in_the_second_half(tmp_path) == results.UNMEASURED
    assert results.UNMEASURED in results.latency_table(tmp_path).frame.iloc[0]["1 client"]
    latency = {"p50_ms": 10.0, "p99_ms": 20.5, "per_second": 99.6, "memory_mb": 400.0}
    over = {"capacity": 100, "offered": 199.5, "answered": 3000, "refused": 2900, "lost": 0, "wrong": 1, "failed": 1,
            "p50_ms": 100, "p99_ms": 800, "memory_growth": 0.012}  # fmt: skip
    worse = {**latency, "p99_ms": 10.4, "per_second": 120.0}
    rows = {"latency/kit/16": latency, "latency/article/16": worse, "latency/kit, one by one/16": latency,
            "overload": over, "one text/int8": latency, "bulk/int8": {"per_second": 1234.0}}  # fmt: skip
    content = {"device": "a laptop", "versions": {"torch": "2"}, "date": "2026-11-28T", "schema": 1, "settings": {},
               "rows": {name: {"median": row} for name, row in rows.items()}}  # fmt: skip
    (tmp_path / "serving.json").write_text(json.dumps(content), encoding="utf-8")
    kit = next(row for row in rows_of(results.latency_table(tmp_path)) if row["service"] == "hanlp-tutor serve")
    assert kit["16 clients"] == "10.0 / 20.5; 100/s" and kit["MiB"] == "400"
    shown = {row["under twice of it"]: row["measured"] for row in rows_of(results.overload_table(tmp_path))}
    assert shown["lost or wrong"] == "2" and shown["refused with 429"] == "2,900"
    unlucky = results.unlucky(folder=tmp_path)
    assert "more than 20 ms, where the article's takes 10 ms: the tail is longer" in unlucky
    assert "100 requests a second and the article's service 120: fewer" in unlucky
    assert results.memory_in_the_second_half(tmp_path) == "The memory hardly changed in the second half (+1.2%)."
    content["rows"]["overload"]["median"]["memory_growth"] = 0.187
    (tmp_path / "serving.json").write_text(json.dumps(content), encoding="utf-8")
    assert "grew by 18.7% in the second half; a minute" in results.memory_in_the_second_half(tmp_path)
    int8 = next(row for row in rows_of(results.model_table(tmp_path)) if row["model"] == "ONNX in 8 bits")
    assert int8["reviews a second"] == "1,234" and int8["a synthetic log through HTTP, p50 / p99 ms"] == "–"
    assert results.measured_on(tmp_path) == "a laptop, torch 2, 2026-11-28"
