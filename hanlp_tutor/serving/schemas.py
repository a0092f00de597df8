"""What the service takes and gives, as OpenAPI describes it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model, model_validator

from hanlp_tutor.serving.gate import Limits

_STRICT = ConfigDict(extra="forbid", strict=True)


def request_of(limits: Limits, *, pairs: bool) -> type[BaseModel]:
    """The body of ``POST /predict``: one text or pair, or a list of them."""
    text = Annotated[str, StringConstraints(max_length=limits.characters)]
    entity = Field(description="of the text, as it stands there")
    pair = create_model("Pair", __config__=_STRICT, head=(text, entity), tail=(text, entity), text=(text, ...))
    one, several, kind = ("pair", "pairs", pair) if pairs else ("text", "texts", text)

    def exactly_one(request: Any) -> Any:
        if (getattr(request, one) is None) == (getattr(request, several) is None):
            raise ValueError(f"send either {one} or {several}")
        return request

    # for the description: one of the fields, and not null
    either = [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in (one, several)]
    return create_model(
        f"{one.title()}Request",
        __config__=ConfigDict(**_STRICT, json_schema_extra={"oneOf": either}),
        __validators__={"exactly_one": model_validator(mode="after")(exactly_one)},
        **{one: (kind | None, None), several: (list[kind] | None, Field(None, max_length=limits.texts))},
    )


class Entity(BaseModel):
    """``text[start:end]`` in Unicode code points."""

    start: int
    end: int
    label: str
    text: str
    score: float | None = None


class Entities(BaseModel):
    """Of a model of named entities."""

    text: str
    entities: list[Entity]


class Class(BaseModel):
    """Of a classifier."""

    text: str
    label: str
    score: float | None = None
    probabilities: dict[str, float] | None = Field(None, description="of the likeliest classes, at most ten")


class Relation(BaseModel):
    """Of a model of relations."""

    text: str
    head: str
    tail: str
    relation: str
    score: float
    probabilities: dict[str, float]
    cut: bool | None = Field(None, description="the text was longer than the model's window: a part was read")


class Words(BaseModel):
    """Of a model of several tasks: a list for each."""

    model_config = ConfigDict(extra="allow")
    text: str


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


ANSWERS = {"ner": Entities, "classify": Class, "relation": Relation}


def answers_of(task: str) -> Any:
    """What ``POST /predict`` returns: the answer to one input, or ``{"answers": [...]}`` to a list."""
    one = ANSWERS.get(task, Words)

    class Answers(BaseModel):
        answers: list[one]  # type: ignore[valid-type]

    return one | Answers
