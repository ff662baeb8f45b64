"""The appliance, wired once: ports made real, tasks started, pages served.

`python -m appliance --config FILE` is what the service runs. It imports nothing of the command
line, so that the daemon stays small.
"""

import argparse
import asyncio
import gc
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from starlette.applications import Starlette

from appliance.config import DEFAULT_PATH, Config, read
from appliance.core.box_keys import BoxKeys
from appliance.core.keeping import How, Keeping
from appliance.core.sentry import Sentry
from appliance.handlers.canaries import EXPORT, Canaries
from appliance.handlers.content import fetch
from appliance.handlers.disclosures import Disclosures
from appliance.handlers.followed_trust import FollowedTrust
from appliance.handlers.known_people import KnownPeopleFile
from appliance.handlers.library import Library, Origin
from appliance.handlers.own_keys import begin, begun
from appliance.handlers.patience import patient
from appliance.handlers.people import People
from appliance.handlers.promoted import promoted_of
from appliance.handlers.scrubber import Scrubber, Source
from appliance.handlers.work import Bell, HubTrust, Word, Work
from appliance.handover import ENV_STOPPED
from appliance.portal import local, local_content, local_phi
from appliance.portal.app import build, portal_pages
from appliance.portal.state import Identity, Live, Portal
from appliance.ready import prove_ready, take_turn
from appliance.shell.content import ContentPlace, ContentRepository
from appliance.shell.enrollment import hub_context
from appliance.shell.hub_client import HubClient
from appliance.shell.identity import (
    Enrolled,
    Place,
    load_enrolled,
    load_keys,
    load_root,
    scribe_of,
)
from appliance.shell.key_files import REST_KEY, KeyFiles, open_keys, rest_key
from appliance.shell.nmap import NmapScanner
from appliance.shell.own_keys import OwnKeyFiles
from appliance.shell.programs import ProgramFiles
from appliance.shell.seal import KeySealer
from appliance.shell.ssh import SshShell
from appliance.shell.tls_probe import TlsProbe
from appliance.shell.tpm import find_tpm
from appliance.shell.world_guard import WorldGuard
from appliance.store import incidents, order_state
from appliance.store.accounts import AccountTable
from appliance.store.db import RESERVE_BYTES, Store
from appliance.store.evidence import Scribe
from appliance.store.room import Ballast
from appliance.store.vault import Vault
from appliance.tasks import (
    canaries,
    check_in,
    content,
    discover,
    greet,
    heal,
    orders,
    scan,
    scrubbing,
    tidy,
    uplink,
)
from proto.catalog.load import load
from proto.catalog.model import Content
from proto.errors import ConfigError, OsirisError
from proto.note import Algorithm, NoteKey
from proto.phi import Policy, default_names, installed_policies, scrub_text
from proto.secret import Secret
from proto.trust_root import TrustRoot
from runtime import log, memory, notify, tls
from runtime.clock import Clock, StartedClock, SteadyClock, SystemClock, system_entropy
from runtime.content import read_directory, read_installed
from runtime.serve import OF_A_SITE, listen_tcp, serve
from runtime.service_lock import ServiceLock
from runtime.supervisor import Pulse, Task, prove, stop_on_signals, supervise
from runtime.unix_socket import listen_unix
from runtime.web.access import Door
from runtime.web.sessions import Accounts

SCHEME = "https://"

IDLE_S = 3600.0
RESTARTS = 75
"""What `run` returns when the program was asked to start again (EX_TEMPFAIL, sysexits(3))."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """An appliance that is wired but runs no loop.

    Attributes:
        lan_app: the pages, for people who sign in.
        socket_app: the command line's routes.
    """

    config: Config
    work: Work
    library: Library
    scrubber: Scrubber
    people: KnownPeopleFile | None
    canaries: Canaries
    lan_app: Starlette
    socket_app: Starlette


def load_content(config: Config) -> Content:
    """Return the content set: the configured directory's, else what the program ships."""
    directory = config.file.content_dir
    return load(read_directory(Path(directory)) if directory else read_installed())


def library_of(config: Config, root: TrustRoot, enrolled: Enrolled, hub: HubClient) -> Library:
    """Return the content in force, over the repository that the enrollment pinned, if it did.

    Raises:
        ContentError: what is to run without signed content cannot be read.
        CatalogError: it does not hold together.
    """
    repository = None
    if root.content_root is not None:
        steady = SteadyClock()
        repository = ContentRepository(
            ContentPlace(config.state_dir / "content"),
            origin=root.hub_origin,
            tls=partial(hub_context, root),
            reader=hub,
            pinned=root.content_root,
            site=enrolled.site,
            at_hand=read_installed,
            steady_s=lambda: steady.now_ms() / 1000,
        )
    own = Origin.DIRECTORY if config.file.content_dir else Origin.PROGRAM
    return Library(partial(load_content, config), repository, origin=own)


