"""Revealing what a token stands for, and forgetting a person: on this appliance only.

Both ask for a named account, its password and a reason, and both are told in evidence before
anybody sees anything: who by the account's code, of which class, how many; never the value, never
the name of who was forgotten. The reason stays here, and the leaf commits to it.

Forgetting erases what the tokens stand for. The tokens themselves stay where they are, in evidence,
in logs, at the hub, and mean nothing to anybody any more: proofs over them stay valid.
"""

import aiosqlite

from appliance.core.disclosing import Act, act_draft
from appliance.core.erasure import Person, belongs
from appliance.handlers.signing_in import Asker, signed_in
from appliance.handlers.work import Work
from appliance.store import disclosures, evidence
from appliance.store.disclosures import Disclosure
from appliance.store.vault import Vault
from proto.evidence import PhiAct
from proto.phi import tokens
from proto.secret import Secret

SHOWN_MAX = 200


class Disclosures:
    """What people may ask of the vault."""

    def __init__(self, work: Work, vault: Vault) -> None:
        """Act on this appliance's store and vault."""
        self._work = work
        self._vault = vault

    async def reveal(self, token: str, asker: Asker) -> Secret:
        """Return what a token stands for, once the act is in evidence.

        Raises:
            MalformedError: no reason.
            SignInError: the account or its password is wrong; nothing was revealed.
            NotFoundError: this appliance gave no such token, or has forgotten it.
        """
        code = await signed_in(self._work, asker)
        value = await self._vault.reveal(token)
        act = Act(PhiAct.REVEALED, code, tokens.kind_of(token), 1)
        async with self._work.store.write() as conn:
            await self._tell(conn, act, asker)
        self._work.bells.uplink.ring()
        return value

    async def forget(self, whom: Person, asker: Asker) -> int:
        """Erase everything that tokens stand for and that is this person's; return how many.

        Raises:
            MalformedError: no reason.
            SignInError: the account or its password is wrong; nothing was forgotten.
        """
        code = await signed_in(self._work, asker)
        gone = await self._vault.belonging(lambda kind, value: belongs(whom, kind, value))
        async with self._work.store.write() as conn:
            forgotten = await self._vault.forget(conn, gone)
            await self._tell(conn, Act(PhiAct.FORGOTTEN, code, None, len(gone)), asker)
        forgotten()
        # The write-ahead log still holds the pages as they were.
        await self._work.store.give_back()
        self._work.bells.uplink.ring()
        return len(gone)

    async def latest(self) -> list[Disclosure]:
        """Return what was revealed and forgotten, the latest first."""
        async with self._work.store.read() as conn:
            return await disclosures.latest(conn, rows_max=SHOWN_MAX)

    async def _tell(self, conn: aiosqlite.Connection, act: Act, asker: Asker) -> None:
        work = self._work
        draft, why = act_draft(work.author(), act, asker.reason.strip())
        leaf = (await evidence.append(conn, work.scribe, [draft]))[0]
        done = Disclosure(
            leaf=leaf,
            at_ms=work.clock.now_ms(),
            account=asker.account,
            act=act.act,
            token_class=act.token_class,
            count=act.count,
            reason=asker.reason.strip(),
        )
        await disclosures.add(conn, done, why)
