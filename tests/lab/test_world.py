"""A world is real inside, and outside it is as if it had never been."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from osiris.demo import lab
from osiris.demo.hosts import LINUX_HOSTS, Touches, clinic, medical_box, ready_ports, touches
from osiris.demo.lab import LabHost, LoginKey
from osiris.demo.world import Done, HostSpec, World, WorldError, cgroup

REPOSITORY = Path(__file__).parents[2]
END_TIMEOUT_S = 20.0
VOLATILE_SYSCTLS = (
    "fs/aio-nr",
    "fs/dentry-state",
    "fs/file-nr",
    "fs/inode-nr",
    "fs/inode-state",
    "fs/quota/",
    "kernel/ns_last_pid",
    "kernel/pty/nr",
    "kernel/random/",
    "net/netfilter/nf_conntrack_count",
)
WRITES_TO_THE_KERNEL = """
for key in kernel.dmesg_restrict kernel.kptr_restrict kernel.panic kernel.sysrq \
    kernel.core_pattern kernel.randomize_va_space vm.swappiness vm.overcommit_memory \
    fs.file-max fs.suid_dumpable \
    net.netfilter.nf_hooks_lwtunnel net.ipv4.ip_forward net.ipv4.conf.all.accept_redirects; do
    for value in 0 1 2; do sysctl -qw $key=$value; done
done
date -s '2001-01-01'
dmesg -C
mknod /dev/disk b 8 0
mount -t tmpfs none /mnt
mount -o remount,rw /sys
ip link add dummy7 type bridge
ip addr add 192.0.2.7/32 dev eth0
hostname somebody-else
useradd mallory
exit 0
"""


def _sysctls() -> dict[str, str]:
    found = {}
    top = Path("/proc/sys")
    for path in sorted(top.rglob("*")):
        name = str(path.relative_to(top))
        if name.startswith(VOLATILE_SYSCTLS) or not path.is_file() or not os.access(path, os.R_OK):
            continue
        try:
            found[name] = path.read_text(errors="replace")
        except OSError:
            continue  # some entries can only be written
    return found


def _machine() -> dict[str, object]:
    """What a world must not change: settings, mounts, links, addresses, accounts, names."""
    links = subprocess.run(["ip", "-o", "addr"], capture_output=True, text=True, check=True)
    names = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True)
    return {
        "sysctls": _sysctls(),
        "mounts": sorted(Path("/proc/self/mounts").read_text().splitlines()),
        "addresses": links.stdout,
        "named networks": names.stdout,
        "routes": Path("/proc/net/route").read_text(),
        "accounts": Path("/etc/passwd").read_text(),
        "host name": socket.gethostname(),
        "devices": sorted(path.name for path in Path("/dev").iterdir()),
        "in /mnt": sorted(path.name for path in Path("/mnt").iterdir()),
    }


def _booted(host: LabHost) -> str:
    return host.sh("systemctl is-system-running --wait").output.strip()


def test_a_host_boots_whole(host: LabHost) -> None:
    """PID 1 says `running`: no unit has failed, so a later failure is a finding."""
    assert _booted(host) == "running", host.sh("systemctl --failed").output
    wanted = {"systemd": "systemd", "stand-in": "systemctl"}[host.world.init]
    assert host.sh("cat /proc/1/comm").output.strip() == wanted
    services = host.sh("systemctl is-active ssh rsyslog cron chrony unattended-upgrades")
    assert services.output.split() == ["active"] * 5


def test_the_world_says_which_init_its_hosts_run(world: World) -> None:
    """A reader of a demo's output must know what was real."""
    assert ("real systemd" in world.describe()) is (world.init == "systemd")
    assert ("stand-in" in world.describe()) is (world.init == "stand-in")


