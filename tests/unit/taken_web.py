"""Whoever took the hub's web process alone asks its signer for what they like.

They write anywhere in the hub's directories but the signer's, and hold no key at all. Each attempt
is real: the signer that the hub runs answers it.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from central.core.signer_talk import AskDraft, AskFresh, AskHeads, AskPromote, Refused
from central.signer.fresh import Repository
from central.signer.ledger import Ledger
from central.signer.signer import Signer
from proto import strict_json
from proto.hub.check_in import NOTHING_ACKNOWLEDGED, Head
from proto.keysets import DAY_S, Role
from proto.message import Message
from proto.orders.kinds import OrderType
from proto.strict_json import b64_encode
from runtime import sqlite
from runtime.repository.documents import Making, add_signatures, make_root
from runtime.repository.freshness import freshen
from runtime.repository.layout import Place
from tests.unit import order_world
from tests.unit.fresh_world import FreshWorld, asking
from tests.unit.signer_world import BOX, HUB_ORIGIN, SITE, wish
from tests.unit.taken_hub import DONE, Attempt


@dataclass
class Ask:
    """Asks a signer, as whoever holds the web process can.

    Attributes:
        told: what it answered last.
    """

    signer: Signer
    told: dict[str, Any] = field(default_factory=dict)

    def __call__(self, message: Message | bytes) -> str:
        """Return `DONE`, or the code of its refusal."""
        frame = message if isinstance(message, bytes) else message.to_bytes()
        self.told = json.loads(self.signer.answer(frame))
        return Refused.from_value(self.told, "").refused if "refused" in self.told else DONE


def _web(attack: Callable[[Ask, FreshWorld], str]) -> Callable[[], str]:
    """Let somebody ask a signer whose repository holds two honest releases."""

    def tried() -> str:
        with tempfile.TemporaryDirectory() as directory:
            fresh = FreshWorld(Path(directory))
            world = fresh.world
            freshen(world.place, world.incoming.directory, world.fresh_keys, now_s=fresh.now_s)
            world.release(2)
            world.take_in()
            signer = Signer(
                fresh.keys,
                Ledger(sqlite.plain(Path(directory) / "signer.db", read_only=False)),
                hub_origin=HUB_ORIGIN,
                trust=lambda _now_s: order_world.TRUST,
                repository=Repository(
                    Place(world.incoming.directory, beneath=world.place), fresh.pinned
                ),
                clock=fresh.clock,
                entropy=fresh.entropy,
            )
            ask = Ask(signer)
            assert ask(asking(1, release=2, grants=1)) == DONE
            return attack(ask, fresh)

    return tried


def _bytes(ask: Ask, _fresh: FreshWorld) -> str:
    frame = {"op": "log", "sid": "00" * 32, "given": [], "body": b64_encode(b"{}")}
    return ask(strict_json.dumps(frame))


def _unbuilt(ask: Ask, _fresh: FreshWorld) -> str:
    return ask(strict_json.dumps({"op": "log", "sid": "12" * 32, "given": []}))


def _ungranted(ask: Ask, _fresh: FreshWorld) -> str:
    made = wish(OrderType.RUN_DRIFT)
    return ask(
        AskDraft(
            site=SITE,
            appliance=BOX,
            type=made.type,
            params=dict(made.params),
            tier=made.tier,
            people=0,
            life_s=3600,
            not_before=0,
            reason="asked for by somebody",
            by="ada",
        )
    )


def _unsigned_release(ask: Ask, fresh: FreshWorld) -> str:
    place = fresh.world.place
    document = json.loads(place.read(Role.RELEASE, 2))
    document["signatures"], document["signed"]["version"] = [], 3
    mine = add_signatures(json.dumps(document).encode(), [fresh.world.key()])
    place.write(Role.RELEASE, 3, mine)
    return ask(asking(1, release=3, grants=1))


def _two_copies(ask: Ask, fresh: FreshWorld) -> str:
    """Publish a release, and serve another document by its name; have that renewed in time."""
    world = fresh.world
    world.release(3)
    document = json.loads(world.incoming.read(Role.RELEASE, 3))
    document["signatures"], document["signed"]["version"] = [], 999_999_999
    world.place.write(Role.RELEASE, 3, json.dumps(document).encode())
    world.place.metadata(Role.TIMESTAMP, 0).write_bytes(b"{}")
    answer = ask(asking(1, release=3, grants=1))
    if answer != DONE:
        return answer
    for role in (Role.SNAPSHOT, Role.TIMESTAMP):
        made = ask.told[f"{role}_document"].encode()
        world.place.write(role, ask.told[role], made)
    fresh.clock.advance(4 * DAY_S * 1000)
    return ask(asking(1, release=3, grants=1))


def _renamed(ask: Ask, fresh: FreshWorld) -> str:
    place = fresh.world.place
    place.write(Role.RELEASE, 999_999, place.read(Role.RELEASE, 2))
    return ask(asking(1, release=999_999, grants=1))


def _unsigned_rules(ask: Ask, fresh: FreshWorld) -> str:
    fresh.world.resign(Role.PROMOTED, 1, fresh.world.key())
    return ask(AskPromote(root=1, release=2, promoted=1))


def _rules_beside_an_older_release(ask: Ask, fresh: FreshWorld) -> str:
    fresh.world.release(3)
    if (answer := ask(asking(1, release=3, grants=1))) != DONE:
        return answer
    fresh.world.resign(Role.PROMOTED, 1, fresh.world.people[Role.OPERATOR, "dev-1"])
    return ask(AskPromote(root=1, release=2, promoted=1))


def _older(ask: Ask, _fresh: FreshWorld) -> str:
    return ask(asking(1, release=1, grants=1))


def _without_grants(ask: Ask, _fresh: FreshWorld) -> str:
    return ask(AskFresh(root=1, release=2, grants=0, promoted=0))


def _own_root(ask: Ask, fresh: FreshWorld) -> str:
    world = fresh.world
    mine = make_root(world.root_plan(), Making.of(Role.ROOT, 1, now_s=fresh.now_s))
    world.place.metadata(Role.ROOT, 1).write_bytes(add_signatures(mine, [world.key(), world.key()]))
    return ask(asking(1, release=2, grants=1))


def _later_head(ask: Ask, fresh: FreshWorld) -> str:
    challenge = b64_encode(bytes(16))
    head = Head(
        challenge=challenge, time=fresh.now_s + DAY_S, state=NOTHING_ACKNOWLEDGED, next_s=300
    )
    return ask(AskHeads(bodies=(b64_encode(head.to_bytes()),)))


WEB: tuple[Attempt, ...] = (
    Attempt("Have bytes of its own signed", _web(_bytes), "malformed", "the signer builds all that it signs"),  # noqa: E501 - one row
    Attempt("Have an order signed that the signer did not build", _web(_unbuilt), "draft_unknown", "it knows its own by their names"),  # noqa: E501 - one row
    Attempt("Order something that no grant of the signer's keys covers", _web(_ungranted), "grant_absent", "two operators sign what may be ordered"),  # noqa: E501 - one row
    Attempt("Have a release said to be current that no two people signed", _web(_unsigned_release), "people_threshold", "the signer reads and checks it itself"),  # noqa: E501 - one row
    Attempt("Show the signer a release that people signed, and serve another under its name", _web(_two_copies), "integrity", "what is listed are the bytes that were checked"),  # noqa: E501 - one row
    Attempt("Have rules promoted that no operator signed", _web(_unsigned_rules), "people_threshold", "the signer reads who signed, and holds each rule against its limits"),  # noqa: E501 - one row
    Attempt("Have an operator's rules promoted beside a release that people have replaced", _web(_rules_beside_an_older_release), "conflict", "what was said to be current is never gone back behind"),  # noqa: E501 - one row
    Attempt("Give a release that people signed a version of years to come", _web(_renamed), "malformed", "a document says its version itself"),  # noqa: E501 - one row
    Attempt("Have an older release said to be current", _web(_older), "conflict", "the signer keeps what it said last"),  # noqa: E501 - one row
    Attempt("Leave the grants out of what is current", _web(_without_grants), "conflict", "what was listed stays listed"),  # noqa: E501 - one row
    Attempt("Put another first root in place", _web(_own_root), "integrity", "the trust root pins it"),  # noqa: E501 - one row
    Attempt("Have an answer to a check-in dated tomorrow", _web(_later_head), "head_time", "the signer has a clock of its own"),  # noqa: E501 - one row
)  # fmt: skip
"""What the signer refuses; everything that it signs comes to a bounded number an hour."""
