"""The hub's daemon, wired once: `python -m central --config FILE`, or `osiris hub serve`."""

import argparse
import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvloop
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as WriterBusyError
from starlette.types import ASGIApp

from central import config as configuration
from central import setup
from central.api.machine_routes import MACHINE_ROUTES
from central.api.raw import Machines
from central.config import Config
from central.core.admission import closed_fields
from central.jobs.content import ContentJob
from central.operators import Operators, OrderDesk, ReleasedRunbooks
from central.routes import PEOPLE_ROUTES
from central.signer_child import signer_child
from central.signer_link import CONTENT_S, SignerLink, SocketTalk
from central.state import Console, Hub, load_registry
from central.store.accounts import HubAccounts
from central.store.check_ins import CheckInGroups
from central.store.engine import Store, open_store
from central.store.migrate import migrate
from central.store.registry import Registry
from proto.catalog.load import load
from proto.errors import OsirisError
from proto.phi import default_names, default_policy
from proto.phi.admission import Looker
from runtime import notify, tls
from runtime.clock import SteadyClock, SystemClock, system_entropy
from runtime.content import read_installed
from runtime.log import configure, logger
from runtime.serve import listen_tcp, raise_file_limit, serve
from runtime.service_lock import ServiceLock
from runtime.supervisor import Pulse, prove, stop_on_signals, supervise
from runtime.terminal import note
from runtime.unix_socket import listen_unix
from runtime.web import people
from runtime.web.access import Door, Serving, application
from runtime.web.sessions import Accounts
from runtime.web.templates import Pages

TEMPLATES = Path(__file__).parent / "console" / "templates"


@dataclass(frozen=True, slots=True)
class Daemon:
    """The hub and its two doors: `network` over HTTPS, `socket` to this machine's administrator."""

    hub: Hub
    network: ASGIApp
    socket: ASGIApp


@asynccontextmanager
async def wired(config: Config, *, signer: int | None = None) -> AsyncIterator[Daemon]:
    """Open the store, bring it to this program's schema, and wire everything to it.

    Args:
        config: the hub's.
        signer: the signer's process; None for whoever listens at its socket.

    Raises:
        ConfigError: the hub was not set up, or cannot be.
        IntegrityError: the store is a newer program's.
    """
    place = setup.Place(config.state_dir)
    raw, root = setup.load_root(place)
    store = open_store(config.store_url)
    talk = SocketTalk(place.signer_socket, process=signer)
    content = load(read_installed())
    try:
        await migrate(store)
        hub = Hub(
            origin=root.hub_origin,
            root=raw,
            claims=setup.load_claims(place),
            signer=SignerLink(talk),
            desk=OrderDesk(
                Operators(place.authority),
                content.runbooks,
                released=ReleasedRunbooks(place.repository.place, content.runbooks),
            ),
            store=store,
            registry=Registry(root.hub_origin),
            check_ins=CheckInGroups(store),
            settings=config.settings,
            looker=Looker(default_policy(), default_names()),
            closed=closed_fields(content),
            clock=SystemClock(),
            entropy=system_entropy,
            log=logger("hub"),
            content=place.repository.place.directory,
            trust=setup.trust_of(place, root),
        )
        await load_registry(hub)
        yield _daemon(config, hub)
    finally:
        await talk.close()
        await store.close()


def _daemon(config: Config, hub: Hub) -> Daemon:
    zone_name = config.file.console.time_zone
    pages = Pages(TEMPLATES, people.zone(zone_name), zone_name)
    accounts = Accounts(HubAccounts(hub.store), hub.entropy)
    console = Console(hub, accounts, pages, config.file.console.name)
    serving = Serving(
        app=console,
        sessions=accounts,
        pages=pages,
        now_ms=hub.clock.now_ms,
        place=console.place,
    )
    network = Machines(hub, MACHINE_ROUTES, others=application(PEOPLE_ROUTES, Door.LAN, serving))
    return Daemon(hub, network, application(PEOPLE_ROUTES, Door.SOCKET, serving))


async def run(config: Config) -> int:
    """Serve until a signal comes; return the exit status."""
    place, stop = setup.Place(config.state_dir), asyncio.Event()
    stop_on_signals(stop)
    material = setup.server_tls(config, SystemClock())
    # A port that is in use is said before anything is started.
    lan = listen_tcp(config.file.listen.host, config.file.listen.port)
    local = listen_unix(place.socket)
    async with (
        signer_child(config) as signer,
        wired(config, signer=signer.pid) as daemon,
        # What takes the signer long has a connection of its own.
        SocketTalk(place.signer_socket, answer_s=CONTENT_S, process=signer.pid) as talk,
    ):
        port = lan.getsockname()[1]

        pulse = Pulse(SteadyClock())
        content = ContentJob(
            config.state_dir, SignerLink(talk), clock=daemon.hub.clock, log=daemon.hub.log
        )

        async def serve_all() -> None:
            context = tls.server_context(material)
            await asyncio.gather(
                serve(daemon.network, lan, stop=stop, tls=context),
                serve(daemon.socket, local, stop=stop),
            )
            daemon.hub.check_ins.close()

        # What lives as long as the process need not be looked at by the collector.
        gc.freeze()
        await signer.until_it_answers(daemon.hub.signer)
        if daemon.hub.looker.names is None:
            daemon.hub.log.warning("names_missing", then="no free text is admitted")
        daemon.hub.log.info("serving", origin=daemon.hub.origin, port=port)
        notify.ready(f"serving {daemon.hub.origin}")
        return await supervise(
            {
                "serve": serve_all,
                "check-ins": daemon.hub.check_ins.run,
                "signer": partial(signer.watch, stop),
                "store": partial(
                    prove, "store", partial(take_turn, daemon.hub.store), pulse=pulse, stop=stop
                ),
                "content": partial(content.run, stop),
            },
            log=daemon.hub.log,
            stop=stop,
            pulse=pulse,
        )


async def take_turn(store: Store) -> None:
    """Have the store's writer once, as every request waits for it.

    A store that says it is full or away has answered: a new process would find it no better. One
    whose writer is never free has not, however often the wait for it ends.
    """
    while True:
        try:
            async with store.write():
                return
        except OperationalError:
            return
        except WriterBusyError:
            continue


def serve_forever(config: Config) -> int:
    """Hold the state directory's lock and serve; return the exit status.

    Raises:
        ConflictError: another process serves this state directory.
    """
    setup.load_root(setup.Place(config.state_dir))
    configure(as_json=config.file.log_json)
    raise_file_limit()
    with (
        ServiceLock(config.state_dir, for_daemon=True),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(run(config))


def main() -> int:
    """Run the daemon from its own command line."""
    parser = argparse.ArgumentParser(prog="python -m central", description=__doc__)
    parser.add_argument("--config", type=Path, default=configuration.DEFAULT_PATH)
    try:
        return serve_forever(configuration.read(parser.parse_args().config))
    except OsirisError as error:
        note(f"osiris hub: {error}")
        return error.exit_status
