"""The service as its clients see it: the predictor's answers, limits with reasons, a token, no text in a log."""

import asyncio
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from hanlp_tutor import Predictor, load_corpus
from hanlp_tutor.errors import ModelError

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
pytest.importorskip("httpx", reason="FastAPI's test client needs it")

from fastapi.testclient import TestClient

from hanlp_tutor.serving import Batching, Limits, create_app
from hanlp_tutor.serving.gate import JsonLines
from hanlp_tutor.serving.opening import open_model

TEXTS = [example.text for example in load_corpus("peoples_daily").test[:60]]
TEXT = "😀王小明昨天从上海飞往北京。"


@pytest.fixture(scope="module")
def client(tagger):
    with TestClient(create_app(tagger, limits=Limits(texts=100, characters=2000, body=100_000))) as client:
        yield client


def near(found, expected):
    """The same answers; scores may differ in the last digits, as a batch is padded to its longest text."""
    assert json.loads(json.dumps(found), parse_float=lambda _: 0) == json.loads(
        json.dumps(expected), parse_float=lambda _: 0
    )


def test_one_text_as_the_article_asks_and_in_json(client, tagger):
    expected = Predictor(tagger).predict(TEXT)
    assert expected["entities"]
    near(client.post("/predict", params={"text": TEXT}).json(), expected)
    near(client.post("/predict", json={"text": TEXT}).json(), expected)


def test_an_address_bar_asks_too_and_what_cannot_be_read_says_so(client, tagger):
    near(client.get("/predict", params={"text": TEXT}).json(), Predictor(tagger).predict(TEXT))
    assert client.get("/predict?text=%C4%E3").status_code == 422
    nothing = client.get("/predict")
    assert nothing.status_code == 405 and "by POST" in nothing.json()["detail"]
    chinese = client.post(
        "/predict", content='{"text": "你好"}'.encode("gb18030"), headers={"Content-Type": "application/json"}
    )
    assert chinese.status_code == 400 and "UTF-8" in chinese.json()["detail"]


def test_a_list_keeps_its_order(client, tagger):
    reply = client.post("/predict", json={"texts": [*TEXTS, "", " "]})
    near(reply.json()["answers"], Predictor(tagger).predict_many([*TEXTS, "", " "]))
    assert client.post("/predict", json={"texts": []}).json() == {"answers": []}


def test_many_clients_at_once_get_what_one_gets(tagger):
    """16 threads share one predictor, made of a model in training mode."""
    expected = Predictor(tagger).predict_many(TEXTS)
    try:
        tagger.train()
        patient = Batching(deadline=600.0)  # on a busy machine too; what is refused when it is short is tested below
        with TestClient(create_app(tagger, batching=patient)) as client, ThreadPoolExecutor(16) as pool:
            found = list(pool.map(lambda text: client.post("/predict", json={"text": text}).json(), TEXTS))
            metrics = client.get("/metrics").text
    finally:
        tagger.eval()
    near(found, expected)
    rows = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if not line.startswith("#"))
    assert float(rows["hanlp_tutor_texts_total"]) == len(TEXTS)
    assert float(rows['hanlp_tutor_requests_total{path="/predict",status="200"}']) == len(TEXTS)
    assert float(rows["hanlp_tutor_batch_texts_count"]) < len(TEXTS)  # some were computed together


def test_a_class_with_its_probabilities(classifier):
    text = load_corpus("reviews").test[0].text
    with TestClient(create_app(classifier)) as client:
        answer = client.post("/predict", json={"text": text}).json()
        about = client.get("/model").json()
    plain = Predictor(classifier).predict(text)
    assert (answer["label"], answer["score"]) == (plain["label"], pytest.approx(plain["score"], abs=1e-6))
    assert answer["probabilities"][answer["label"]] == pytest.approx(answer["score"])
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    assert about["labels"] == list(classifier.labels) and about["examples"]


def test_relations_take_pairs(relations):
    pair = {"head": "阿司匹林", "tail": "头痛", "text": "头痛，予阿司匹林口服。"}
    with TestClient(create_app(relations)) as client:
        answer = client.post("/predict", json={"pair": pair}).json()
        absent = client.post("/predict", json={"pairs": [{**pair, "head": "布洛芬"}]})
        wrong = client.post("/predict", json={"text": "头痛"})
    plain = Predictor(relations).predict(pair)
    assert {name: answer[name] for name in plain} == {**plain, "score": pytest.approx(plain["score"], abs=1e-6)}
    assert absent.status_code == 422 and "布洛芬" in absent.json()["detail"]
    assert wrong.status_code == 422 and "pair" in wrong.json()["detail"]


