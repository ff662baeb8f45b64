"""How this appliance's private keys are to be kept, and how they are, as people are told it."""

import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

AUTO: Final = "auto"
OFF: Final = "off"
SETTING: Final = re.compile(r"auto|off|/dev/tpm[a-z0-9]{1,16}|[a-z]{2,16}:[!-~]{1,400}")
"""What the setting may be: auto, off, a device, or another way to a TPM as tpm2-tss names it."""


class How(StrEnum):
    """Sealed by a TPM, or why not."""

    TPM = "tpm"
    OFF = "off"
    NO_TPM = "no_tpm"
    NOT_ALLOWED = "not_allowed"
    NO_PROGRAM = "no_program"
    FAILED = "failed"


WORDS: Final = MappingProxyType(
    {
        How.TPM: "sealed by this machine's TPM",
        How.OFF: 'only files of mode 0600: the configuration says tpm = "off"',
        How.NO_TPM: "only files of mode 0600: this machine has no TPM",
        How.NOT_ALLOWED: (
            "only files of mode 0600: there is a TPM, and this user may not use it (group tss)"
        ),
        How.NO_PROGRAM: (
            "only files of mode 0600: there is a TPM, and what talks to it is not installed"
            " (python -m osiris.packages install tpm)"
        ),
        How.FAILED: "only files of mode 0600: there is a TPM, and it could not be used",
    }
)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How the keys are kept.

    Attributes:
        detail: what the TPM answered, where it could not be used.
    """

    how: How
    detail: str = ""

    @property
    def is_sealed(self) -> bool:
        """Whether a copy of the files is of no use without this machine's TPM."""
        return self.how is How.TPM

    @property
    def needs_somebody(self) -> bool:
        """Whether a TPM is there that could seal them, if somebody put something right."""
        return self.how in {How.NOT_ALLOWED, How.NO_PROGRAM, How.FAILED}

    @property
    def sentence(self) -> str:
        """All of it in words."""
        return f"{WORDS[self.how]}: {self.detail}" if self.detail else WORDS[self.how]
