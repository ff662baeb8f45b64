"""Scrubbing what is logged: last in the chain, so that nothing is added after it.

A line is one record: all its values together, with their names, because a value beside its key says
more than alone. What we write ourselves (event, level, time, part) passes as it is: a test holds
that events are constants. Equal values are looked at once. What cannot be scrubbed as JSON that is
still JSON afterwards is withheld whole.
"""

import json
from collections.abc import Callable

from structlog.typing import EventDict

Scrub = Callable[[str], str]

OUR_OWN = frozenset({"event", "level", "timestamp", "part"})


def as_it_is(text: str) -> str:
    """Scrub nothing: for a process that reads no text of a site."""
    return text


class LogScrubber:
    """The processor, and what a formatter of other libraries' lines uses; `scrub` may change."""

    def __init__(self, scrub: Scrub = as_it_is) -> None:
        """Scrub with this function until another one is given."""
        self.use(scrub)

    def use(self, scrub: Scrub) -> None:
        """Scrub with another function from now on."""
        self._scrub = scrub

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        """Scrub a line's values."""
        if self._scrub is as_it_is:
            return event
        told = {name: value for name, value in event.items() if name not in OUR_OWN}
        if all(isinstance(value, bool | int | float | None) for value in told.values()):
            return event
        event.update(self._values(told))
        return event

    def text(self, text: str) -> str:
        """Return one text scrubbed."""
        return self._scrub(text)

    def _values(self, told: EventDict) -> EventDict:
        record = self.text(json.dumps(told, ensure_ascii=False, default=str))
        try:
            found = json.loads(record)
        except ValueError:
            found = record
        if isinstance(found, dict) and found.keys() == told.keys():
            return found
        return dict.fromkeys(told, record)