@pytest.mark.parametrize(
    "request_, status, reason",
    [
        ({"json": {}}, 422, "either text or texts"),
        ({"json": {"text": "a", "texts": []}}, 422, "either text or texts"),
        ({"json": {"text": 3}}, 422, "text: Input should be a valid string"),
        ({"json": {"texts": ["a", None]}}, 422, "texts.1: Input should be a valid string"),
        ({"json": {"text": "a", "model": "x"}}, 422, "unknown field"),
        ({"json": ["a"]}, 422, "JSON object"),
        ({"content": b'{"text": "a"}'}, 422, "Content-Type: application/json"),
        ({}, 422, "no text"),
        ({"json": {"text": "a"}, "params": {"text": "a"}}, 422, "not in both"),
        (
            {"json": {"text": "a" * 2001}},
            422,
            "at most 2000 characters (whoever starts the service sets --max-characters)",
        ),
        ({"json": {"texts": ["a"] * 101}}, 422, "sets --max-texts"),
        ({"json": {"text": "长" * 40_000}}, 413, "more than 100,000 bytes"),
    ],
)
def test_what_is_refused_says_why(client, request_, status, reason):
    reply = client.post("/predict", **request_)
    assert reply.status_code == status and reason in reply.json()["detail"], reply.text
    assert reply.headers["x-request-id"]


@pytest.mark.parametrize(
    "body", [b"{", b"", b"\xff\xfe", b'{"text": "\\ud800"}', b"[" * 90_000, b'{"text": NaN}', b"null", b'"a"']
)
def test_broken_bodies_are_the_client_s_fault(client, body):
    reply = client.post("/predict", content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code in (400, 422) and isinstance(reply.json()["detail"], str), reply.text


def test_a_text_in_the_address_that_is_not_utf_8_is_refused(client):
    in_gbk = client.post("/predict?text=%C4%E3")
    assert in_gbk.status_code == 422 and "UTF-8" in in_gbk.json()["detail"]
    assert client.post("/predict?text=%EF%BF%BD").json()["text"] == "\ufffd"


def test_odd_texts_come_back_as_they_were(client):
    for text in ("\0", "\u202eabc\u202c", "a\r\nb\tc", "👨‍👩‍👧", "\ufeff甲", "é"):
        assert client.post("/predict", json={"text": text}).json()["text"] == text


def test_a_full_queue_is_429_with_a_time(tagger):
    held, model = threading.Event(), open_model(tagger)
    answer = model.answer

    def waits(inputs):
        held.wait(10)
        return answer(inputs)

    held.set()
    app = create_app(model, batching=Batching(texts=1, queue=1, wait=0))
    app.state.batcher._answer = waits
    held.clear()
    with TestClient(app) as client, ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(client.post, "/predict", json={"text": "上海"}) for _ in range(8)]
        while sum(each.done() for each in asked) < 6:
            threading.Event().wait(0.01)
        held.set()
        replies = [each.result() for each in asked]
    refused = [reply for reply in replies if reply.status_code == 429]
    assert len(refused) == 6 and all(int(reply.headers["retry-after"]) >= 1 for reply in refused)
    assert all(reply.status_code == 200 for reply in replies if reply not in refused)


def test_a_token(tagger):
    with TestClient(create_app(tagger, token="secret")) as client:
        for wrong in (None, "Bearer wrong", "Basic secret", "", "Bearer", "Bearer sécret".encode()):
            headers = {} if wrong is None else {"Authorization": wrong}
            reply = client.post("/predict", json={"text": "上海"}, headers=headers)
            assert reply.status_code == 401 and reply.headers["www-authenticate"] == "Bearer"
        assert client.get("/model").status_code == client.get("/metrics").status_code == 401
        assert client.get("/openapi.json").status_code == 401
        right = {"Authorization": "Bearer secret"}
        assert client.post("/predict", json={"text": "上海"}, headers=right).status_code == 200
        assert client.get("/health/ready").status_code == client.get("/").status_code == 200
        assert client.get("/health").json() == {"status": "ready"}
        assert "/health" not in client.get("/openapi.json", headers=right).json()["paths"]


