"""The exercises of notebook 14; test_exercises.py holds the checks to these answers."""


def best_pair(components, modes, types):
    return max(types, key=lambda label: score(components, modes, label, lambda a, b: a * b))


def score(components, modes, label, together):
    component, mode = label.split("/")
    return together(components.get(component, 0), modes.get(mode, 0))


def by(together):
    return lambda components, modes, types: max(types, key=lambda label: score(components, modes, label, together))


def apart(components, modes, types):
    return f"{max(components, key=components.get)}/{max(modes, key=modes.get)}"


RIGHT = {
    "q14_1": [best_pair],
    "q14_3": [1 - 0.99**20, "0.182"],
    "q14_2": [(0.2, 0.18)],
}
WRONG = {
    "q14_1": [
        (apart, "no type together"),
        (by(lambda a, b: a), "component alone"),
        (by(lambda a, b: b), "mode alone"),
        (by(lambda a, b: a + b), "multiplied, not added"),
        (by(min), "weaker half"),
        (lambda components, modes, types: "valve/unknown", "the best type is"),
        ("valve/leaking", "wants a function"),
    ],
    "q14_3": [
        (0.01, "20 of them"),
        (0.2, "counts shifts"),
        (0.99**20, "all 20 stay below"),
        (20, "between 0 and 1"),
        (0.3, "all 20 stay below p99?"),
    ],
    "q14_2": [((0.9, 0.18), "not the same as novelty"), ((0.0, 0.18), "82%")],
}
