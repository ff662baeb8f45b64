"""Asking a check's probe on an open session, and judging what it printed."""

from appliance.handlers.logins import login_of
from appliance.handlers.work import Work
from appliance.ports import Script, Session, ShellError
from proto.catalog.model import Check
from proto.findings import Finding, Vantage
from proto.ids import TargetId
from proto.inventory import Facts, as_variables
from proto.judge import Judgement, judge, unknown


async def ask(session: Session, check: Check, facts: Facts) -> Judgement:
    """Run a check's script and judge it; a target that fails to answer gives unknown."""
    script = Script(
        text=check.probe.script,
        variables=as_variables(facts),
        as_root=check.probe.as_root,
        timeout_s=check.probe.timeout_s,
    )
    try:
        ran = await session.run(script)
    except ShellError as error:
        return unknown(error.reason, str(error))
    return judge(check, exit_status=ran.exit_status, stdout=ran.stdout, facts=facts)


async def ask_anew(work: Work, check: Check, facts: Facts, *, target: TargetId) -> Judgement:
    """Ask a check in a session opened for it alone."""
    try:
        login = await login_of(work, target)
        async with work.shell.session(login) as session:
            return await ask(session, check, facts)
    except ShellError as error:
        return unknown(error.reason, str(error))


def finding_of(
    work: Work,
    check: Check,
    judgement: Judgement,
    *,
    target: TargetId,
    vantage: Vantage = Vantage.SSH,
) -> Finding:
    """Return a judgement as the finding of a target, as seen now from `vantage`."""
    return Finding(
        site=work.scribe.site,
        target=target,
        check=check.id,
        verdict=judgement.verdict,
        reason=judgement.reason,
        seen=dict(judgement.seen),
        at_ms=work.clock.now_ms(),
        vantage=vantage,
        content=work.content().digest,
    )
