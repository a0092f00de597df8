"""The exercises of notebook 00; test_exercises.py holds the checks to these answers."""

FORMATS = {(8, 0): "bf16", (7, 0): "fp16", (0, 0): "float32"}


def fastest(capability):
    return next(name for least, name in FORMATS.items() if capability >= least)


RIGHT = {
    "q00_1": [(30, 28.6), ("25", 28.6), (60, 55.0)],
    "q00_2": [lambda text, entity: text[entity["start"] : entity["end"]]],
    "q00_3": [73.6, "73.6", 92.3 - 18.7],
    "q00_4": [fastest],
}
WRONG = {
    "q00_1": [((90, 28.6), "You said 90; the run shows 28.6. The encoder has read"), ((10, 60.0), "More than half")],
    "q00_4": [
        (lambda capability: "bf16", "emulated"),
        (lambda capability: "fp16", "loss scaling"),
        (lambda capability: "bf16" if capability >= (8, 0) else "fp16", "P40"),
        (lambda capability: "int8", "expected is"),
        ("fp16", "function"),
    ],
    "q00_3": [
        (92.3 / 1.187, "divided"),
        (92.3 * 0.813, "18.7 %"),
        (111.0, "worse"),
        (0.736, "fraction"),
        (50, "not it"),
    ],
    "q00_2": [
        (lambda text, entity: text[entity["start"] : entity["end"] + 1], "too long"),
        (lambda text, entity: text[entity["start"]], "not"),
        (lambda text, entity: text.encode()[entity["start"] : entity["end"]], "not"),
        (lambda text, entity: entity["text"], "KeyError"),
    ],
}


def test_the_exercise_agrees_with_the_kit(monkeypatch):
    import torch

    from hanlp_tutor.device import is_fast
    from hanlp_tutor.teach.lessons.l00.checks import _GPUS

    for capability, name, right in _GPUS:
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device, capability=capability: capability)
        fast = [kind for kind in ("bf16", "fp16") if is_fast(torch.device("cuda"), kind)]
        assert [*fast, "float32"][0] == right, name
