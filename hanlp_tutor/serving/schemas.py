"""What the service takes and gives, as OpenAPI describes it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from hanlp_tutor.serving.gate import Limits

_STRICT = ConfigDict(extra="forbid", strict=True)


def request_of(limits: Limits, *, pairs: bool) -> type[BaseModel]:
    """The body of ``POST /predict``: one text or pair, or a list of them."""
    Text = Annotated[str, StringConstraints(max_length=limits.characters)]
    several = Field(None, max_length=limits.texts)

    if pairs:

        class Pair(BaseModel):
            model_config = _STRICT
            head: Text = Field(description="the first entity, as it stands in the text")
            tail: Text = Field(description="the second")
            text: Text

        class PairRequest(BaseModel):
            model_config = ConfigDict(**_STRICT, json_schema_extra=_one_of("pair", "pairs"))
            pair: Pair | None = Field(None, description="a text and two of its entities")
            pairs: list[Pair] | None = several

            @model_validator(mode="after")
            def _one(self) -> Any:
                return _exactly_one(self, "pair", "pairs")

        return PairRequest

    class TextRequest(BaseModel):
        model_config = ConfigDict(**_STRICT, json_schema_extra=_one_of("text", "texts"))
        text: Text | None = Field(None, description="one text")
        texts: list[Text] | None = several

        @model_validator(mode="after")
        def _one(self) -> Any:
            return _exactly_one(self, "text", "texts")

    return TextRequest


def _one_of(*names: str) -> dict[str, Any]:
    """For the description: one of the fields, and not null."""
    return {"oneOf": [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in names]}


def _exactly_one(request: Any, one: str, several: str) -> Any:
    if (getattr(request, one) is None) == (getattr(request, several) is None):
        raise ValueError(f"send either {one} or {several}")
    return request


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