def test_the_login_user_becomes_root_without_a_password(host: LabHost) -> None:
    """`sudo -n sh -s` is how every check and step runs; it must not wait for a name server."""
    ssh = ["ssh", "-i", str(host.key.private), "-F", "none", "-o", "StrictHostKeyChecking=no"]
    ssh += ["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes"]
    done = host.world.popen(
        [*ssh, f"{host.login}@{host.address}", "sudo -n sh -s"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output, _ = done.communicate("id -u; hostname; systemctl is-active ssh", timeout=15)
    assert (done.returncode, output.split()) == (0, ["0", host.name, "active"])


def test_root_of_a_host_cannot_change_the_machine(host: LabHost) -> None:
    """Settings, clock, mounts, links and accounts stay as they were, whatever root tries."""
    before = _machine()
    wall_s = int(host.sh("date +%s").output)
    host.sh(WRITES_TO_THE_KERNEL)
    after = _machine()
    assert int(host.sh("date +%s").output) - wall_s < 60
    for what, value in before.items():
        assert after[what] == value, what


def test_kernel_settings_of_a_host_can_drift_and_be_healed(host: LabHost) -> None:
    """A plain file stands in for the kernel's entry; sysctl(8) sees no difference."""
    assert host.sh("sysctl -n kernel.dmesg_restrict").output == "1\n"
    assert host.sh("sysctl -qw kernel.dmesg_restrict=0 && sysctl -n kernel.dmesg_restrict") == (
        Done(0, "0\n")
    )
    assert host.sh("sysctl -qw net.ipv4.ip_forward=1; sysctl -n net.ipv4.ip_forward").output == (
        "1\n"
    )


def test_a_failed_preparation_is_told_with_its_output(world: World, login_key: LoginKey) -> None:
    """The reason is in the error, and the name and address are free again."""
    spec = HostSpec("broken", "10.77.0.99", "02:00:00:00:01:63", prepare="echo why; exit 3")
    with pytest.raises(WorldError, match=r"status 3\nwhy"):
        world.start(spec)
    with pytest.raises(WorldError, match="no host 'broken'"):
        world.exec("broken", ["true"])
    with lab.running(world, login_key, number=99) as again:
        assert again.sh("echo up").output == "up\n"


def test_a_command_over_its_deadline_is_ended(host: LabHost) -> None:
    """With everything it has started: the next command finds nothing of it."""
    with pytest.raises(WorldError, match="ended after"):
        host.sh("sleep 987654 & sleep 987654", timeout_s=0.5)
    left = host.sh("pgrep -f '[s]leep 987654'")
    assert left.exit_status == 1, left.output


def test_commands_run_while_others_do(host: LabHost) -> None:
    """One slow command does not hold up the world."""
    slow = threading.Thread(target=host.sh, args=("read -r _ < /tmp/go || true",))
    host.sh("mkfifo /tmp/go")
    slow.start()
    assert host.sh("echo quick").output == "quick\n"
    host.sh("echo > /tmp/go")
    slow.join(END_TIMEOUT_S)
    assert not slow.is_alive()


def test_a_program_of_ours_runs_in_the_worlds_network(world: World) -> None:
    """The appliance compares this id with its own before it scans anything."""
    code = "import os; s = os.stat('/proc/self/ns/net'); print(f'{s.st_dev}:{s.st_ino}')"
    own = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    inside = world.popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert inside.communicate(timeout=10)[0].strip() == world.netns_id
    assert own.stdout.strip() != world.netns_id


@contextmanager
def _greeting(listener: socket.socket) -> Iterator[None]:
    def greet() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"hello " + connection.recv(100))

    thread = threading.Thread(target=greet)
    thread.start()
    yield
    thread.join(END_TIMEOUT_S)
    listener.close()


def test_a_host_of_the_world_reaches_a_server_of_the_machine(host: LabHost) -> None:
    """The appliance's way to its hub, which listens on 127.0.0.1 of the machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    forward = host.world.forward(
        (f"{host.world.network}.1", 0), listener.getsockname(), inward=True
    )
    code = f"import socket as s; c = s.create_connection(('{forward.address}', {forward.port}))"
    code += "; c.sendall(b'hub'); print(c.recv(100).decode())"
    with _greeting(listener):
        assert host.world.exec(host.name, ["python3", "-c", code]).output == "hello hub\n"
    forward.close()


def test_the_machine_reaches_a_server_of_the_world(host: LabHost) -> None:
    """A browser's way to the portal."""
    forward = host.world.forward(("127.0.0.1", 0), (host.address, 22), inward=False)
    with socket.create_connection((forward.address, forward.port), timeout=10) as client:
        assert client.recv(100).startswith(b"SSH-2.0-OpenSSH")
    forward.close()


def test_a_medical_box_counts_whoever_touches_it(world: World) -> None:
    """One connect is one connection; a packet to any port is seen; silence is silence."""
    address = f"{world.network}.90"
    world.start(medical_box("scanner", address, "44:4b:5d:00:00:90"))
    try:
        world.wait_ready([(address, 104)])
        assert touches(world, "scanner").connections == 1
        request = bytes([1, 0, 0, 0, 0, 4]) + b"abcd"
        with world.connect((address, 104)) as caller:
            caller.sendall(request)
            assert caller.recv(100) == bytes([3, 0, 0, 0, 0, 4, 0, 1, 1, 7])
            assert caller.recv(100) == b""
        with pytest.raises(ConnectionRefusedError):
            world.connect((address, 80))
        seen = touches(world, "scanner")
        assert (seen.connections, seen.received_bytes) == (2, len(request))
        assert seen.packets.count(("tcp", 80)) == 1
        assert {port for _, port in seen.packets} == {80, 104}
        arp = ["nmap", "-n", "-sn", "-PR", address]
        found = world.popen(arp, stdout=subprocess.PIPE, text=True).communicate(timeout=30)[0]
        assert "GE Healthcare" in found
        assert touches(world, "scanner") == seen
    finally:
        world.stop("scanner")


def _say(world: World, address: tuple[str, int], words: bytes = b"") -> bytes:
    """The first bytes that a server of the world answers."""
    with world.connect(address) as caller:
        caller.settimeout(10)
        caller.sendall(words)
        return caller.recv(200)


def _dialogue(world: World, address: tuple[str, int], *lines: bytes) -> bytes:
    """The last answer of a server that answers each line with one line."""
    with world.connect(address) as caller, caller.makefile("rb") as answers:
        caller.settimeout(10)
        answer = answers.readline()
        for line in lines:
            caller.sendall(line + b"\r\n")
            answer = answers.readline()
        return answer


def test_each_host_of_the_demo_has_its_service_open(rootfs_file: Path, login_key: LoginKey) -> None:
    """What the demo's first scan finds answers as what it is, not only with an open port."""
    net = "10.78.4"
    with World(rootfs_file, network=net) as clinic_world:
        clinic_world.start_all(clinic(login_key.public, {}, network=net))
        services = {"frontdesk": 80, "lab": 23, "emr": 6379, "files": 21}
        address = {spec.name: spec.address for spec in clinic("", {}, network=net)}
        at = {name: (address[name], port) for name, port in services.items()}
        clinic_world.wait_ready([*ready_ports(net), *at.values()])
        page = _say(clinic_world, at["frontdesk"], b"GET / HTTP/1.0\r\n\r\n")
        assert page.startswith(b"HTTP/1.1 200 OK")
        assert _say(clinic_world, at["lab"])[0] == 255, "a telnet server negotiates first"
        assert _say(clinic_world, at["emr"], b"PING\r\n") == b"+PONG\r\n"
        assert _say(clinic_world, at["files"]).startswith(b"220 ")
        assert b"230" in _dialogue(clinic_world, at["files"], b"USER anonymous", b"PASS x")
        for name in LINUX_HOSTS:
            state = clinic_world.exec(name, ["systemctl", "is-system-running", "--wait"])
            assert state.output == "running\n", name
        assert touches(clinic_world) == Touches((), 0, 0)


def test_an_untouched_medical_box_says_so(world: World) -> None:
    """The proof that discovery left it alone is an empty page, so it must start empty."""
    address = f"{world.network}.91"
    world.start(medical_box("untouched", address, "44:4b:5d:00:00:91"))
    try:
        world.exec(
            "untouched", ["sh", "-c", "while ! test -e /var/log/medical-box.jsonl; do :; done"]
        )
        assert touches(world, "untouched") == Touches((), 0, 0)
    finally:
        world.stop("untouched")


TELNET = """
printf '[Socket]\\nListenStream=23\\nAccept=yes\\n' > /etc/systemd/system/telnet.socket
printf '[Install]\\nWantedBy=sockets.target\\n' >> /etc/systemd/system/telnet.socket
printf '[Service]\\nExecStart=-/usr/sbin/telnetd\\nStandardInput=socket\\n' \
    > /etc/systemd/system/telnet@.service
systemctl enable -q telnet.socket
systemctl enable -q redis-server
"""


@pytest.fixture
def plain_host(rootfs_file: Path, login_key: LoginKey) -> Iterator[LabHost]:
    """A host under the stand-in, forced where systemd could run."""
    with (
        World(rootfs_file, network="10.78.0", init="stand-in") as plain,
        lab.running(plain, login_key, number=1, prepare=TELNET) as started,
    ):
        yield started


def test_the_stand_in_boots_what_was_enabled(plain_host: LabHost) -> None:
    """Services, a forking one, one with a user of its own and a socket unit."""
    assert _booted(plain_host) == "running", plain_host.sh("systemctl --failed").output
    states = plain_host.sh("systemctl is-active ssh rsyslog cron chrony redis telnet.socket nginx")
    assert states.output.split() == ["active"] * 6 + ["inactive"]
    with plain_host.world.connect((plain_host.address, 23)) as caller:
        caller.settimeout(10)
        assert caller.recv(3)[0] == 255, "a telnet server negotiates first"


def test_the_stand_in_starts_stops_and_reloads(plain_host: LabHost) -> None:
    """What a runbook does to a service is seen on its port and in its configuration."""
    _booted(plain_host)
    sh = plain_host.sh
    assert sh("systemctl enable --now nginx && systemctl is-active nginx").exit_status == 0
    assert "LISTEN" in sh("ss -Hltn 'sport = :80'").output
    assert sh("systemctl is-enabled nginx").output == "enabled\n"
    assert sh("systemctl disable --now nginx").exit_status == 0
    assert sh("ss -Hltn 'sport = :80'; systemctl is-active nginx").output == "inactive\n"
    sh("echo 'Port 2222' > /etc/ssh/sshd_config.d/port.conf")
    assert sh("systemctl try-reload-or-restart ssh").exit_status == 0
    plain_host.world.wait_ready([(plain_host.address, 2222)])
    sh("echo 'Nonsense yes' > /etc/ssh/sshd_config.d/port.conf")
    assert sh("systemctl reload ssh").exit_status == 1
    masked = sh("systemctl mask -q --now cron; systemctl start cron")
    assert "masked" in masked.output
    assert sh("systemctl is-active cron; pgrep -x cron").output == "inactive\n"


def test_the_stand_in_says_what_it_is(plain_host: LabHost) -> None:
    """Nobody may take it for systemd."""
    assert "STAND-IN" in plain_host.sh("head -3 $(command -v systemctl)").output
    assert "stand-in" in plain_host.sh("systemctl status ssh").output


def test_hosts_can_have_a_file_system_each(rootfs_file: Path, login_key: LoginKey) -> None:
    """Kernels before 6.6 cannot share one: an in-place change must stay in its host."""
    with (
        World(rootfs_file, network="10.78.1", overlay=False) as copies,
        lab.running(copies, login_key, number=1) as one,
        lab.running(copies, login_key, number=2) as other,
    ):
        assert not copies.overlay
        one.sh("echo changed >> /etc/motd; chmod 600 /usr/bin/vmstat; rm -rf /etc/cron.daily")
        found = other.sh(
            "grep -c changed /etc/motd; stat -c %a /usr/bin/vmstat; ls /etc/cron.daily"
        )
        assert found.output.split()[:2] == ["0", "755"]
        assert "logrotate" in found.output


HOLDER = """
import sys, time
from pathlib import Path
from osiris.demo.hosts import base_prepare
from osiris.demo.world import HostSpec, World
w = World(Path(sys.argv[1]), network="10.78.2")
w.start(HostSpec("held", "10.78.2.2", "02:00:00:00:02:02", base_prepare(sys.argv[2])))
w.wait_ready([("10.78.2.2", 22)])
helper = w.popen(["sleep", "987655"])
print(w.pid, w._outer.pid, helper.pid, flush=True)
sys.stdin.read()
"""


def _members(pid: int) -> list[int]:
    """Every process in the user namespace of `pid`: a world's own is in no other."""
    wanted = Path(f"/proc/{pid}/ns/user").readlink()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            if (entry / "ns/user").readlink() == wanted:
                found.append(int(entry.name))
        except OSError:
            continue  # gone meanwhile, or of a stranger
    return found


def _watched(pids: Iterable[int]) -> list[int]:
    descriptors = []
    for pid in pids:
        with suppress(ProcessLookupError):  # a step of the boot that is over
            descriptors.append(os.pidfd_open(pid))
    return descriptors


def _wait_for_ends(descriptors: list[int]) -> bool:
    """Wait until every process has ended, without a pause: each descriptor becomes readable."""
    try:
        return all(select.select([fd], [], [], END_TIMEOUT_S)[0] for fd in descriptors)
    finally:
        for fd in descriptors:
            os.close(fd)


@pytest.mark.parametrize("victim", ["caller", "outer", "init"])
def test_kill_9_leaves_nothing(rootfs_file: Path, login_key: LoginKey, victim: str) -> None:
    """Whichever process of a world is killed, no process, mount or link of it is left."""
    before = _machine()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(rootfs_file), login_key.public],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as caller:
        assert caller.stdout is not None
        init, outer, helper = (int(word) for word in caller.stdout.readline().split())
        members = _members(init)
        assert len(members) > 5, "a booted host has more processes than that"
        victims = {"caller": caller.pid, "outer": outer, "init": init}
        pids = [*members, outer] if victim != "caller" else [*members, outer, helper]
        descriptors = _watched(dict.fromkeys(pids))
        os.kill(victims[victim], signal.SIGKILL)
        assert _wait_for_ends(descriptors)
        caller.kill()
    after = _machine()
    for what in ("mounts", "addresses", "named networks", "in /mnt"):
        assert after[what] == before[what], what
    with World(None, network="10.78.3") as following:
        place = cgroup.place(following.mode)
        assert place is None or not (place / f"{cgroup.PREFIX}{init}").exists()


