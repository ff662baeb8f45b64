"""A signed checkpoint as text in a message: bounded, and of a closed form."""

from typing import Annotated, Final

from pydantic import Field

NOTE_BYTES_MAX: Final = 4096

NoteText = Annotated[
    str,
    Field(
        max_length=NOTE_BYTES_MAX,
        pattern=r"\A[A-Za-z0-9./:_-]{1,200}\n[0-9]{1,16}\n[A-Za-z0-9+/]{43}=\n(?:[!-~]{1,200}\n){0,4}\n"
        r"(?:\x{2014} [!-~]{1,200} [A-Za-z0-9+/=]{1,200}\n){1,8}\z",
    ),
]
"""A signed checkpoint (C2SP tlog-checkpoint): an origin, a size, a root and signatures."""
