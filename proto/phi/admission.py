"""The second look at what arrived: the sentry and the whole engine again, before anything is kept.

The sender scrubbed; the hub does not take its word. Text that the engine would still change, or
that the sentry knows, is not admitted: it is quarantined by whoever asked. Without names to compare
with nothing is admitted but closed values and text that is nothing but tokens: a hub that cannot
look lets nothing through.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from proto import strict_json
from proto.errors import MalformedError
from proto.phi.arrived import Arrived
from proto.phi.engine import scrub_record
from proto.phi.inside import look_inside
from proto.phi.policy import Policy
from proto.phi.tokens import ThrowAwayVault, is_token
from proto.phi.values import Names, Scrubbed, seal

DOCUMENT_BYTES_MAX = 16 * 1024
NOT_LOOKED_AT = "not_looked_at"
"""The form of what could not be looked at, for want of names."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Text that is not admitted: which forms were found in it, never where or what."""

    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Looker:
    """What looking needs."""

    policy: Policy
    names: Names | None

    def admit(self, arrived: Arrived) -> Scrubbed | Refused:
        """Return one text that may be kept, or why it may not."""
        text = arrived.unlooked()
        forms = self._forms(text)
        return Refused(forms) if forms else seal(text)

    def admit_document(
        self, arrived: Arrived, closed: Mapping[str, Collection[str]]
    ) -> Scrubbed | Refused:
        """Return a JSON object of flat values that may be kept, or why it may not.

        Args:
            arrived: the document's exact text.
            closed: the closed values of fields that have such, by name: such a value is no text.
        """
        text = arrived.unlooked()
        try:
            value = strict_json.loads(text.encode(), size_bytes_max=DOCUMENT_BYTES_MAX, depth_max=1)
        except MalformedError:
            return Refused(("malformed",))
        if not isinstance(value, dict):
            return Refused(("malformed",))
        free: dict[str, strict_json.Json] = {
            name: one
            for name, one in value.items()
            if isinstance(one, str) and one not in closed.get(name, ())
        }
        forms = {alarm.form for alarm in look_inside(text.encode())} if free else set()
        for name, one in free.items():
            forms.update(self._forms(strict_json.dumps({name: one}).decode(), bare=str(one)))
        return Refused(tuple(sorted(forms))) if forms else seal(text)

    def _forms(self, text: str, *, bare: str | None = None) -> tuple[str, ...]:
        forms = {alarm.form for alarm in look_inside(text.encode("utf-8", "replace"))}
        told = text if bare is None else bare
        if self.names is None:
            if told and not all(is_token(word) for word in told.split()):
                forms.add(NOT_LOOKED_AT)
            return tuple(sorted(forms))
        result = scrub_record(text, policy=self.policy, names=self.names, vault=ThrowAwayVault())
        if result.withheld is not None:
            forms.add("withheld")
        elif str(result.text) != text:
            forms.update(hit.kind.value.lower() for hit in result.hits)
            forms.add("text")
        return tuple(sorted(forms))
