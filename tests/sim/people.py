"""The people of a run, whose keys count for orders, and the word that they signed offline."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from appliance.core.trusted import Carrier, Part, Trusted
from proto.grants import Trust
from proto.keys import SigningKey
from proto.keysets import DAY_S, ROLES, Role
from proto.policy import Policy
from tests.fakes.hub import HubSecrets
from tests.unit import order_world
from tests.unit.order_world import key

NAMES = ("ada", "bea", "cyd")
GRANTED_PER_HOUR = 200


@dataclass(frozen=True, slots=True)
class OperatorsKeys:
    """Three operators, each of whom may sign everything, and the hub's order key's grant."""

    keys: Mapping[str, SigningKey]
    trust: Trust
    since_s: int

    def trust_at(self, _now_s: int) -> Trust:
        """Return whose signatures count: the same for as long as a run goes."""
        return self.trust

    def trusted(self, *, canaries: Collection[str]) -> Trusted:
        """Return what an appliance trusts; the sites that are no canaries are in a later ring."""
        ends_s = self.since_s + ROLES[Role.RELEASE].life_s
        rings = [
            {"name": "canary", "after_s": 0, "sites": sorted(canaries)},
            {"name": "rest", "after_s": 0, "sites": "all"},
        ]
        policy = {
            "v": 1,
            "version": 1,
            "created": self.since_s,
            "expires": ends_s,
            "rings": rings,
            "rollout": {"content": "00" * 32, "started": self.since_s, "is_halted": False},
            "download_hosts": [],
        }
        return Trusted(
            authority=self.trust.authority,
            trust=self.trust,
            policy=Policy.from_value(policy, "policy"),
            files={},
            promoted={},
            ends=dict.fromkeys(Part, ends_s),
            root_version=1,
            release_version=1,
            made_s=self.since_s,
            taken_s=self.since_s,
            content_s=0,
            carrier=Carrier.HUB,
            is_development=True,
        )


def operators(secrets: HubSecrets, *, since_s: int) -> OperatorsKeys:
    """Let three people say that they, and this hub's online keys, count."""

    def named(of: SigningKey) -> dict[str, object]:
        ends_s = since_s + 30 * DAY_S
        return {"key": of.public.b64(), "not_before": since_s - DAY_S, "not_after": ends_s}

    document = order_world.authority(
        people=[order_world.person(name) for name in NAMES],
        head_keys=[named(secrets.keys.of("head")[0])],
        log_keys=[named(secrets.keys.of("log")[0])],
    )
    grant = order_world.grant(
        key=secrets.keys.of("order")[0].public.b64(),
        per_hour=GRANTED_PER_HOUR,
        not_before=since_s,
        not_after=since_s + 5 * DAY_S,
    )
    trust = Trust(
        order_world.authority_set(document),
        order_world.grant_set(order_world.grants(grant)),
    )
    return OperatorsKeys({name: key(name) for name in NAMES}, trust, since_s)
