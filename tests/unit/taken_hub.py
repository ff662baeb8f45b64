"""Whoever took the whole hub tries what they can, with every key that is online there.

They hold the order key, the keys of heads and logs, of snapshots and timestamps, and the hub's half
of promoted rules; they write what they like to the order log and to the repository. They hold no
person's key. Each attempt is real: the code that an appliance runs answers it.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.core.content_refusals import ContentRefusedError
from appliance.core.order_gate import gate
from appliance.core.order_gate.clock import ONLINE_AHEAD_S_MAX, Floor
from appliance.core.order_gate.limits import SecurityWatch
from appliance.core.order_gate.values import Accepted, Situation
from proto import envelope, strict_json
from proto.envelope import Kind
from proto.errors import OsirisError
from proto.heads import open_head
from proto.hub.check_in import Head
from proto.keys import trust_one
from proto.keysets import DAY_S, Role
from proto.order_codes import Code
from proto.order_log import Batch, Mirror, follow
from proto.orders.kinds import OrderType
from tests.unit import content_world as content
from tests.unit import dated_head, taken_words
from tests.unit.content_world import NEWER, Repository
from tests.unit.core_values import SITE, TARGET
from tests.unit.order_world import (
    FILE,
    NOW,
    OTHER_SITE,
    PARAMS,
    SITUATION,
    body,
    having,
    key,
    logged,
    signed,
    verdict_on,
)
from tests.unit.test_order_gate import used
from tests.unit.test_order_log import KEYS, LEAVES, OTHER, batch, held

DONE = "done"


@dataclass(frozen=True)
class Attempt:
    """One thing that is tried.

    Attributes:
        what: in words, for the page.
        answer: `DONE`, or the code with which an appliance refuses it or lets it wait.
        because: what keeps it from happening, or what bounds it when it happens.
    """

    what: str
    try_it: Callable[[], str]
    answer: str
    because: str


def _gate(leaf: bytes, situation: Situation = SITUATION) -> str:
    verdict = verdict_on(leaf, situation)
    return DONE if isinstance(verdict, Accepted) else str(verdict.code)


def _order(order_type: OrderType, *people: str, **params: object) -> bytes:
    changed = {**PARAMS.get(order_type, {}), **params}
    return signed(body(order_type, params=changed), *people)


def _swapped() -> str:
    """Keep ada's signature and put other parameters under it."""
    signed_one = _order(OrderType.UPDATE_AGENT, "ada")
    document = strict_json.loads(signed_one, size_bytes_max=len(signed_one))
    assert isinstance(document, dict)
    other = body(OrderType.UPDATE_AGENT, params={"version": "9.9.9", "content_sha256": FILE})
    document["payload"] = strict_json.b64_encode(strict_json.dumps(other))
    return _gate(strict_json.dumps(document))


def _unlogged() -> str:
    """Deliver an order in the place of another, which is in the log."""
    delivery, head = logged(signed(body()))
    other = replace(delivery, leaf=CHANGES)
    verdict = gate.decide(other, head=head, trust=SITUATION.trust, situation=SITUATION)
    return DONE if isinstance(verdict, Accepted) else str(verdict.code)


def _log(mirror: Mirror, new: Batch) -> str:
    try:
        follow(mirror, new, log_keys=KEYS)
    except OsirisError as error:
        return error.code
    return DONE


def _old_head() -> str:
    """Answer a check-in with the head that answered another one."""
    asked, answered = (strict_json.b64_encode(bytes([n]) * 16) for n in range(2))
    state = strict_json.b64_encode(bytes(32))
    head = Head(challenge=answered, time=NOW, state=state, next_s=300)
    data = envelope.sign(Kind.HEAD, head.to_bytes(), key("head"))
    try:
        open_head(data, challenge=asked, heads=trust_one("hub", key("head").public))
    except OsirisError as error:
        return error.code
    return DONE


def _clock() -> str:
    """Say in a hundred heads that it is ever later, a hundred days in all."""
    floor = Floor()
    for days in range(100):
        floor = floor.after_online(NOW + days * DAY_S, clock_s=NOW)
    return DONE if floor.now_s(NOW) > NOW + ONLINE_AHEAD_S_MAX else "floor held"


