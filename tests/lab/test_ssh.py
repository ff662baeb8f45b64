"""What only a real sshd, a real sudo and real processes can show about the SSH shell."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.identity import fingerprint
from appliance.ports import Login, Script, ShellError, Sudo
from appliance.shell.ssh import SshSession
from proto.errors import IntegrityError
from proto.findings import Reason
from tests.fakes import tcp
from tests.fakes.shell import credential
from tests.lab.ssh_host import PASSWORD, SshHost, new_key, public_line, ssh_host

pytestmark = pytest.mark.lab

END_S = 10
LONG = "sleep 4321 & (trap '' TERM; sleep 4322) & sleep 4323"
"""Three processes: a child, one that ignores TERM, and the one the script waits for."""

SLEEPERS = "pgrep -f '^sleep 432[123]$' | wc -l"


@pytest.fixture(scope="module")
def host() -> Iterator[SshHost]:
    with ssh_host() as started:
        yield started


def _script(text: str, *, as_root: bool = True, timeout_s: int = 20) -> Script:
    return Script(text=text, variables={}, as_root=as_root, timeout_s=timeout_s)


def _sleepers(host: SshHost) -> int:
    return int(host.inside(SLEEPERS))


async def _until(host: SshHost, count: int) -> None:
    """Wait until so many of the script's processes run."""
    async with asyncio.timeout(END_S):
        # Another machine's processes send no event, so they are looked at again.
        while await asyncio.to_thread(_sleepers, host) != count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def _log(host: SshHost, pattern: str) -> int:
    """Count the lines of the host's journal that match."""
    if host.world.init == "stand-in":
        pytest.skip("no journal to count in: hosts run our stand-in for systemd here")
    return int(host.inside(f"journalctl --sync; journalctl -q | grep -cE '{pattern}'"))


def _logins(host: SshHost) -> list[Login]:
    return [host.login("free", Sudo.NOPASSWD), host.login("asked", Sudo.ASK), host.login("plain")]


@pytest.mark.parametrize("which", [0, 1, 2], ids=["nopasswd", "ask", "none"])
async def test_past_the_deadline_nothing_of_a_script_is_left(host: SshHost, which: int) -> None:
    login = _logins(host)[which]
    async with host.shell().session(login) as session:
        with pytest.raises(ShellError, match="ended after 1 s") as late:
            await session.run(_script(LONG, timeout_s=1, as_root=login.sudo is not Sudo.NONE))
        # By the time the caller knows, the target is already free for the next script.
        assert _sleepers(host) == 0
    assert late.value.reason is Reason.TIMEOUT


@pytest.mark.parametrize("which", [0, 1, 2], ids=["nopasswd", "ask", "none"])
async def test_a_cancelled_client_ends_the_script_and_its_children(
    host: SshHost, which: int
) -> None:
    login = _logins(host)[which]
    async with _running(host, login) as (task, _):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await _until(host, 0)


