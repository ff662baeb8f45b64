"""Why a person did something: one line of plain text, which stays on the appliance."""

import re

from proto.errors import MalformedError

REASON_CHARS_MAX = 400
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def plain_reason(text: str, where: str) -> str:
    """Return a reason as one line; a form's line ends could pass for another entry.

    Args:
        text: as it was typed.
        where: what the error calls it, as `waiver.reason`.

    Raises:
        MalformedError: nothing said, too much, or characters that steer a screen.
    """
    line = " ".join(text.split())
    if not 0 < len(line) <= REASON_CHARS_MAX or _CONTROL.search(line):
        msg = f"{where}: say why, in at most {REASON_CHARS_MAX} characters of plain text"
        raise MalformedError(msg)
    return line
