"""The start of the appliance's program, and the guard of one that was not ready yet.

`python -m appliance` comes here first, in the packaged program; so does a program that starts
itself again, by this file's path, since it runs beside the packaged one. Nothing of the new program
is loaded before it is decided that it runs.
"""

import faulthandler
import os
import runpy
import signal
import sqlite3
import sys
import time
import traceback
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final, Never

if TYPE_CHECKING or __name__ != "__main__":
    from appliance import handover
else:
    # Run by its path, this finds another program's packages by name, and not those beside it.
    _spec = spec_from_file_location("_handover", Path(__file__).with_name("handover.py"))
    handover = module_from_spec(_spec)
    sys.modules[_spec.name] = handover
    _spec.loader.exec_module(handover)

DEFAULT: Final = Path("/etc/osiris/appliance.toml")
ENV_RUN: Final = "OSIRIS_RUN"
HELD_UP_S: Final = 10
"""How much longer a program has that does not even let Python act on the alarm."""


def begin(packaged_version: str) -> None:
    """Hand over to the program that is to run; return when that is this very one."""
    os.environ[handover.ENV_PACKAGED] = packaged_version
    os.environ[handover.ENV_ROOT] = str(Path(__file__).resolve().parents[1])
    place = _place()
    if place is None:
        return
    chosen = _chosen(place)
    if chosen.digest:
        _run(place, chosen)


def _place() -> handover.ProgramPlace | None:
    state_dir = handover.state_dir_of(sys.argv[1:], DEFAULT)
    if state_dir is None or not (state_dir / "programs").is_dir():
        return None
    return handover.ProgramPlace(state_dir)


def _chosen(place: handover.ProgramPlace) -> handover.Program:
    packaged = handover.Program("", os.environ[handover.ENV_PACKAGED])
    try:
        with handover.alone(place.state_dir) as is_alone:
            if is_alone:
                return handover.look(place, packaged, now_s=int(time.time()))
        record = handover.read(place)
    except (OSError, sqlite3.Error, handover.RecordError) as error:
        sys.stderr.write(f"osiris appliance: what runs cannot be looked up: {error}\n")
        return _as_it_stands(place, packaged)
    return packaged if record is None else record.runs


def _as_it_stands(place: handover.ProgramPlace, packaged: handover.Program) -> handover.Program:
    """Return what the record names where nothing can be written: the disk may be full."""
    try:
        record = handover.read(place)
    except handover.RecordError:
        return packaged
    if record is None:
        return packaged
    is_untried = record.phase is handover.Phase.TRYING and not record.starts
    chosen = record.before if is_untried else record.runs
    return chosen if handover.is_sound(place, chosen) else packaged


def _run(place: handover.ProgramPlace, program: handover.Program) -> Never:
    """Become a program: a new process image, in which nothing of this one is left."""
    kept = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    here = str(place.directory)
    paths = [str(place.root(program)), *(one for one in kept if one and not one.startswith(here))]
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        handover.ENV_PROGRAM: program.digest,
        ENV_RUN: program.digest or "packaged",
    }
    env.pop(handover.ENV_STOPPED, None)
    flags = ["-P", "-B"] if program.digest else ["-P"]
    argv = [sys.executable, *flags, str(Path(__file__).resolve()), *sys.argv[1:]]
    sys.stderr.flush()
    os.execve(sys.executable, argv, env)  # noqa: S606 - our own program, no shell


def _again() -> Never:
    signal.setitimer(signal.ITIMER_REAL, 0)
    faulthandler.cancel_dump_traceback_later()
    place = _place()
    if place is None:
        sys.exit(os.EX_TEMPFAIL)
    _run(place, _chosen(place))


def _too_late(_: int, __: FrameType | None) -> None:
    sys.stderr.write("osiris appliance: the new program was not ready in time\n")
    _again()


def _guarded(place: handover.ProgramPlace, record: handover.Record) -> None:
    """Run a program that was never ready; whatever ends it before it is, the start looks again."""
    signal.signal(signal.SIGALRM, _too_late)
    signal.setitimer(signal.ITIMER_REAL, record.within_s)
    faulthandler.dump_traceback_later(record.within_s + HELD_UP_S, exit=True)
    try:
        runpy.run_module("appliance", run_name="__main__", alter_sys=True)
    finally:
        if is_trying(place) is not None and handover.ENV_STOPPED not in os.environ:
            sys.stderr.write("osiris appliance: the new program ended before it was ready\n")
            if sys.exc_info()[0] is not None:
                traceback.print_exc()
            _again()


def is_trying(place: handover.ProgramPlace) -> handover.Record | None:
    """Return the record while the program that runs was not ready yet."""
    try:
        record = handover.read(place)
    except handover.RecordError:
        return None
    if record is None or record.phase is not handover.Phase.TRYING:
        return None
    return record if record.runs.digest == os.environ.get(handover.ENV_PROGRAM) else None


def rest() -> None:
    """Stop the guard's clocks: the program is ready."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    faulthandler.cancel_dump_traceback_later()


def main() -> None:
    """Run the program that was handed over to, or look anew which one that is."""
    rest()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})  # it outlives the one before
    place = _place()
    if os.environ.pop(ENV_RUN, None) is None:
        if place is None:
            sys.exit(os.EX_TEMPFAIL)
        _run(place, _chosen(place))
    record = None if place is None else is_trying(place)
    if place is not None and record is not None:
        _guarded(place, record)
    else:
        runpy.run_module("appliance", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