async def going_on(store: Store, own: OwnKeyFiles, scribe: Scribe) -> tuple[BoxKeys, Word]:
    """Go on with keys and floor clock as the store has them; return what opens logins, and word."""
    async with store.read() as conn:
        found = await begun(conn)
        word = Word(floor_s=(await order_state.load(conn)).floor.at_s)
    return begin(found, own, scribe), word


def pinned_trust(root: TrustRoot) -> HubTrust:
    """Return whose statements count by the pinned trust root alone."""
    name = root.hub_origin.removeprefix(SCHEME)
    cosigners = tuple(NoteKey(name, key, Algorithm.COSIGNATURE) for key in root.log_keys)
    return HubTrust(root.heads(), cosigners)


def trust_of(root: TrustRoot, library: Library, clock: Clock, word: Word) -> FollowedTrust:
    """Return whose statements count: the pinned trust root's keys, then the authority's."""
    name = root.hub_origin.removeprefix(SCHEME)
    return FollowedTrust(
        pinned_trust(root), name, lambda: library.trusted, clock, lambda: word.floor_s
    )


@asynccontextmanager
async def wired(config: Config) -> AsyncIterator[Daemon]:
    """Wire an enrolled appliance on its state directory; its lock must be held.

    Raises:
        ConfigError: it is not enrolled, or something it needs cannot be read.
        CatalogError: the content set does not hold together.
    """
    place = _prepared(config)
    enrolled, files, root = load_enrolled(place), _keys_of(config, place), load_root(place)
    scribe, own = scribe_of(enrolled, load_keys(files)), OwnKeyFiles(files, system_entropy)
    clock, sentry, guard = SystemClock(), Sentry(), _guard_of(config)
    store = await Store.open(place.store, now_ms=clock.now_ms())
    hub = HubClient(root.hub_origin, tls=hub_context(root), signer=scribe, sentry=sentry)
    try:
        library = library_of(config, root, enrolled, hub)
        sealer = KeySealer(Secret(files.read(REST_KEY)), system_entropy)
        vault = await Vault.open(store, sealer, system_entropy)
        scrubber = Scrubber(policy_of(config), default_names(), vault, store=store, clock=clock)
        people = people_of(config, scrubber, clock)
        if people is not None:
            await people.refresh()
        planted = Canaries(vault.derived_key("canaries").reveal_bytes())
        log.scrub_with(lambda text: str(scrubber.scrub(text, source=Source.LOG)))
        promoted = await promoted_of(store, lambda: library.content, lambda: library.trusted)
        box_keys, word = await going_on(store, own, scribe)
        work = Work(
            settings=config.settings,
            store=store,
            content=promoted.content,
            trusted=lambda: library.trusted,
            scribe=scribe,
            clock=clock,
            entropy=system_entropy,
            shell=SshShell(guard, system_entropy),
            scanner=NmapScanner(guard),
            tls=TlsProbe(guard),
            sealer=sealer,
            scrubber=scrubber,
            hub=hub,
            trust=trust_of(root, library, clock, word),
            version=version("osiris"),
            sentry=sentry,
            box_keys=box_keys,
            own_keys=own,
            promoted=promoted,
            fetch_content=_fetching(library, lambda: work),
            own_clock=StartedClock(clock, SteadyClock()),
            word=word,
            programs=_programs(config, library),
        )
        told = partial(_live, work, library, people, planted)
        portal = _portal(config, work, enrolled, root=root, live=told, box_keys=box_keys)
        lan, socket = build(portal, Door.LAN), _socket_app(portal, work, vault, library)
        yield Daemon(
            config, work, library, scrubber, people, planted, lan_app=lan, socket_app=socket
        )
    finally:
        log.scrub_with(scrub_text)  # the vault is closed with the store
        await hub.close()
        await store.close()


def _guard_of(config: Config) -> WorldGuard:
    return WorldGuard(config.file.world.netns if config.file.world else None)


def _keys_of(config: Config, place: Place) -> KeyFiles:
    """Return the files of the private keys, sealed from now on where there is a TPM.

    What seals credentials is made before the store is: a store without it lost it.
    """
    files = open_keys(place.keys, find_tpm(config.file.tpm), system_entropy)
    if not place.store.exists():
        rest_key(files, system_entropy)
    return files