PROBE = "from osiris.demo.world import probe; p = probe(); print(p.mode, p.reason)"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ("echo 0 > /proc/sys/user/max_user_namespaces", "max_user_namespaces is 0"),
        ("mount -t tmpfs none /proc/fs", "parts of /proc are masked"),
    ],
)
def test_a_machine_that_allows_no_world_says_why(lab_ready: None, spoil: str, why: str) -> None:  # noqa: ARG001
    """A skip and `osiris doctor` print this reason, so it must name what to change."""
    script = f"python=$1; {spoil}; exec $python -c '{PROBE}'"
    spoiled = ["unshare", "-U", "-r", "-m", "sh", "-c", script, "sh", sys.executable]
    done = subprocess.run(spoiled, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("none "), done.stdout
    assert why in done.stdout


def test_real_root_may_not_make_a_world_that_is_root() -> None:
    """Mapping the machine's root into a world would open the machine's settings to it."""
    if os.geteuid() != 0:
        pytest.skip("this is about real root; an ordinary user cannot ask for it")
    with pytest.raises(WorldError, match="real root"):
        World(None, mode="single")


def test_the_unpacked_archive_must_be_one(lab_ready: None, tmp_path: Path) -> None:  # noqa: ARG001
    """A broken cache file is said to be broken, and the world ends."""
    broken = tmp_path / "broken.tar.zst"
    broken.write_text(json.dumps("not an archive"))
    with pytest.raises(WorldError, match="cannot unpack"):
        World(broken)
