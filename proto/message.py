"""The base of every value that crosses between appliance and hub: closed, strict and frozen.

A member that the schema does not know is refused, no value is coerced (True is not 1, "5" is not
5), and dumping writes members in the order in which the schema declares them.

What leaves an appliance is a message whose fields are numbers, enumerations, ids, digests and codes
(the types at the end of this module), or `proto.phi.values.Scrubbed`. A field of type `str` is text
that came from the hub, never text that goes there.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    ValidationError,
)
from pydantic_core import CoreSchema, core_schema

from proto import ids, strict_json
from proto.errors import MalformedError

INT_MAX = 2**53 - 1


class Message(BaseModel):
    """A frozen value with a closed schema, made from strict JSON or from Python."""

    # Built at first use: most programs use few of the models that they import.
    model_config = ConfigDict(defer_build=True, extra="forbid", strict=True, frozen=True)

    @classmethod
    def from_value(cls, value: object, where: str) -> Self:
        """Read a value that strict JSON gave.

        Raises:
            MalformedError: it does not fit the schema; the message names the member.
        """
        try:
            found: Self = cls.__pydantic_validator__.validate_python(value)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join([where, *(str(part) for part in first["loc"])])
            said = first["msg"].removeprefix("Value error, ")
            if first["type"] == "string_pattern_mismatch":
                # The pattern itself tells people nothing, and may hold what a screen obeys.
                said = "holds a character that may not stand there, or has another form"
            msg = f"{place}: {said}"
            raise MalformedError(msg) from None
        return found

    @classmethod
    def from_bytes(cls, data: bytes, where: str, *, size_bytes_max: int) -> Self:
        """Read strict JSON bytes of at most this size; raises `MalformedError` naming the place."""
        return cls.from_value(strict_json.loads(data, size_bytes_max=size_bytes_max), where)

    def to_value(self) -> dict[str, Any]:
        """Return the message as JSON values, members in declared order."""
        value: dict[str, Any] = self.__pydantic_serializer__.to_python(self, mode="json")
        return value

    def to_bytes(self) -> bytes:
        """Return the message as compact JSON bytes, members in declared order."""
        return self._dump(self.to_value())

    @staticmethod
    def _dump(value: dict[str, Any]) -> bytes:
        return strict_json.dumps(value)


@dataclass(frozen=True, slots=True)
class _IdOf:
    """An id with this prefix, matched where the schema is: no call back into Python."""

    prefix: str

    @property
    def pattern(self) -> str:
        """The closed form that a text of this type has."""
        return rf"\A{ids.pattern_of(self.prefix)}\z"

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Refuse what is not such an id, in words that people can read."""
        return core_schema.custom_error_schema(
            core_schema.str_schema(pattern=self.pattern),
            custom_error_type="id",
            custom_error_message=f"not an id of the form {self.prefix}-xxxxxxxxxx",
        )


SiteIdField = Annotated[str, _IdOf("s")]
ApplianceIdField = Annotated[str, _IdOf("a")]
TargetIdField = Annotated[str, _IdOf("t")]
IncidentIdField = Annotated[str, _IdOf("i")]
Hex256 = Annotated[str, StringConstraints(pattern=r"\A[0-9a-f]{64}\z")]
B64Of32 = Annotated[str, StringConstraints(pattern=r"\A[A-Za-z0-9+/]{43}=\z")]
B64Of64 = Annotated[str, StringConstraints(pattern=r"\A[A-Za-z0-9+/]{86}==\z")]
B64Of16 = Annotated[str, StringConstraints(pattern=r"\A[A-Za-z0-9+/]{22}==\z")]
CodeName = Annotated[str, StringConstraints(pattern=r"\A[a-z0-9][a-z0-9_.:-]{0,63}\z")]
"""A code, a check id, a rule id: never free text."""

VersionOne = Annotated[int, Field(ge=1, le=1)]
"""The schema version 1. Not Literal[1], which takes true for it: True == 1 in Python."""

Count = Annotated[int, Field(ge=0, le=INT_MAX)]
Seconds = Annotated[int, Field(ge=0, le=INT_MAX)]
