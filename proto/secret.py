"""A secret is a type: it goes where it is used and refuses to go anywhere else.

Passwords, private keys and tokens travel as `Secret` from the moment they are read. Whatever turns
values into text shows `Secret(...)`: str, repr, format, logging, tracebacks with locals. Whatever
copies values elsewhere is refused with a `TypeError`: pickle, copy, `dataclasses.asdict`,
`json.dumps`, pydantic. It is no dictionary key, has no length, no order and no `__dict__`. The one
door is `reveal` (and `reveal_bytes`), so that reading the callers of `.reveal` reads every use.
"""

import hmac
from typing import Final, NoReturn, SupportsIndex, final

SHOWN: Final = "Secret(...)"
"""All that a secret ever shows of itself."""


def _refuse(what: str) -> NoReturn:
    msg = f"a secret is never {what}; Secret.reveal() is the one door"
    raise TypeError(msg)


@final
class Secret:
    """Text or bytes that must not be printed, logged, stored or sent by accident."""

    __slots__ = ("__value",)
    __hash__ = None  # type: ignore[assignment]  # a key of a dictionary outlives its use

    def __init__(self, value: str | bytes) -> None:
        """Wrap text (kept as UTF-8) or bytes.

        Raises:
            TypeError: `value` is neither.
        """
        if isinstance(value, str):
            value = value.encode("utf-8")
        elif not isinstance(value, bytes):
            msg = f"a secret is text or bytes, not {type(value).__name__}"
            raise TypeError(msg)
        object.__setattr__(self, "_Secret__value", value)

    def reveal(self) -> str:
        """Return the secret as text, to be used at once and kept nowhere.

        Raises:
            ValueError: the secret is not UTF-8 text; the message does not hold it.
        """
        raw = self.reveal_bytes()
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            # The codec's own error carries the bytes, so it is not chained.
            msg = "this secret is not text; use reveal_bytes()"
            raise ValueError(msg) from None

    def reveal_bytes(self) -> bytes:
        """Return the secret as bytes, to be used at once and kept nowhere."""
        value: bytes = object.__getattribute__(self, "_Secret__value")
        return value

    def __eq__(self, other: object) -> bool:
        """Compare with another secret in constant time; nothing else is ever equal."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.reveal_bytes(), other.reveal_bytes())

    def __repr__(self) -> str:
        """Show that a secret is here, and nothing of it."""
        return SHOWN

    def __str__(self) -> str:
        """Show that a secret is here, and nothing of it."""
        return SHOWN

    def __format__(self, format_spec: str, /) -> str:
        """Show the same in any format: a width or a precision reveals no length."""
        return SHOWN

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: a secret does not change, a new one is made."""
        _refuse("changed")

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse: a secret does not change."""
        _refuse("changed")

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn:
        """Refuse pickle, `copy.copy`, `copy.deepcopy` and so `dataclasses.asdict`."""
        _refuse("pickled or copied")

    def __getstate__(self) -> NoReturn:
        """Refuse: the default would hand out the slots."""
        _refuse("pickled or copied")

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object, /) -> NoReturn:
        """Refuse to be a field of a pydantic model: what a model holds, it serialises."""
        _refuse("a field of a pydantic model")