def test_no_cors_unless_asked(tagger):
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    with TestClient(create_app(tagger)) as client:
        assert "access-control-allow-origin" not in client.options("/predict", headers=asked).headers
    with TestClient(create_app(tagger, cors=["https://example.org"])) as client:
        reply = client.options("/predict", headers=asked)
        assert reply.headers["access-control-allow-origin"] == "https://example.org"
        other = client.options("/predict", headers={**asked, "Origin": "https://example.com"})
        assert "access-control-allow-origin" not in other.headers


def test_a_browser_elsewhere_may_ask_first_and_brings_the_token_then(tagger):
    origin = {"Origin": "https://example.org"}
    first = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    with TestClient(create_app(tagger, token="secret", cors=["https://example.org"])) as client:
        assert client.options("/predict", headers=first).status_code == 200
        refused = client.post("/predict", json={"text": "上海"}, headers=origin)
        assert refused.status_code == 401 and refused.headers["access-control-allow-origin"] == "https://example.org"
        right = {**origin, "Authorization": "Bearer secret"}
        assert client.post("/predict", json={"text": "上海"}, headers=right).status_code == 200


def test_the_log_has_the_id_and_never_the_text(client, caplog):
    with caplog.at_level(logging.INFO, logger="hanlp_tutor.serving"):
        client.post("/predict", params={"text": "王小明"}, headers={"X-Request-ID": "my-id"})
        client.post("/predict", json={"texts": ["王小明", 3]}, headers={"X-Request-ID": "bad id\twith space"})
    ours = [record for record in caplog.records if record.name == "hanlp_tutor.serving"]
    lines = [json.loads(JsonLines().format(record)) for record in ours]
    assert [line["status"] for line in lines] == [200, 422] and lines[0]["id"] == "my-id" != lines[1]["id"]
    assert lines[0]["texts"] == 1 and lines[0]["characters"] == 3 and lines[0]["path"] == "/predict"
    assert "王小明" not in caplog.text and "王小明" not in json.dumps(lines, ensure_ascii=False)


def test_a_bug_is_told_by_its_place_not_by_its_message(tagger, caplog):
    app = create_app(tagger)

    def broken(inputs):
        raise RuntimeError(f"cannot read {inputs}")

    app.state.batcher._answer = broken
    with TestClient(app, raise_server_exceptions=False) as client, caplog.at_level(logging.INFO):
        reply = client.post("/predict", json={"text": "王小明"})
    assert reply.status_code == 500 and reply.headers["x-request-id"] in reply.json()["detail"]
    ours = [record for record in caplog.records if record.name == "hanlp_tutor.serving"]
    told = [json.loads(JsonLines().format(record)) for record in ours]
    assert told[-1]["error"] == "RuntimeError" and any("test_app.py" in place for place in told[-1]["at"])
    assert "王小明" not in json.dumps(told, ensure_ascii=False) + reply.text


