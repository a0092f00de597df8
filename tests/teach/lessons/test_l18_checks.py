"""The exercises of notebook 18; test_exercises.py holds the checks to these answers."""

import torch


def with_places(characters, x, y, x_table, y_table):
    return characters + x_table[x] + y_table[y]


SEEN = {"header": 0.01, "text": 0.02, "table": 0.21}

RIGHT = {
    "q18_1": [with_places, lambda c, x, y, tx, ty: c + tx[x] + torch.nn.functional.embedding(y, ty)],
    "q18_2": [(["table", "text", "header"], SEEN), (["table", "header", "text"], SEEN)],
}
WRONG = {
    "q18_1": [
        (lambda c, x, y, tx, ty: torch.cat([c, tx[x], ty[y]], -1), "joined"),
        (lambda c, x, y, tx, ty: c + (x + y).unsqueeze(-1), "A bucket is a name"),
        (lambda c, x, y, tx, ty: c + tx[x], "from the top are missing"),
        (lambda c, x, y, tx, ty: c + ty[y], "from the left are missing"),
        (lambda c, x, y, tx, ty: c + tx[x] + tx[y], "one table"),
        (lambda c, x, y, tx, ty: tx[x] + ty[y], "characters are missing"),
        (lambda c, x, y, tx, ty: c, "expected"),
        (7, "wants a function"),
    ],
    "q18_2": [
        ((["text", "table", "header"], SEEN), "column says what it is"),
        ((["table"], SEEN), "each once"),
    ],
}
