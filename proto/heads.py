"""Heads: the hub's answer to one check-in, which proves that the hub spoke now.

A head counts when one of the hub's head keys signed it and it repeats the random challenge of the
check-in that it answers: an old head, or one for another appliance, repeats another. Its `time` may
move the floor clock, by no more than a day past the appliance's own clock.
"""

from proto.envelope import BODY_BYTES_MAX, Kind, open_envelope
from proto.errors import RejectedError
from proto.hub.check_in import Head
from proto.keys import Threshold


class HeadChallengeError(RejectedError):
    """A head that answers another request."""

    code = "head_challenge"


def open_head(data: bytes, *, challenge: str, heads: Threshold) -> Head:
    """Return the head that answers this challenge (base64, as the check-in said it).

    Raises:
        SignatureError: no head key that counts signed it.
        HeadChallengeError: it answers another request.
        MalformedError: it is no head.
    """
    opened = open_envelope(data, kind=Kind.HEAD, trust=heads)
    head = Head.from_bytes(opened.body, "head", size_bytes_max=BODY_BYTES_MAX)
    if head.challenge != challenge:
        msg = "head.challenge: answers another request"
        raise HeadChallengeError(msg)
    return head
