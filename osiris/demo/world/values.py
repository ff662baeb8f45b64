"""The values that cross the border of a world, and the one error it raises.

Standard library only: the processes inside a world are started without site packages.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from proto.errors import OsirisError

Mode = Literal["root", "subuid", "single", "none"]
Init = Literal["systemd", "stand-in"]

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?\Z")
ADDRESS = re.compile(r"(\d{1,3}\.){3}\d{1,3}\Z")
MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}\Z")


class WorldError(OsirisError):
    """A world, or a host in it, could not be made or did not do what was asked."""

    code = "world"


@dataclass(frozen=True, slots=True)
class Probe:
    """What this machine can do for a world.

    Attributes:
        mode: how ids are mapped: `root`, `subuid`, `single`, or `none` when no world is possible.
        reason: why it is this mode, in words for a person.
        init: what PID 1 of a Linux host will be: real systemd, or our stand-in where no control
            group can be delegated.
    """

    mode: Mode
    reason: str
    init: Init


@dataclass(frozen=True, slots=True)
class HostSpec:
    """A machine to start in a world.

    Attributes:
        name: its host name, at most 32 characters of `a-z0-9-`.
        address: IPv4 address inside the world's /24.
        mac: hardware address, lower case; its first half names a vendor.
        prepare: `sh -eu` text run inside the host before its PID 1.
        argv: PID 1 for a box that is no Linux host to us; None for a Linux host with an init.
        sysctls: settings the host starts with. `net.*` is set for real; anything else belongs to
            the whole kernel, so a plain file covers the entry and can drift and be healed.
    """

    name: str
    address: str
    mac: str
    prepare: str = ""
    argv: tuple[str, ...] | None = None
    sysctls: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what could not become a host.

        Raises:
            WorldError: a name, address or hardware address has the wrong form.
        """
        for value, form, what in (
            (self.name, NAME, "name"),
            (self.address, ADDRESS, "address"),
            (self.mac, MAC, "mac"),
        ):
            if not form.match(value):
                msg = f"host {self.name!r}: {value!r} is not a {what}"
                raise WorldError(msg)


@dataclass(frozen=True, slots=True)
class Done:
    """How a command inside a host ended; `output` is stdout and stderr as they came."""

    exit_status: int
    output: str


@dataclass(frozen=True, slots=True)
class WorldConfig:
    """What the processes inside are told about the world they make up.

    Attributes:
        mode: how ids are mapped.
        network: the first three octets of the /24, or None to keep the caller's network (then
            there are no hosts: the world is a workshop for building a root file system).
        init: PID 1 wished for Linux hosts.
        overlay: False to give each host a whole copy even where overlays would work.
    """

    mode: Mode
    network: str | None
    init: Init
    overlay: bool