def _content(attack: Callable[[Repository], None]) -> str:
    """Show a repository that was attacked to an appliance that holds an honest release."""
    repository = content.honest()
    with tempfile.TemporaryDirectory() as home:
        reader = content.reader_of(repository, Path(home))
        reader.look(repository)
        repository.release(2)
        repository.say_current(2)
        reader.look(repository)
        attack(repository)
        try:
            reader.look(repository)
        except ContentRefusedError as error:
            return error.code
    return DONE


def _releases(repository: Repository) -> None:
    repository.release(3, NEWER, signers=("snapshot", "timestamp"))
    repository.say_current(3)


def _grants_itself(repository: Repository) -> None:
    repository.grants(2, signers=("order", "head"))
    repository.say_current(3)


def _makes_a_root(repository: Repository) -> None:
    repository.root(2, "order", "head", "snapshot")


def _promotes(repository: Repository) -> None:
    repository.promoted(1, {"promoted/l1.p.x.yaml": b"id: l1.p.x\n"}, "promoted", "order")
    repository.say_current(3)


def _freezes(repository: Repository) -> None:
    repository.timestamp(3, life_s=365 * DAY_S)


def _rolls_back(repository: Repository) -> None:
    repository.current[Role.RELEASE] = 1
    repository.say_current(3)


def _withholds(repository: Repository) -> None:
    before = set(repository.files)
    repository.release(3, NEWER)
    repository.say_current(3)
    for name in set(repository.files) - before:
        if name.startswith("targets/content/"):
            del repository.files[name]


def _alters(repository: Repository) -> None:
    before = set(repository.files)
    repository.release(3, NEWER)
    repository.say_current(3)
    for name in set(repository.files) - before:
        if name.startswith("targets/content/"):
            repository.files[name] = repository.files[name].replace(b"id", b"ID")


def _switches_healing_off() -> str:
    """Send forged orders until the appliance holds orders back, and look at local healing then."""
    watch = SecurityWatch()
    for number in range(100):
        watch = watch.after(Code.SIGNATURE_BAD, now_s=NOW + number)
    assert watch.held_since_s is not None
    stopped = having("history", held_since_s=watch.held_since_s)
    return _gate(_order(OrderType.HEALING), stopped)


HEALS = _order(OrderType.HEALING)
CHANGES = _order(OrderType.UPDATE_AGENT, "ada")

