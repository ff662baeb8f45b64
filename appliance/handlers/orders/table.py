"""Which order types this appliance can carry out, and by what; none can be forgotten.

A type of `NOT_HERE` has no machinery on this appliance: the gate refuses it with its own code
(`not_on_this_appliance`), and it never runs.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from appliance.handlers.orders import Resume, Run
from proto.invariants import require
from proto.orders.kinds import OrderType

RUNS: Final[Mapping[OrderType, Run]] = MappingProxyType({})
"""What carries out an order of each type."""

RESUMES: Final[Mapping[OrderType, Resume]] = MappingProxyType({})
"""What says after a start how an order ended, for the types that end only then."""

NOT_HERE: Final[frozenset[OrderType]] = frozenset(OrderType)
"""The types without machinery on this appliance."""

require(not RUNS.keys() & NOT_HERE, "a type is carried out here, or it is not")
require(RUNS.keys() | NOT_HERE == set(OrderType), "every type is carried out here, or it is not")
require(RESUMES.keys() <= RUNS.keys(), "only what is run here ends after a start")
