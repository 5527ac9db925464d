"""What a query string may hold: read strictly, from the models that also describe it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError
from starlette.requests import Request

from interfaces.http.problems import bad_request

MAX_POSITION = 2**63 - 1
MAX_DIGITS = 19


class Parameters(BaseModel):
    """Each field says what it is for, with an example: it is what `/docs` shows."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    repeated: ClassVar[frozenset[str]] = frozenset()  # may be given more than once: lists


Asked = TypeVar("Asked", bound=Parameters)


def whole_number(text: object) -> object:
    """Python would take `1_000` and ` ١ ` too."""
    if isinstance(text, str) and not (text.isascii() and text.isdecimal()):
        raise PydanticCustomError("whole_number", "it must be a whole number")
    if isinstance(text, str) and len(text) > MAX_DIGITS:
        raise PydanticCustomError("whole_number", "no number is that large")
    return text


def comma_separated(text: object) -> object:
    return text.split(",") if isinstance(text, str) else text


def true_or_false(text: object) -> object:
    """Python would take `yes` and `1` too."""
    if isinstance(text, str) and text not in {"true", "false"}:
        raise PydanticCustomError("true_or_false", "it must be true or false")
    return text


TrueOrFalse = Annotated[bool, BeforeValidator(true_or_false)]
PositionParameter = Annotated[int, Field(ge=0, le=MAX_POSITION), BeforeValidator(whole_number)]
# Begins and ends with neither space nor control character: those are no part of a name.
WORKSPACE_NAME = r"^[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,98}[^\s\x00-\x1f\x7f])?$"
WorkspaceName = Annotated[
    str,
    Field(
        description="The name of the workspace: 1 to 100 printable characters. Case and "
        "surrounding space do not matter.",
        examples=["team"],
        min_length=1,
        json_schema_extra={"maxLength": 100, "pattern": WORKSPACE_NAME},
    ),
]


def read_parameters(request: Request, model: type[Asked], how: str = "") -> Asked:
    """
    Args:
        how: what to say in addition where a parameter is missing.

    Raises:
        RequestError: with a sentence that names the parameter and what is possible.
    """
    given = pairs(request, model.repeated)
    known = {field.alias or name: field for name, field in model.model_fields.items()}
    for name in given:
        if name not in known:
            names = f"there are {', '.join(sorted(known))}" if known else "none is taken here"
            raise bad_request(f"there is no parameter {name[:100]!r}; {names}")
    for name, field in known.items():
        if field.is_required() and not given.get(name):
            raise bad_request(f"the parameter {name!r} is missing" + (f"; {how}" if how else ""))
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise bad_request(sentence(error.errors()[0])) from None


def pairs(request: Request, repeated: Collection[str] = ()) -> Mapping[str, str]:
    """
    Args:
        repeated: those whose values are joined by commas.

    Raises:
        RequestError: if one of the others is given twice.
    """
    query = request.scope["query_string"].decode("latin-1")
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, errors="replace"):
        if name in found and name not in repeated:
            raise bad_request(f"the parameter {name[:100]!r} was given more than once")
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def sentence(error: ErrorDetails) -> str:
    name = error["loc"][0] if error["loc"] else "?"
    message = error["msg"][0].lower() + error["msg"][1:]
    return f"the parameter {name!r}: {message}"


def no_parameters(request: Request) -> None:
    """
    Raises:
        RequestError: if there are any.
    """
    read_parameters(request, Parameters)


def described(model: type[Parameters]) -> list[dict[str, Any]]:
    """As OpenAPI wants them."""
    schema = model.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            **with_example(
                about.pop("description"),
                about.pop("examples", [None])[0],
                required=name in schema.get("required", ()),
            ),
            **(
                {"style": "form", "explode": name in model.repeated}
                if about.get("type") == "array"
                else {}
            ),
            "schema": about,
        }
        for name, about in ((n, plain(p)) for n, p in schema["properties"].items())
    ]


def with_example(description: str, example: Any, *, required: bool) -> dict[str, Any]:
    """
    Explorers fill in the example of each parameter, and send it: so those that may be left out
    have theirs in the description.
    """
    if example is None:
        return {"description": description}
    if required:
        return {"description": description, "example": example}
    text = ",".join(example) if isinstance(example, list) else str(example)
    return {"description": f"{description} For example: `{text}`."}


def plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter is there or not: there is no null, and no title but its name."""
    kept = {k: v for k, v in schema.items() if k not in {"anyOf", "default", "title"}}
    for variant in schema.get("anyOf", ()):
        if variant.get("type") != "null":
            kept |= variant
    if schema.get("default") is not None:
        kept["default"] = schema["default"]
    return kept