CANNOT: tuple[Attempt, ...] = (
    Attempt("Install a program of its own on the appliance", lambda: _gate(_order(OrderType.UPDATE_AGENT)), "people_too_few", "a person signs on a machine of their own"),  # noqa: E501 - one row
    Attempt("Put other parameters under a person's signature", _swapped, "signature_bad", "people sign the exact bytes"),  # noqa: E501 - one row
    Attempt("Have one approved order done again", lambda: _gate(CHANGES, used(3, sid="12" * 32)), "replay_nonce", "a nonce is used once, for ever"),  # noqa: E501 - one row
    Attempt("Name a file that no release holds", lambda: _gate(_order(OrderType.UPDATE_AGENT, "ada", content_sha256="12" * 32)), "content_absent", "only targets of signed content may be named"),  # noqa: E501 - one row
    Attempt("Cut a computer off the network", lambda: _gate(_order(OrderType.ISOLATE_HOST)), "people_too_few", "two people sign, and the site may object for four hours"),  # noqa: E501 - one row
    Attempt("Switch healing off", lambda: _gate(_order(OrderType.DISABLE_HEALING)), "people_too_few", "two people sign"),  # noqa: E501 - one row
    Attempt("Waive a check", lambda: _gate(_order(OrderType.WAIVE)), "people_too_few", "people sign"),  # noqa: E501 - one row
    Attempt("Put another login in place of a computer's", lambda: _gate(_order(OrderType.UPDATE_CREDENTIALS)), "people_too_few", "a person signs"),  # noqa: E501 - one row
    Attempt("Heal with parameters of its own", lambda: _gate(_order(OrderType.HEALING, params={"value": "yes"})), "params_unapproved", "only what a rule or an approved plan gives"),  # noqa: E501 - one row
    Attempt("Heal where nothing drifted", lambda: _gate(_order(OrderType.HEALING, incident="i-zzzzzzzzzz")), "incident_not_open", "the incident must be open at the appliance"),  # noqa: E501 - one row
    Attempt("Heal a host that the site protects", lambda: _gate(HEALS, having("rules", protected=frozenset({TARGET}))), "protected_host", "the LAN's setting; no order lifts it"),  # noqa: E501 - one row
    Attempt("Change something at a site that only observes", lambda: _gate(HEALS, having("rules", is_observe_only=True)), "observe_only", "the LAN's setting; no order lifts it"),  # noqa: E501 - one row
    Attempt("Heal everything within the hour", lambda: _gate(HEALS, having("history", by_orders=10)), "rate_hour", "changes by orders within an hour are counted"),  # noqa: E501 - one row
    Attempt("Touch every computer within the hour", lambda: _gate(HEALS, having("history", touched=frozenset(f"t-{one * 10}" for one in "bcd"))), "blast_radius", "a share of the targets within an hour"),  # noqa: E501 - one row
    Attempt("Send a site an order that was made for another", lambda: _gate(signed(body(target={"site": OTHER_SITE, "appliance": "a-aaaaaaaaaa"}))), "scope_site", "the signed bytes name the site"),  # noqa: E501 - one row
    Attempt("Give an order that waits for its ring at once", lambda: _gate(CHANGES, having("place", ring=2)), "wait_past_exp", "the wait counts from when people could see it here"),  # noqa: E501 - one row
    Attempt("Keep an old approval and use it when it suits", lambda: _gate(CHANGES, having("moment", now_s=NOW + 3000)), "expired", "orders live a day at most"),  # noqa: E501 - one row
    Attempt("Have a change made while its answers are withheld", lambda: _gate(CHANGES, having("moment", answered_s=NOW - 400)), "head_old", "a veto must be able to arrive: five minutes"),  # noqa: E501 - one row
    Attempt("Answer a check-in with an old head", _old_head, "head_challenge", "a head repeats the random challenge"),  # noqa: E501 - one row
    Attempt("Move the clock by many heads", _clock, "floor held", "a day past the appliance's own clock, however many"),  # noqa: E501 - one row
    Attempt("Date a head past a time lock", dated_head.time_lock, "time_lock", "waits count on the appliance's own clock, which no signed time moves"),  # noqa: E501 - one row
    Attempt("Date a head past the wait of a ring", dated_head.ring_wait, "ring_wait", "waits count on the appliance's own clock"),  # noqa: E501 - one row
    Attempt("Date a head past the time to which people put an order off", dated_head.put_off, "not_before", "that too counts on the appliance's own clock"),  # noqa: E501 - one row
    Attempt("Date each head an hour later, for the next hour's changes", dated_head.rates, "rate_hour", "an hour is one of the appliance's own clock"),  # noqa: E501 - one row
    Attempt("Date heads apart, so that forged orders do not add up", dated_head.hold, "security_hold", "refusals are counted by the appliance's own clock"),  # noqa: E501 - one row
    Attempt("Date a head ahead and withhold all later ones", dated_head.fresh, "head_old", "a head is fresh from when it was asked for, whatever its date"),  # noqa: E501 - one row
    Attempt("Consent in the name of a site's people", taken_words.consents, "signature_threshold", "the appliance itself signs what its people said, with a key that is its own"),  # noqa: E501 - one row
    Attempt("Hand on what another appliance's people consented to", taken_words.hands_on_a_consent, "signature_threshold", "a consent counts at the appliance that signed it"),  # noqa: E501 - one row
    Attempt("Veto in the name of an appliance's own people", taken_words.vetoes_here, "signature_threshold", "the appliance itself signs what its people said"),  # noqa: E501 - one row
    Attempt("End the hold that its forged orders brought about", taken_words.ends_a_hold, "signature_threshold", "a person on the LAN ends it, or two operators do"),  # noqa: E501 - one row
    Attempt("Send the end of an earlier hold again", taken_words.ends_it_again, "security_hold", "it names one hold, and no two have one name"),  # noqa: E501 - one row
    Attempt("Give a re-imaged appliance its old orders", lambda: _gate(CHANGES, having("place", enrolled_at=6)), "before_enrollment", "leaves from before enrollment are history"),  # noqa: E501 - one row
    Attempt("Send an order that is in no log", _unlogged, "leaf_absent", "each leaf is proved to be under the log's signed head"),  # noqa: E501 - one row
    Attempt("Draft an order on another history of the log", lambda: _gate(CHANGES, having("ledger", root_then=bytes(32))), "prev_fork", "an order names the log that it was drafted on"),  # noqa: E501 - one row
    Attempt("Take an order out of the log", lambda: _log(held(9), batch(LEAVES, 0, 8)), "log_shrunk", "the site holds the log itself"),  # noqa: E501 - one row
    Attempt("Write the log anew", lambda: _log(held(9), batch(OTHER, 9, 12)), "log_fork", "one root for one size"),  # noqa: E501 - one row
    Attempt("Leave an order out of what a site sees", lambda: _log(held(5), replace(batch(LEAVES, 5, 9), leaves=(*LEAVES[5:6], *LEAVES[7:9]))), "log_fork", "every appliance mirrors all of it"),  # noqa: E501 - one row
    Attempt("Release content", lambda: _content(_releases), "content_unsigned", "two release people sign offline"),  # noqa: E501 - one row
    Attempt("Change a file of released content", lambda: _content(_alters), "content_mixed", "its digest is signed"),  # noqa: E501 - one row
    Attempt("Give itself a grant", lambda: _content(_grants_itself), "content_unsigned", "two operators sign offline"),  # noqa: E501 - one row
    Attempt("Promote a rule", lambda: _content(_promotes), "content_unsigned", "an operator signs too"),  # noqa: E501 - one row
    Attempt("Put its own keys in place of the root's", lambda: _content(_makes_a_root), "content_root_refused", "old and new root people sign offline"),  # noqa: E501 - one row
    Attempt("Hold a site at old content for a year", lambda: _content(_freezes), "content_refused", "a timestamp lives a day; then health says so"),  # noqa: E501 - one row
    Attempt("Go back to older content", lambda: _content(_rolls_back), "content_rolled_back", "versions never go back"),  # noqa: E501 - one row
    Attempt("Withhold a file of a new release", lambda: _content(_withholds), "content_withheld", "what runs goes on, and health says so"),  # noqa: E501 - one row
)  # fmt: skip
"""What is refused, or waits for people."""

