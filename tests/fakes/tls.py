"""`ports.TlsProbe` in memory."""

from collections.abc import Mapping

from appliance.ports import NO_TLS, ShellError
from proto.findings import Scalar

Port = tuple[str, int]


class FakeTlsProbe:
    """Gives each port the answer or the error it was told to give; all others are closed.

    Attributes:
        greeted: every port that was greeted, in order.
    """

    def __init__(self, ports: Mapping[Port, Mapping[str, Scalar] | ShellError]) -> None:
        """Know these ports; an answer may leave out the fields it shares with a closed port."""
        self._ports = ports
        self.greeted: list[Port] = []

    async def look(self, address: str, port: int, *, now_ms: int) -> Mapping[str, Scalar]:  # noqa: ARG002 - the answers are given
        """Answer; see `ports.TlsProbe.look`."""
        self.greeted.append((address, port))
        found = self._ports.get((address, port), NO_TLS)
        if isinstance(found, ShellError):
            raise found
        return {**NO_TLS, **found}
