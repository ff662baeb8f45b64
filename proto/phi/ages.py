"""How old things are that have an age as people have: copies in a cache, backups, batteries, locks."""

import re

_THING_BEFORE = re.compile(
    rb"(?:^|[^a-z])(?:cache|cached|object|snapshot|backup|replica|file|log|logs|entry|lock|session|connection|conn|socket|password|pwd|passwd|key|ticket"
    rb"|token|cert|certificate|crl|message|msg|job|queue|index|checkpoint|segment|battery|filter|lamp|tube|disk|drive|ssd|firmware|definition|definitions|signature"
    rb"|signatures|dat|av|max|min|minimum|maximum|oldest|newest|pool|arp|mac|dns|lease|route|xid|txid|transaction|table|page|pages|asset|device|host|node"
    rb"|image|artifact|build|branch|commit|patch|data|metric|sample|heartbeat|beacon|ping|alert|alarm|event|incident|retention|rpo"
    rb"|process|uptime|service|container|pod|vm|frame|packet|update|sync|policy|content|response|http|proxy|varnish|squid|cdn|edge)[ _.-]{0,2}\Z"
)
_HEADERS = re.compile(
    rb"http/[0-9.]+ [0-9]{3}|cache-control|etag|x-cache|\nvia: |last-modified|max-age|x-served-by|x-varnish|cf-cache|content-length"
)
_AGE = re.compile(rb"aged?[^a-z]{0,16}\Z")
AHEAD_CHARS_MAX = 28


def is_of_thing_by(lower: bytes, value: int) -> bool:
    """Whether the age whose number begins at a place is a thing's, by the word before it."""
    told = _AGE.search(lower, max(0, value - 20), value)
    return told is not None and is_of_thing(lower, told.start())


def is_of_thing(lower: bytes, start: int) -> bool:
    """Whether the word for an age that begins at a place is said of a thing.

    Args:
        lower: the record in lower case.
        start: where `age` or `aged` begins.
    """
    if _THING_BEFORE.search(lower, max(0, start - AHEAD_CHARS_MAX), start) is not None:
        return True
    if b"age" not in lower[start : start + 3]:
        return False
    before = lower[max(0, start - 4) : start].rpartition(b"\n")[2]
    bare = not before.strip(b" \"'<>*{,") or before[-1:] in {b'"', b"'"}
    return bare and _HEADERS.search(lower) is not None