async def test_a_cancelled_run_alone_ends_the_script_and_the_session_lives_on(
    host: SshHost,
) -> None:
    login = host.login("free", Sudo.NOPASSWD)
    async with host.shell().session(login) as session:
        task = asyncio.create_task(session.run(_script(LONG)))
        await _until(host, 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await _until(host, 0)
        assert (await session.run(_script("id -u"))).stdout == b"0\n"


async def test_a_dropped_connection_ends_the_script_and_its_children(host: SshHost) -> None:
    async with _running(host, host.login("free", Sudo.NOPASSWD)) as (task, _):
        host.inside("pkill -9 -f '^sshd: free'")  # the connection's own process, not its children
        with pytest.raises(ShellError) as lost:
            await task
        assert lost.value.reason is Reason.UNREACHABLE
        await _until(host, 0)


@asynccontextmanager
async def _running(
    host: SshHost, login: Login
) -> AsyncIterator[tuple[asyncio.Task[None], SshSession]]:
    """Run the long script in a task of its own; leave nothing behind."""
    opened: asyncio.Future[SshSession] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        async with host.shell().session(login) as session:
            opened.set_result(session)
            await session.run(_script(LONG, as_root=login.sudo is not Sudo.NONE))

    task = asyncio.create_task(work())
    try:
        await _until(host, 3)
        yield task, await opened
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_wrong_password_costs_one_attempt(host: SshHost) -> None:
    before = _log(host, "sshd.*Failed .* for plain")
    with pytest.raises(ShellError) as refused:
        async with host.shell().session(host.by_password("plain", "wrong")):
            pytest.fail("logged in with a wrong password")
    assert refused.value.reason is Reason.AUTH_REFUSED
    assert _log(host, "sshd.*Failed .* for plain") == before + 1


async def test_a_wrong_sudo_password_costs_one_attempt_however_many_scripts(
    host: SshHost,
) -> None:
    failed = r"sudo.*pam_unix.*authentication failure.*user=asked"
    before = _log(host, failed)
    given = credential(key=host.key, sudo_password="wrong")  # noqa: S106 - it is
    login = replace(host.login("asked", Sudo.ASK), credential=given)
    async with host.shell().session(login) as session:
        for _ in range(3):
            with pytest.raises(ShellError) as refused:
                await session.run(_script("touch /tmp/ran"))
            assert refused.value.reason is Reason.SUDO_REFUSED
    assert _log(host, failed) == before + 1
    assert host.inside("test -e /tmp/ran && echo ran") == ""


async def test_no_password_script_or_value_is_in_an_argument_list_or_environment(
    host: SshHost,
) -> None:
    seen = "tr '\\0' '\\n' < /proc/$p/$f 2>/dev/null"
    spy = f"""
      needle1='only in'' this test'; needle2='a va''lue nobody sees'; needle3=nee''dle
      for p in $(ls /proc | grep '^[0-9]'); do for f in cmdline environ; do
        {seen} | grep -F -e "$needle1" -e "$needle2" -e "${{needle3}}2=" && echo "in $p/$f"
      done; done; echo looked
    """
    script = Script(spy, {"v": "a value nobody sees"}, as_root=True, timeout_s=20)
    async with host.shell().session(host.login("asked", Sudo.ASK)) as session:
        done = await session.run(script)
    assert done.stdout == b"looked\n"


async def test_a_host_with_another_key_is_not_even_offered_a_login(host: SshHost) -> None:
    offered = "sshd.*(Failed|Accepted|Invalid|Postponed)"
    before = _log(host, offered)
    for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"):
        moved = replace(host.login("free"), host_key=public_line(new_key(kind)))
        with pytest.raises(ShellError) as refused:
            async with host.shell().session(moved):
                pytest.fail(f"logged in against a pinned {kind}")
        assert refused.value.reason is Reason.HOST_KEY_CHANGED
    assert _log(host, offered) == before


async def test_the_fingerprint_is_the_one_that_openssh_shows(host: SshHost) -> None:
    shown = host.inside("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    assert fingerprint(host.host_key) == shown
    assert fingerprint(await host.shell().host_key("127.0.0.1", host.port)) == shown


async def test_what_a_login_prints_is_no_part_of_the_answer(host: SshHost) -> None:
    async with host.shell().session(host.login("free", Sudo.NOPASSWD)) as session:
        for as_root in (True, False):
            done = await session.run(_script("echo '{}'; echo why >&2", as_root=as_root))
            assert (done.stdout, done.stderr_head) == (b"{}\n", b"why\n")


async def test_a_script_that_reads_stdin_gets_nothing_and_loses_nothing(host: SshHost) -> None:
    async with host.shell().session(host.login("asked", Sudo.ASK)) as session:
        done = await session.run(_script('cat; read -r line; echo "[$line]"; cat; echo end'))
    assert done.stdout == b"[]\nend\n"


async def test_a_script_of_many_lines_arrives_whole(host: SshHost) -> None:
    lines = "\n".join(f"echo line {number} of a script" for number in range(4000))
    async with host.shell().session(host.login("free", Sudo.NOPASSWD)) as session:
        done = await session.run(_script(lines + "\nexit 9"))
    assert done.exit_status == 9
    assert done.stdout[: 64 * 1024].startswith(b"line 0 of a script\nline 1 of")


async def test_messages_are_in_one_language(host: SshHost) -> None:
    async with host.shell().session(host.login("free", Sudo.NOPASSWD)) as session:
        assert (await session.run(_script("echo $LC_ALL"))).stdout == b"C\n"
        assert (await session.run(_script("echo $LC_ALL", as_root=False))).stdout == b"C\n"


async def test_a_script_that_kills_its_own_shell_has_failed(host: SshHost) -> None:
    async with host.shell().session(host.login("free", Sudo.NOPASSWD)) as session:
        done = await session.run(_script("echo partial; kill -KILL $$; sleep 5; echo never"))
    assert done.exit_status != 0
    assert done.stdout == b"partial\n"


async def test_a_broken_script_fails_and_runs_nothing(host: SshHost) -> None:
    async with host.shell().session(host.login("free", Sudo.NOPASSWD)) as session:
        done = await session.run(_script("touch /tmp/half\nif true; then"))
    assert done.exit_status != 0
    assert host.inside("test -e /tmp/half && echo ran") == ""


async def test_a_service_that_a_script_leaves_running_does_not_hold_up_its_answer(
    host: SshHost,
) -> None:
    async with host.shell().session(host.login("free", Sudo.NOPASSWD)) as session:
        async with asyncio.timeout(END_S):
            done = await session.run(_script("sleep 60 & echo started", timeout_s=30))
    assert done.stdout == b"started\n"
    host.inside("pkill -f '^sleep 60$'")


async def test_a_login_without_a_shell_is_refused_and_not_an_answer(host: SshHost) -> None:
    async with host.shell().session(host.login("shut")) as session:
        with pytest.raises(ShellError, match="no usable shell") as refused:
            await session.run(_script("true", as_root=False))
    assert refused.value.reason is Reason.AUTH_REFUSED


async def test_a_user_outside_sudoers_is_refused_by_sudo(host: SshHost) -> None:
    async with host.shell().session(host.login("plain", Sudo.ASK)) as session:
        with pytest.raises(ShellError, match="not in the sudoers") as refused:
            await session.run(_script("true"))
    assert refused.value.reason is Reason.SUDO_REFUSED


async def test_keys_and_settings_of_whoever_runs_the_appliance_are_not_used(
    host: SshHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / ".ssh"
    home.mkdir(mode=0o700)
    (home / "id_ed25519").write_text(host.key)
    (home / "id_ed25519").chmod(0o600)
    (home / "config").write_text("Host *\n  User root\n  Port 1\n  Ciphers none\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    with pytest.raises(ShellError) as refused:
        async with host.shell().session(host.by_password("plain", "wrong")):
            pytest.fail("a key was found that nobody gave")
    assert refused.value.reason is Reason.AUTH_REFUSED
    async with host.shell().session(host.by_password("plain")) as session:
        assert (await session.run(_script("id -un", as_root=False))).stdout == b"plain\n"


@pytest.mark.parametrize("key", ["", "no key at all", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA"])
async def test_a_key_that_cannot_be_read_is_no_credential(host: SshHost, key: str) -> None:
    login = replace(host.login("free"), credential=credential(key=key))
    with pytest.raises(ShellError, match="private key for free") as refused:
        async with host.shell().session(login):
            pytest.fail("logged in without a key")
    assert refused.value.reason is Reason.NO_CREDENTIAL


async def test_a_key_with_a_passphrase_is_no_credential(host: SshHost) -> None:
    locked = new_key().export_private_key("pkcs8-pem", passphrase="x" * 12).decode("ascii")
    login = replace(host.login("free"), credential=credential(key=locked))
    with pytest.raises(ShellError) as refused:
        async with host.shell().session(login):
            pytest.fail("logged in without a key")
    assert refused.value.reason is Reason.NO_CREDENTIAL


async def test_no_more_sessions_are_open_than_allowed(host: SshHost) -> None:
    shell = host.shell(sessions_max=2)
    login = host.login("plain")

    async def visit() -> int:
        async with shell.session(login) as session:
            return (await session.run(_script("exit 5", as_root=False))).exit_status

    async with shell.session(login):
        async with shell.session(login):
            third = asyncio.create_task(visit())
            assert await asyncio.wait({third}, timeout=0.5) == (set(), {third})
        assert await third == 5


async def test_a_failed_login_gives_its_place_back(host: SshHost) -> None:
    shell = host.shell(sessions_max=1)
    for _ in range(3):
        with pytest.raises(ShellError):
            async with shell.session(replace(host.login("free"), port=1)):
                pytest.fail("logged in to a closed port")
    async with shell.session(host.login("free")) as session:
        assert (await session.run(_script("true", as_root=False))).exit_status == 0


def _says(reply: bytes) -> tcp.Answer:
    """Say `reply` and nothing more until the other side hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(reply)
        await reader.read()

    return answer


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"", Reason.TIMEOUT),
        (b"SSH-2.0-slow\r\n", Reason.TIMEOUT),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n" * 2000, Reason.UNREACHABLE),
        (b"SSH-1.5-old\r\n", Reason.UNREACHABLE),
    ],
    ids=["silent", "stuck", "http", "ssh1"],
)
async def test_a_port_that_speaks_no_ssh_has_its_own_reason(
    host: SshHost, reply: bytes, reason: Reason
) -> None:
    shell = host.shell(login_s=0.5)
    async with tcp.serving(_says(reply)) as port:
        with pytest.raises(ShellError) as refused:
            async with shell.session(replace(host.login("free"), port=port)):
                pytest.fail("logged in to no sshd")
        with pytest.raises(ShellError) as unshown:
            await shell.host_key("127.0.0.1", port)
    assert refused.value.reason is reason
    assert unshown.value.reason is reason


async def test_outside_its_world_the_shell_connects_nowhere(host: SshHost) -> None:
    shell = host.shell_of(host.world.netns_id)
    with pytest.raises(IntegrityError, match="neither scans nor connects"):
        async with shell.session(host.login("free")):
            pytest.fail("connected from outside the world")
    with pytest.raises(IntegrityError, match="neither scans nor connects"):
        await shell.host_key("127.0.0.1", host.port)


async def test_an_error_of_a_login_does_not_hold_its_password(host: SshHost) -> None:
    with pytest.raises(ShellError) as refused:
        async with host.shell().session(host.by_password("plain", PASSWORD + "!")):
            pytest.fail("logged in with a wrong password")
    told: BaseException | None = refused.value
    while told is not None:
        assert PASSWORD not in repr(told)
        told = told.__cause__ or told.__context__
