"""Text that arrived: the other end's word that it was scrubbed, until somebody has looked again.

What crosses as JSON is plain text whatever its sender called it. So it is read as `Arrived`, which
shows nothing of itself, is written nowhere and fits no field for `Scrubbed`. The one way on is
`proto.phi.admission.admit`.
"""

from collections.abc import Callable
from typing import Any, NoReturn, final


@final
class Arrived:
    """Text from elsewhere that nobody here has looked at."""

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str) -> None:
        """Hold text that came from outside."""
        object.__setattr__(self, "_text", text)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: what arrived stays as it came."""
        msg = "Arrived text does not change"
        raise TypeError(msg)

    def unlooked(self) -> str:
        """Return the text: for looking at it, and for checking a commitment to it."""
        return self._text

    def __repr__(self) -> str:
        """Show how long it is, and nothing of it."""
        return f"Arrived({len(self._text)} characters)"

    __str__ = __repr__

    def __len__(self) -> int:
        """Count the characters."""
        return len(self._text)

    def __hash__(self) -> int:
        """Hash as the text does, apart from plain strings."""
        return hash((Arrived, self._text))

    def __eq__(self, other: object) -> bool:
        """Compare with other arrived text; a plain string is never equal."""
        if not isinstance(other, Arrived):
            return NotImplemented
        return self._text == other._text

    def __reduce_ex__(self, _protocol: object, /) -> NoReturn:
        """Refuse pickle: it would be a way on."""
        msg = "Arrived text is not pickled"
        raise TypeError(msg)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: object, _handler: Callable[[Any], Any], /
    ) -> Any:  # noqa: ANN401 - pydantic's own type of a schema is a dictionary of anything
        """Read strings; write nothing."""
        # Imported here so that scrubbing does not need pydantic.
        from pydantic_core import core_schema  # noqa: PLC0415

        def refuse(_value: object) -> NoReturn:
            msg = "Arrived text is not written anywhere: admit it first"
            raise TypeError(msg)

        return core_schema.union_schema(
            [
                core_schema.is_instance_schema(cls),
                core_schema.no_info_after_validator_function(
                    cls, core_schema.str_schema(strict=True)
                ),
            ],
            serialization=core_schema.plain_serializer_function_ser_schema(refuse),
        )