def _fetching(library: Library, work: Callable[[], Work]) -> Callable[[], Awaitable[None]] | None:
    """Return what asks the repository now; None where the enrollment pinned none."""
    return (lambda: fetch(work(), library)) if library.has_repository else None


def _programs(config: Config, library: Library) -> ProgramFiles:
    """Return the programs beside this one; new ones come from the pinned repository."""

    async def released(path: str, digest: str, size_bytes_max: int) -> bytes:
        return await library.released(path, digest, size_bytes_max=size_bytes_max)

    return ProgramFiles.of(config.state_dir, config.path, released)


def _prepared(config: Config) -> Place:
    """Return the state directory, with the room that a store needs to be opened at all."""
    place = Place(config.state_dir)
    place.prepare()
    if shutil.disk_usage(config.state_dir).free < RESERVE_BYTES:
        Ballast(config.state_dir).drop()
    return place


def _socket_app(portal: Portal, work: Work, vault: Vault, library: Library) -> Starlette:
    """Return what the command line reaches: the portal's routes and its own."""
    more = (*local_phi.routes(Disclosures(work, vault)), *local_content.routes(library))
    return build(portal, Door.SOCKET, more=local.entries(work, more))


def policy_of(config: Config) -> Policy:
    """Return the configured policy of the scrubber.

    Raises:
        ConfigError: there is none of that name.
    """
    wanted, policies = config.file.phi.policy, installed_policies()
    if wanted not in policies:
        msg = f"phi.policy: there is no policy {wanted!a:.40}; there are {', '.join(policies)}"
        raise ConfigError(msg)
    return policies[wanted]


def people_of(config: Config, scrubber: Scrubber, clock: Clock) -> KnownPeopleFile | None:
    """Return what keeps the configured list of known people, None when none is configured."""
    path = config.file.phi.known_people
    if path is None:
        return None
    return KnownPeopleFile(
        Path(path), base=default_names(), scrubber=scrubber, clock=clock, entropy=system_entropy
    )


def _live(work: Work, library: Library, people: KnownPeopleFile | None, canaries: Canaries) -> Live:
    planted = canaries.of_day(EXPORT, now_ms=work.clock.now_ms())
    return Live(
        work.contact.since_ms,
        work.contact.seen_ms,
        people=people.seen if people is not None else None,
        canaries_ms=canaries.planted_ms,
        export_canary=planted.label(),
        origin=library.origin,
        trusted=library.trusted,
        program=work.programs.sentence() if work.programs is not None else "",
    )


def _portal(
    config: Config,
    work: Work,
    enrolled: Enrolled,
    *,
    root: TrustRoot,
    live: Callable[[], Live],
    box_keys: BoxKeys,
) -> Portal:
    return Portal(
        store=work.store,
        commands=People(work),
        accounts=Accounts(AccountTable(work.store), system_entropy),
        clock=work.clock,
        content=work.content,
        live=live,
        identity=Identity(
            site=work.scribe.site,
            appliance=work.scribe.appliance,
            place=config.file.site.label or enrolled.site,
            scribe=work.scribe,
            box_keys=box_keys,
            keeping=work.own_keys.keeping if work.own_keys else Keeping(How.NO_TPM),
            hub=root.hub_origin,
            development_trust=root.is_development,
            first_root=root.content_root.hex() if root.content_root is not None else "",
            version=work.version,
        ),
        pages=portal_pages(config.settings.site.time_zone),
        site=config.settings.site,
        scribe=work.scribe,
    )