CAN: tuple[Attempt, ...] = (
    Attempt("Ask for a scan, a check-in, or what sensors say", lambda: _gate(_order(OrderType.RUN_DRIFT)), DONE, "it changes nothing; the grant bounds how often"),  # noqa: E501 - one row
    Attempt("Read the appliance's log", lambda: _gate(_order(OrderType.VIEW_LOGS, part="uplink", since_s=60, lines=10, level="info")), DONE, "scrubbed like everything that leaves"),  # noqa: E501 - one row
    Attempt("Heal an open incident sooner than the appliance would", lambda: _gate(HEALS), DONE, "only the repair that the rules give, within the hourly limits"),  # noqa: E501 - one row
    Attempt("Restart the appliance's program", lambda: _gate(_order(OrderType.RESTART_AGENT, drain_s=0)), DONE, "within the hourly limits; it takes up its work again"),  # noqa: E501 - one row
    Attempt("Cancel an order that waits", lambda: _gate(_order(OrderType.CANCEL), having("ledger", waiting=frozenset({"0f" * 32}))), DONE, "it stops, it starts nothing; the log shows it"),  # noqa: E501 - one row
    Attempt("Make up a veto at another appliance of the site", taken_words.makes_up_a_neighbour, "vetoed", "it stops an order for the site, as silence would; the statement and its key stand in evidence"),  # noqa: E501 - one row
    Attempt("Keep a veto at one appliance of a site from the others", lambda: _gate(signed(body(OrderType.WAIVE, target={"site": SITE}), "ada")), DONE, "each appliance's own portal takes a veto; the logs show what was told to whom"),  # noqa: E501 - one row
    Attempt("Keep an operator's veto from a site", taken_words.keeps_an_operators_veto, DONE, "only of what people signed themselves; each appliance's own portal takes a veto, and shows what waits on its first page"),  # noqa: E501 - one row
    Attempt("Keep operators' end of a hold to itself", _switches_healing_off, "security_hold", "orders stay held, which it could have by silence; a person on the LAN ends the hold"),  # noqa: E501 - one row
    Attempt("Have orders held back by sending forged ones", _switches_healing_off, "security_hold", "only orders: local rules go on healing"),  # noqa: E501 - one row
)  # fmt: skip
"""What a taken hub can do, and what bounds it."""

ATTEMPTS = (*CANNOT, *CAN)