def test_what_is_served_is_told(tagger_folder):
    import hashlib

    with TestClient(create_app(tagger_folder)) as client:
        about = client.get("/model").json()
        described = client.get("/openapi.json").json()
    assert about["labels"] == ["LOC", "ORG", "PER"] and about["kind"] == "kit" and about["card"]["crf"] is True
    assert about["checksum"] == hashlib.sha256((tagger_folder / "model.safetensors").read_bytes()).hexdigest()
    examples = described["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    with TestClient(create_app(tagger_folder)) as client:
        for example in examples.values():
            assert client.post("/predict", json=example["value"]).status_code == 200


def test_the_page_brings_its_policy_and_nothing_from_outside(client):
    reply = client.get("/")
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    for name in ("/", "/page.js", "/page.css"):
        content = client.get(name).text
        assert "innerHTML" not in content
        assert not [w for w in content.replace("http://www.w3.org/2000/svg", "").split() if "http" in w and "//" in w]


def test_relations_and_words_from_onnx(relations, multitask_model, tmp_path):
    """As the kit's own folders are served."""
    pytest.importorskip("onnxruntime")
    from hanlp_tutor.serving.onnx_export import export_onnx

    pair = {"head": "阿司匹林", "tail": "头痛", "text": "头痛，予阿司匹林口服。"}
    asked = {
        "relation": (relations, [{"pair": pair}, {"pairs": [pair, pair]}, {"pair": {**pair, "head": "布洛芬"}}]),
        "multitask": (multitask_model, [{"text": TEXTS[0]}, {"texts": [*TEXTS[1:4], "", " "]}]),
    }
    for task, (model, requests) in asked.items():
        folder, answers, about = export_onnx(model, tmp_path / task), [], []
        for each in (model, folder):
            with TestClient(create_app(each)) as client:
                answers.append([client.post("/predict", json=request) for request in requests])
                about.append(client.get("/model").json())
                assert client.post("/predict", json={"wrong": 1}).status_code == 422
        for ours, theirs in zip(*answers, strict=True):
            assert (ours.status_code, rounded(ours.json())) == (theirs.status_code, rounded(theirs.json()))
        assert [each["task"] for each in about] == [task, task] and about[1]["kind"] == "onnx"
        assert about[0]["labels"] == about[1]["labels"] and about[0]["examples"] == about[1]["examples"]


def rounded(answer):
    if isinstance(answer, dict):
        return {name: rounded(value) for name, value in answer.items()}
    if isinstance(answer, list):
        return [*map(rounded, answer)]
    return pytest.approx(answer, abs=1e-4) if isinstance(answer, float) else answer


@pytest.mark.parametrize("kind", ["hanlp", "onnx"])
def test_other_folders_answer_alike(kind, tagger, tmp_path):
    if kind == "hanlp":
        from hanlp_tutor import export_hanlp

        folder = export_hanlp(tagger, tmp_path / "model")
    else:
        pytest.importorskip("onnxruntime")
        from hanlp_tutor.serving.onnx_export import export_onnx

        folder = export_onnx(tagger, tmp_path / "model")
    expected = Predictor(tagger).predict_many(TEXTS[:20])
    with TestClient(create_app(folder)) as client:
        found = client.post("/predict", json={"texts": [*TEXTS[:20], ""]}).json()["answers"]
        about = client.get("/model").json()
    assert about["kind"] == kind and about["labels"] == ["LOC", "ORG", "PER"] and len(about["checksum"]) == 64
    places = [[(e["start"], e["end"], e["label"], e["text"]) for e in each["entities"]] for each in expected]
    assert [[(e["start"], e["end"], e["label"], e["text"]) for e in a["entities"]] for a in found] == [*places, []]


@pytest.mark.parametrize("kind", ["kit", "hanlp"])
def test_several_tasks_at_once(kind, small_encoder, tmp_path):
    from hanlp_tutor import TrainConfig, build_model, export_hanlp

    tags = {"tok": "BMES", "pos": ("NN", "VV", "PU"), "ner": ("O", "B-PER", "I-PER")}
    labels = [f"{task}/{tag}" for task, each in tags.items() for tag in each]
    model = build_model("multitask", small_encoder, labels, TrainConfig()).eval()
    served = export_hanlp(model, tmp_path / "model") if kind == "hanlp" else model
    expected = Predictor(model).predict_many(TEXTS[:10])
    with TestClient(create_app(served)) as client:
        found = client.post("/predict", json={"texts": [*TEXTS[:10], ""]}).json()["answers"]
        about = client.get("/model").json()
    assert found[-1]["text"] == "" and len(found) == 11
    if kind == "kit":
        near(found[:-1], expected)
        assert about["labels"]["ner"] == ["PER"]
    else:
        words = [next(value for name, value in each.items() if name.startswith("tok")) for each in found[:-1]]
        assert words == [each["tok"] for each in expected] and about["task"] == "multitask"


def test_a_hanlp_folder_with_a_class_that_nobody_knows_is_refused(tagger, tmp_path):
    from hanlp_tutor import export_hanlp

    folder = export_hanlp(tagger, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "classpath": "os.system"}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"os\.system"):
        create_app(folder)


def test_a_slow_body_is_given_up(tagger):
    app = create_app(tagger, limits=Limits(seconds=0.05))
    sent = []

    async def never():
        await asyncio.sleep(5)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/predict", "raw_path": b"/predict", "query_string": b"",
             "headers": [], "http_version": "1.1", "scheme": "http", "server": ("test", 80), "client": ("test", 1),
             "root_path": ""}  # fmt: skip
    asyncio.run(app(scope, never, send))
    assert sent[0]["status"] == 408
    app.state.batcher.close()
