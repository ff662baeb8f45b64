"""`ports.Tpm` without a TPM: one name is one machine, and what it sealed opens in any process."""

import hashlib

from appliance.core.keeping import How, Keeping
from appliance.ports import TpmError
from appliance.shell.seal import KeySealer
from appliance.shell.tpm import Found
from proto.errors import IntegrityError
from proto.secret import Secret
from runtime.clock import system_entropy


class FakeTpm:
    """Seals under a key that is made of its name.

    Attributes:
        asked: what was asked of it, in order.
        fault: what it answers to everything, where it is broken.
    """

    def __init__(self, name: str = "tpm") -> None:
        """Tell TPMs apart by name, as real ones differ by seed."""
        self.asked: list[str] = []
        self.fault = ""
        self._name = name

    @property
    def found(self) -> Found:
        """What is found on a machine that has this TPM."""
        return Found(self, Keeping(How.TPM))

    def seal(self, secret: Secret, *, name: str) -> bytes:
        """Return sealed bytes; see `ports.Tpm.seal`."""
        self._hear("seal")
        return self._sealer.seal(secret, context=name)

    def unseal(self, sealed: bytes, *, name: str) -> Secret:
        """Return the secret; see `ports.Tpm.unseal`."""
        self._hear("unseal")
        try:
            return self._sealer.open(sealed, context=name)
        except IntegrityError:
            msg = "integrity check failed"
            raise TpmError(msg) from None

    def clear(self) -> None:
        """Forget everything, as a TPM does whose owner clears it."""
        self._name += ", cleared"

    @property
    def _sealer(self) -> KeySealer:
        key = hashlib.sha256(self._name.encode("utf-8")).digest()
        return KeySealer(Secret(key), system_entropy)

    def _hear(self, what: str) -> None:
        self.asked.append(what)
        if self.fault:
            raise TpmError(self.fault)
