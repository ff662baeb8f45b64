"""Why no answer came over HTTP, in words for people: what httpx's errors mean to them."""

import re

import httpx

_INSIDES = re.compile(r"\[(?:SSL|Errno)[^\]]*\] ?|_ssl\.c:\d+: ?| ?\(_ssl\.c:\d+\)")
"""Where in OpenSSL's binding, and by which number of the system: nobody can act on these."""


def in_words(error: httpx.HTTPError) -> str:
    """Return why there is no answer, as the end of a sentence that begins with whom was asked."""
    if isinstance(error, httpx.ConnectTimeout):
        return "cannot be reached in time"
    if isinstance(error, httpx.TimeoutException):
        return "does not answer in time"
    return _INSIDES.sub("", str(error)).strip() or type(error).__name__