async def run(config: Config) -> int:
    """Run the daemon until it is told to stop; return its exit status."""
    place = Place(config.state_dir)
    place.prepare()
    logger = log.logger("appliance")
    stop = asyncio.Event()
    with ServiceLock(config.state_dir, for_daemon=True):
        async with wired(config) as daemon:
            names = list({config.file.portal.host, *config.file.portal.names, "localhost"})
            material = tls.ensure(
                config.state_dir / "tls",
                names,
                now_ms=daemon.work.clock.now_ms(),
                common_name="Osiris appliance",
            )
            lan = listen_tcp(config.file.portal.host, config.file.portal.port)
            socket = listen_unix(place.socket)
            stop_on_signals(stop)
            pages = {"/api/status": daemon.socket_app, "/sign-in": daemon.lan_app}
            await prove_ready(daemon.work, pages, config.state_dir)
            # What lives as long as the process need not be looked at by the collector.
            gc.collect()
            gc.freeze()
            notify.ready("watching")
            _tell_keeping(logger, daemon.work)
            logger.info("serving", portal=f"{SCHEME}{lan.getsockname()[0]}:{lan.getsockname()[1]}")
            serving: dict[str, Task] = {
                "portal": partial(
                    serve,
                    daemon.lan_app,
                    lan,
                    stop=stop,
                    tls=tls.server_context(material),
                    room=OF_A_SITE,
                ),
                "socket": partial(serve, daemon.socket_app, socket, stop=stop, room=OF_A_SITE),
            }
            ending = {
                name: partial(_until, stop, loop, is_busy=partial(_is_repairing, daemon.work))
                if name == "heal"
                else partial(_until, stop, loop)
                for name, loop in loops(daemon).items()
            }
            restarting = asyncio.Event()
            ending["restart"] = partial(_restart, daemon.work, stop, restarting)
            pulse = Pulse(SteadyClock())
            turn = partial(take_turn, daemon.work)
            proving = {"store": partial(prove, "store", turn, pulse=pulse, stop=stop)}
            ended = serving | ending | proving
            status = await supervise(ended, log=logger, stop=stop, pulse=pulse)
    return RESTARTS if status == 0 and restarting.is_set() else status


def _tell_keeping(logger: log.Log, work: Work) -> None:
    if work.own_keys is not None:
        keeping = work.own_keys.keeping
        (logger.warning if keeping.needs_somebody else logger.info)("keys", kept=keeping.sentence)


async def _restart(work: Work, stop: asyncio.Event, restarting: asyncio.Event) -> None:
    """Stop the daemon when it is asked to start again."""
    await _until(stop, partial(_rung, work.bells.restart, restarting))
    stop.set()


async def _rung(bell: Bell, restarting: asyncio.Event) -> None:
    while not await bell.wait(IDLE_S):
        pass
    restarting.set()


async def _until(
    stop: asyncio.Event, loop: Task, *, is_busy: Callable[[], Awaitable[bool]] | None = None
) -> None:
    """Run a loop, which has no end of its own, until the stop.

    A loop that is busy then goes on; the supervisor bounds how long.
    """
    running = asyncio.ensure_future(loop())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if running.done() or (is_busy is not None and await is_busy()):
            await running
    finally:
        running.cancel()
        stopping.cancel()
        await asyncio.wait({running, stopping})


async def _is_repairing(work: Work) -> bool:
    """Tell whether a repair is under way: cutting it short would leave its outcome unknown."""
    async with work.store.read() as conn:
        return bool(await incidents.busy_targets(conn))


def loops(daemon: Daemon) -> dict[str, Task]:
    """Return the appliance's loops by name."""
    work = daemon.work
    found: dict[str, Task] = {
        "scan": partial(patient, work, partial(scan.run, work)),
        "heal": partial(heal.run, work),
        "check_in": partial(patient, work, partial(check_in.run, work)),
        "uplink": partial(patient, work, partial(uplink.run, work)),
        "orders": partial(orders.run, work),
        "tidy": partial(tidy.run, work, daemon.config.state_dir),
        "scrubbing": partial(scrubbing.run, work, daemon.scrubber, daemon.people),
        "canaries": partial(patient, work, partial(canaries.run, work, daemon.canaries)),
    }
    if daemon.library.has_repository:
        found["content"] = partial(patient, work, partial(content.run, work, daemon.library))
    if work.settings.networks:
        found["discover"] = partial(patient, work, partial(discover.run, work))
        found["greet"] = partial(patient, work, partial(greet.run, work))
    return found


def main() -> None:
    """Run the daemon from the command line of the service."""
    parser = argparse.ArgumentParser(prog="python -m appliance", description=__doc__)
    parser.add_argument("--config", type=Path, default=DEFAULT_PATH)
    parser.add_argument("--log", choices=("json", "text"), default="json")
    parsed = parser.parse_args()
    log.configure(as_json=parsed.log == "json", scrub=scrub_text)
    memory.keep_small()
    memory.leave_no_core()
    try:
        status = asyncio.run(run(read(parsed.config)))
    except OsirisError as error:
        sys.stderr.write(f"osiris appliance: {log.scrubbed(str(error))}\n")
        sys.exit(error.exit_status)
    if status == RESTARTS:
        # The same process under the same service manager: nothing of the old program is left.
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - our own program, no shell
    if status == 0:
        os.environ[ENV_STOPPED] = "1"  # whoever guards a new program does not start it again
    sys.exit(status)
