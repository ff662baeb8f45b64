"""What every `ports.Shell` promises, held by SSH on a real host and by the fake alike."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from appliance.ports import Login, Script, Shell, ShellError, Sudo
from proto.errors import MalformedError
from proto.findings import Reason, Scalar
from proto.ids import TargetId
from tests.fakes.shell import FakeHost, FakeShell, Table, credential, ran
from tests.lab import ssh_host

PASSWORD = ssh_host.PASSWORD
OTHER_KEY = ssh_host.public_line(ssh_host.new_key())


@dataclass(frozen=True)
class Bench:
    """A shell, and logins of `free` (sudo without password) and `asked` (sudo with one)."""

    shell: Shell
    free: Login
    asked: Login


def _script(
    text: str, *, as_root: bool = False, timeout_s: int = 20, **variables: Scalar
) -> Script:
    return Script(text=text, variables=variables, as_root=as_root, timeout_s=timeout_s)


SHOW = "printf '[%s]' \"$value\""
WHO = "id -u"
FAIL = "echo before; echo why >&2; exit 3"
LOUD = "head -c 70000 /dev/zero; head -c 5000 /dev/zero >&2"
SLOW = "sleep 30"

ANSWERS = Table(
    (r"^printf '\[%s\]'", lambda _, variables: ran(f"[{variables['value']}]")),
    (r"^echo before", ran("before\n", status=3, stderr=b"why\n")),
    (r"^head -c", ran(bytes(70_000), stderr=bytes(5_000))),
)


def _fake() -> Bench:
    opened = credential(key="the key", password=PASSWORD, sudo_password=PASSWORD)
    host = FakeHost(
        behaviour=lambda script, variables: (
            ran("0\n" if script.as_root else "1000\n")
            if script.text == WHO
            else ANSWERS(script, variables)
        ),
        host_key=ssh_host.public_line(ssh_host.new_key()),
        users=dict.fromkeys(("free", "asked"), opened),
        sudo={"free": Sudo.NOPASSWD, "asked": Sudo.ASK},
        takes_s=lambda script: 30 if script.text == SLOW else 0,
    )
    free = Login(
        target=TargetId("t-aaaaaaaaaa"),
        address="10.0.0.1",
        port=22,
        user="free",
        host_key=host.host_key,
        sudo=Sudo.NOPASSWD,
        credential=credential(key="the key", sudo_password=PASSWORD),
    )
    asked = replace(free, user="asked", sudo=Sudo.ASK)
    return Bench(FakeShell({("10.0.0.1", 22): host}), free, asked)


@pytest.fixture(scope="module", params=["fake", pytest.param("real", marks=pytest.mark.lab)])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "fake":
        yield _fake()
        return
    with ssh_host.ssh_host() as host:
        free, asked = host.login("free", Sudo.NOPASSWD), host.login("asked", Sudo.ASK)
        yield Bench(host.shell(), free, asked)


async def _refused(bench: Bench, login: Login, script: Script) -> ShellError:
    with pytest.raises(ShellError) as refused:
        async with bench.shell.session(login) as session:
            await session.run(script)
    assert PASSWORD not in str(refused.value)
    return refused.value


async def test_the_exit_status_and_both_outputs_come_back(bench: Bench) -> None:
    async with bench.shell.session(bench.free) as session:
        done = await session.run(_script(FAIL))
    assert (done.exit_status, done.stdout, done.stderr_head) == (3, b"before\n", b"why\n")


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("plain", "plain"),
        ("", ""),
        ('it\'s "quoted" $HOME `id` $(id) \\n * ; & | > #', None),
        ("two\nlines\n", None),
        ("-n", "-n"),
        ("grün ☃", None),
        (True, "true"),
        (False, "false"),
        (-42, "-42"),
        (0, "0"),
    ],
)
async def test_a_variable_arrives_as_the_very_text_it_is(
    bench: Bench, value: Scalar, seen: str | None
) -> None:
    async with bench.shell.session(bench.free) as session:
        done = await session.run(_script(SHOW, value=value))
    assert done.stdout.decode() == f"[{value if seen is None else seen}]"


@pytest.mark.parametrize("user", ["free", "asked"])
async def test_a_script_is_root_only_where_it_asks_for_it(bench: Bench, user: str) -> None:
    login = bench.free if user == "free" else bench.asked
    async with bench.shell.session(login) as session:
        assert (await session.run(_script(WHO, as_root=True))).stdout == b"0\n"
        assert (await session.run(_script(WHO))).stdout != b"0\n"


async def test_output_is_cut_just_past_its_limit(bench: Bench) -> None:
    async with bench.shell.session(bench.free) as session:
        done = await session.run(_script(LOUD))
    assert len(done.stdout) == 64 * 1024 + 1
    assert len(done.stderr_head) == 2 * 1024


async def test_a_script_past_its_time_is_a_timeout_and_the_session_lives_on(bench: Bench) -> None:
    async with bench.shell.session(bench.free) as session:
        with pytest.raises(ShellError) as late:
            await session.run(_script(SLOW, timeout_s=1))
        assert late.value.reason is Reason.TIMEOUT
        assert (await session.run(_script(WHO))).exit_status == 0


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"value": "a\0b"}, "value"),
        ({"PATH": "/tmp"}, "PATH"),  # noqa: S108 - a name, not a place
        ({"a b": "x"}, "a b"),
        ({"x;id": "x"}, "x;id"),
        ({"_": "x"}, "_"),
        ({"value": 1.5}, "value"),
        ({"value": None}, "value"),
        ({"value": "\ud800"}, "surrogate"),
        ({"value": "x" * 300_000}, "bytes"),
    ],
)
async def test_what_cannot_be_a_variable_is_refused_before_anything_runs(
    bench: Bench, variables: dict[str, Scalar], named: str
) -> None:
    async with bench.shell.session(bench.free) as session:
        with pytest.raises(MalformedError, match=named):
            await session.run(Script("exit 0", variables, as_root=False, timeout_s=5))


@pytest.mark.parametrize("timeout_s", [0, -1, 3601])
async def test_a_deadline_out_of_range_is_refused(bench: Bench, timeout_s: int) -> None:
    async with bench.shell.session(bench.free) as session:
        with pytest.raises(MalformedError, match="timeout_s"):
            await session.run(_script(WHO, timeout_s=timeout_s))


async def test_a_host_that_is_not_there_is_unreachable(bench: Bench) -> None:
    silent = replace(bench.free, port=1)
    assert (await _refused(bench, silent, _script(WHO))).reason is Reason.UNREACHABLE
    with pytest.raises(ShellError) as refused:
        await bench.shell.host_key(silent.address, silent.port)
    assert refused.value.reason is Reason.UNREACHABLE


async def test_the_shown_host_key_is_the_one_to_pin(bench: Bench) -> None:
    shown = await bench.shell.host_key(bench.free.address, bench.free.port)
    assert shown == bench.free.host_key


async def test_another_host_key_is_refused(bench: Bench) -> None:
    moved = replace(bench.free, host_key=OTHER_KEY)
    assert (await _refused(bench, moved, _script(WHO))).reason is Reason.HOST_KEY_CHANGED


@pytest.mark.parametrize("host_key", ["", "ssh-ed25519", "ssh-ed25519 %%%", "SHA256:abc"])
async def test_a_pin_that_is_no_key_is_refused(bench: Bench, host_key: str) -> None:
    with pytest.raises(MalformedError, match="host key"):
        async with bench.shell.session(replace(bench.free, host_key=host_key)):
            pytest.fail("logged in without a pinned key")


async def test_a_right_password_opens_and_a_wrong_one_does_not(bench: Bench) -> None:
    right = replace(bench.free, credential=credential(password=PASSWORD))
    async with bench.shell.session(right) as session:
        assert (await session.run(_script(WHO))).exit_status == 0
    wrong = replace(bench.free, credential=credential(password="wrong"))  # noqa: S106 - it is
    assert (await _refused(bench, wrong, _script(WHO))).reason is Reason.AUTH_REFUSED


async def test_an_unknown_user_is_refused(bench: Bench) -> None:
    nobody = replace(bench.free, user="nobody-here")
    assert (await _refused(bench, nobody, _script(WHO))).reason is Reason.AUTH_REFUSED


async def test_without_key_and_password_nobody_is_asked(bench: Bench) -> None:
    empty = replace(bench.free, credential=credential())
    assert (await _refused(bench, empty, _script(WHO))).reason is Reason.NO_CREDENTIAL


async def test_a_wrong_sudo_password_is_a_refusal_of_sudo(bench: Bench) -> None:
    given = replace(bench.asked.credential, sudo_password=credential(password="wrong").password)  # noqa: S106 - it is
    wrong = replace(bench.asked, credential=given)
    refused = await _refused(bench, wrong, _script(WHO, as_root=True))
    assert refused.reason is Reason.SUDO_REFUSED


async def test_sudo_that_wants_a_password_nobody_has_is_said_to(bench: Bench) -> None:
    given = replace(bench.asked.credential, sudo_password=None)
    without = replace(bench.asked, credential=given)
    refused = await _refused(bench, without, _script(WHO, as_root=True))
    assert refused.reason is Reason.NO_CREDENTIAL


async def test_sudo_that_asks_after_all_is_a_refusal(bench: Bench) -> None:
    promised = replace(bench.asked, sudo=Sudo.NOPASSWD)
    refused = await _refused(bench, promised, _script(WHO, as_root=True))
    assert refused.reason is Reason.SUDO_REFUSED


async def test_a_login_without_sudo_never_becomes_root(bench: Bench) -> None:
    none = replace(bench.free, sudo=Sudo.NONE)
    refused = await _refused(bench, none, _script(WHO, as_root=True))
    assert refused.reason is Reason.SUDO_REFUSED


async def test_two_sessions_on_one_host_do_not_share_anything(bench: Bench) -> None:
    async with bench.shell.session(bench.free) as first:
        async with bench.shell.session(bench.free) as second:
            await second.run(_script(WHO))
        assert (await first.run(_script(WHO))).exit_status == 0
        with pytest.raises(ShellError):
            await second.run(_script(WHO))
