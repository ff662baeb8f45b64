"""`osiris doctor`: what is wrong on this machine, and what to do about it."""

import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from appliance import config as appliance_config
from appliance.shell.identity import Place, load_enrolled, load_root
from appliance.shell.key_files import TPM_KEY
from appliance.shell.tpm import find_tpm
from central import config as hub_config
from central import setup as hub_setup
from osiris import packages
from osiris.demo.rootfs.cache import find
from osiris.demo.world import probe
from proto.catalog.load import load
from proto.errors import OsirisError
from proto.phi import default_names
from runtime.content import read_installed
from runtime.terminal import Output, print_json, print_rows

FREE_BYTES_MIN = 1024**3
FEATURES = ("clinic", "discovery", "browser", "tpm", "softtpm")


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that was looked at: ok, missing (only some features need it) or wrong."""

    what: str
    state: str
    found: str
    do: str = ""


def doctor(
    appliance: Annotated[
        Path, typer.Option("--appliance-config", help="The appliance's configuration file.")
    ] = appliance_config.DEFAULT_PATH,
    hub: Annotated[
        Path, typer.Option("--hub-config", help="The hub's configuration file.")
    ] = hub_config.DEFAULT_PATH,
    output: Annotated[Output, typer.Option("--output", "-o", help="table or json.")] = Output.TABLE,
) -> None:
    """Look at everything Osiris needs here. Exit status 1 when something is wrong."""
    results = [*_machine(), *_appliance(appliance), *_hub(hub)]
    if output is Output.JSON:
        print_json([asdict(result) for result in results])
    else:
        columns = {"what": "WHAT", "state": "STATE", "found": "FOUND", "do": "WHAT TO DO"}
        print_rows([asdict(result) for result in results], columns, output=output)
    if any(result.state == "wrong" for result in results):
        raise typer.Exit(1)


def _machine() -> Iterator[Result]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Result("Python", "ok", version)
    yield _content()
    yield _names()
    for feature in FEATURES:
        missing = packages.missing(feature)
        command = f"python -m osiris.packages install {feature}"
        yield (
            Result(f"packages: {feature}", "missing", ", ".join(missing), command)
            if missing
            else Result(f"packages: {feature}", "ok", "all installed")
        )
    world = probe()
    possible = world.mode != "none"
    yield Result(
        "demo: a private world",
        "ok" if possible else "missing",
        f"{world.mode}: {world.reason}",
        "" if possible else "the demo and the lab tests cannot run here",
    )
    image = find(world.mode) if possible else None
    yield (
        Result("demo: root file system", "ok", str(image))
        if image
        else Result("demo: root file system", "missing", "not built yet", "make rootfs")
    )
    free = shutil.disk_usage(Path.home()).free
    yield Result(
        "disk",
        "ok" if free > FREE_BYTES_MIN else "wrong",
        f"{free // 1024**2} MiB free",
        "" if free > FREE_BYTES_MIN else "free some space",
    )


def _content() -> Result:
    try:
        content = load(read_installed())
    except OsirisError as error:
        return Result("content", "wrong", str(error).splitlines()[0], "osiris rules lint")
    found = f"{len(content.checks)} checks, {len(content.runbooks)} runbooks"
    return Result("content", "ok", f"{found}, {content.digest[:12]}")


def _names() -> Result:
    """Without names the scrubber withholds every text: nothing leaks, and nobody is told much."""
    try:
        names = default_names()
    except OsirisError as error:
        return Result("scrubber: names", "wrong", str(error), "make names")
    if names is None:
        return Result(
            "scrubber: names", "wrong", "not compiled: all text is withheld", "make names"
        )
    return Result("scrubber: names", "ok", "compiled")


def _appliance(path: Path) -> Iterator[Result]:
    if not path.exists():
        yield Result("appliance", "missing", f"no {path}", "only a machine that is one needs it")
        return
    try:
        config = appliance_config.read(path)
    except OsirisError as error:
        yield Result("appliance: configuration", "wrong", str(error), f"correct {path}")
        return
    yield Result("appliance: configuration", "ok", str(path))
    place = Place(config.state_dir)
    enroll = "osiris appliance enroll CODE"
    yield _try("appliance: enrollment", lambda: load_enrolled(place).appliance, enroll)
    yield _private_keys(place, config.file.tpm)
    yield _try("appliance: trust root", lambda: load_root(place).hub_origin, enroll)
    yield _socket("appliance: daemon", place.socket, "osiris appliance run")


def _private_keys(place: Place, setting: str) -> Result:
    """Say whether a TPM seals the keys; none is opened, and no TPM is spoken to."""
    what = "appliance: private keys"
    try:
        found = find_tpm(setting)
        is_sealed = (place.keys / TPM_KEY).exists()
    except (OsirisError, OSError) as error:
        return Result(what, "wrong", str(error), "see docs/keys.md")
    words = found.keeping.sentence
    if is_sealed and found.tpm is None:
        return Result(what, "wrong", f"sealed by a TPM; {words}", "see docs/keys.md")
    if found.tpm is not None and not is_sealed:
        return Result(what, "missing", "files of mode 0600", "osiris appliance run seals them")
    return Result(what, "missing" if found.keeping.needs_somebody else "ok", words)


def _hub(path: Path) -> Iterator[Result]:
    if not path.exists():
        yield Result("hub", "missing", f"no {path}", "only a machine that is one needs it")
        return
    try:
        config = hub_config.read(path)
    except OsirisError as error:
        yield Result("hub: configuration", "wrong", str(error), f"correct {path}")
        return
    yield Result("hub: configuration", "ok", str(path))
    place = hub_setup.Place(config.state_dir)
    init = "osiris hub init"
    yield _try("hub: trust root", lambda: hub_setup.load_root(place)[1].hub_origin, init)
    yield _socket("hub: daemon", place.socket, "osiris hub serve")


def _try(what: str, look: Callable[[], str], command: str) -> Result:
    try:
        return Result(what, "ok", look())
    except (OsirisError, OSError) as error:
        return Result(what, "wrong", str(error), command)


def _socket(what: str, path: Path, command: str) -> Result:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(path))
        except OSError as error:
            return Result(what, "missing", f"does not answer: {error.strerror}", command)
    return Result(what, "ok", f"answers at {path}")
