"""Variants of the product that break a promise on purpose, to show that the simulator can fail.

Each swaps one name of one module for as long as a `with` lasts.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from appliance.core import healing, schedule
from appliance.core.healing import Ended, Event, Move, Situation
from appliance.handlers import repair
from appliance.handlers.work import Work
from appliance.store import journal
from appliance.store.journal import Journaled
from central.api import agent
from central.core.ingest import Accepted
from proto.evidence import Result
from proto.incidents import Incident, State
from proto.judge import Judgement
from tests.sim import order_mutants


@dataclass(frozen=True, slots=True)
class Mutant:
    """One broken variant.

    Attributes:
        told: what the simulator must say of it.
        first_seed: where to begin looking: a seed that is known to show it, or where it ends.
    """

    swap: Callable[[pytest.MonkeyPatch], None]
    told: str
    first_seed: int = 1


def _runs_again(patch: pytest.MonkeyPatch) -> None:
    """After a restart a command that had started is taken for one that had not."""
    honest = journal.unfinished

    async def forgetful(conn: Any, incident: Any) -> Journaled | None:  # noqa: ANN401 - passed through
        found = await honest(conn, incident)
        return replace(found, is_started=False) if found else None

    patch.setattr(journal, "unfinished", forgetful)


def _trusts_the_exit_status(patch: pytest.MonkeyPatch) -> None:
    """A verify opens no session: what the steps said is taken for the check's answer."""

    async def credulous(_: Work, check: Any, __: Any, *, target: Any) -> Judgement:  # noqa: ANN401 - as ask_anew
        del target
        example = next(one for one in check.examples if one.verdict == "compliant")
        seen = {name: example.answer[name] for name in check.reported}
        return Judgement(example.verdict, None, example.answer, seen)

    patch.setattr(repair, "ask_anew", credulous)


def _never_undoes(patch: pytest.MonkeyPatch) -> None:
    """A repair that did not hold is said to be undone and is left as it is."""

    def shrug(incident: Incident, _: Event, at: Situation) -> Move:
        left = replace(
            incident, state=State.OPEN, attempt=2, not_before_ms=at.now_ms + healing.REOPEN_MS
        )
        return Move(left, ended=Ended(Result.UNDONE))

    table = healing._TRANSITIONS  # noqa: SLF001 - the table is what is to be broken
    patch.setitem(table, (State.EXECUTING, healing.Failed), shrug)


def _retries_refused_logins(patch: pytest.MonkeyPatch) -> None:
    """A refused login counts as a host that is away for a moment."""
    patch.setattr(schedule, "REFUSED", frozenset())
    patch.setattr(repair, "REFUSED", frozenset())


def _folds_by_halves(patch: pytest.MonkeyPatch) -> None:
    """The hub keeps every leaf of a batch and reads only the first."""
    honest = agent._fold  # noqa: SLF001 - the function is what is to be broken

    async def careless(hub: Any, connection: Any, *, known: Any, accepted: Accepted) -> None:  # noqa: ANN401 - passed through
        first = replace(accepted, leaves=accepted.leaves[:1])
        await honest(hub, connection, known=known, accepted=first)

    patch.setattr(agent, "_fold", careless)


MUTANTS: dict[str, Mutant] = {
    "runs again": Mutant(_runs_again, "a second time"),
    "trusts the exit status": Mutant(_trusts_the_exit_status, "without a passing re-check"),
    "never undoes": Mutant(_never_undoes, "said to be undone, and was not", 5),
    "retries refused logins": Mutant(_retries_refused_logins, "refused logins", 5),
    "folds by halves": Mutant(_folds_by_halves, "are not what the log folds to"),
    "writes the ledger late": Mutant(order_mutants.writes_the_ledger_late, "its ledger has []"),
    "frees the nonce": Mutant(order_mutants.frees_the_nonce, "runs a second time", 2),
    "counts no people": Mutant(order_mutants.counts_no_people, "people"),
    "forgets what it did": Mutant(order_mutants.forgets_what_it_did, "runs a second time", 3),
    "hears no veto": Mutant(order_mutants.hears_no_veto, "veto", 4),
    "looks at no clock": Mutant(order_mutants.looks_at_no_clock, ", is for ", 4),
    "runs without a receipt": Mutant(order_mutants.runs_without_a_receipt, "its ledger has []", 3),
}


@contextmanager
def broken(name: str) -> Iterator[None]:
    """Put a broken variant in place while the block lasts."""
    with pytest.MonkeyPatch.context() as patch:
        MUTANTS[name].swap(patch)
        yield
