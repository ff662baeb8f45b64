"""A repair's line: one session for what runs in a row, and no script sent twice."""

from functools import partial

import pytest

from appliance.handlers.line import Line, line_by
from appliance.ports import Login, NotSentError, Script, ShellError, Sudo
from proto.findings import Reason
from proto.ids import TargetId
from tests.fakes.shell import FakeHost, FakeShell, Table, credential, ran

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"
LOST = ShellError(Reason.UNREACHABLE, "the connection was lost while the script ran")
DROPPED = NotSentError(Reason.UNREACHABLE, "the connection was lost before the script was sent")
LOGIN = Login(
    target=TargetId("t-aaaaaaaaaa"),
    address="10.0.0.1",
    port=22,
    user="root",
    host_key=KEY,
    sudo=Sudo.NONE,
    credential=credential(key="the key"),
)


def _script(text: str) -> Script:
    return Script(text=text, variables={}, as_root=True, timeout_s=20)


@pytest.fixture
def host() -> FakeHost:
    return FakeHost(Table(("", ran("done"))), KEY, users={"root": LOGIN.credential})


@pytest.fixture
def shell(host: FakeHost) -> FakeShell:
    return FakeShell({(LOGIN.address, LOGIN.port): host})


async def _run(line: Line, *texts: str) -> None:
    for text in texts:
        await line.run(_script(text))


async def test_what_runs_in_a_row_shares_one_login(host: FakeHost, shell: FakeShell) -> None:
    async with line_by(partial(shell.session, LOGIN)) as line:
        assert host.logins == 0
        await _run(line, "capture", "step 0", "step 1")
    assert host.logins == 1
    assert shell.open_sessions == 0


async def test_a_session_that_was_lost_in_between_is_replaced(
    host: FakeHost, shell: FakeShell
) -> None:
    async with line_by(partial(shell.session, LOGIN)) as line:
        await _run(line, "capture")
        host.run_failures.append(DROPPED)
        await _run(line, "step 0")
    assert [one.text for one in host.ran] == ["capture", "step 0"]
    assert (host.logins, shell.open_sessions_max, shell.open_sessions) == (2, 1, 0)


async def test_a_script_whose_connection_was_lost_is_not_sent_again(
    host: FakeHost, shell: FakeShell
) -> None:
    host.fails_after = True
    async with line_by(partial(shell.session, LOGIN)) as line:
        host.run_failures.append(LOST)
        with pytest.raises(ShellError):
            await _run(line, "step 0")
        assert line.sent
        assert shell.open_sessions == 0
        await _run(line, "undo")
    assert [one.text for one in host.ran] == ["step 0", "undo"]
    assert host.logins == 2


async def test_a_login_that_fails_sent_nothing(host: FakeHost, shell: FakeShell) -> None:
    async with line_by(partial(shell.session, LOGIN)) as line:
        await _run(line, "capture")
        host.run_failures.append(DROPPED)
        host.login_failures.append(ShellError(Reason.UNREACHABLE, "no answer"))
        with pytest.raises(ShellError):
            await _run(line, "step 0")
        assert not line.sent


async def test_a_new_session_that_takes_no_script_sent_nothing(
    host: FakeHost, shell: FakeShell
) -> None:
    host.run_failures.append(NotSentError(Reason.AUTH_REFUSED, "the host refused a channel"))
    async with line_by(partial(shell.session, LOGIN)) as line:
        with pytest.raises(NotSentError):
            await _run(line, "step 0")
        assert not line.sent
    assert host.ran == []
