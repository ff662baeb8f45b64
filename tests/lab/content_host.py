"""A lab host as a check and a repair see it: scripts with their variables, answers judged for real.

Scripts run straight inside the host, or over real SSH by `way_in`. What a repair must leave as it
was is read beside that.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.ports import Login, Ran, Script, Sudo
from appliance.shell.ssh import SshShell
from appliance.shell.ssh_script import assignments
from appliance.shell.world_guard import WorldGuard
from osiris.demo import drift as drift_package
from osiris.demo.lab import LabHost
from proto.catalog.model import Check, Content, Runbook, Step
from proto.findings import Scalar
from proto.ids import ApplianceId, TargetId
from proto.inventory import DeviceClass, Facts, Platform, as_variables
from proto.judge import Judgement, judge, judge_answer, read_captured, read_changed
from proto.rules.matcher import Decision, decide
from runtime.clock import system_entropy
from tests.fakes.shell import credential

DRIFTS = Path(drift_package.__path__[0])
TARGET = TargetId("t-aaaaaaaaaa")
SSH_PORT = 22
TIMEOUT_S = 60
_STDERR = "/run/osiris-test-stderr"

# Files whose bytes are somebody else's business: the linker's cache, and the copies that the
# account tools make of the last state before each change.
_SNAPSHOT = r"""
cd /
find /etc ! -name ld.so.cache ! -path '/etc/*-' ! -name sudoers.d ! -type d \
  -printf '%m %u %g %y %p %l\n' | LC_ALL=C sort
find /etc -type d -path '*osiris*' | LC_ALL=C sort
find /etc -type f ! -name ld.so.cache ! -path '/etc/*-' -exec sha256sum {} + | LC_ALL=C sort -k 2
nft list ruleset
for f in /proc/sys/net/ipv4/conf/*/accept_redirects /proc/sys/net/ipv4/conf/*/send_redirects \
  /proc/sys/net/ipv4/conf/*/accept_source_route /proc/sys/kernel/randomize_va_space \
  /proc/sys/kernel/dmesg_restrict /proc/sys/kernel/kptr_restrict /proc/sys/fs/suid_dumpable; do
  echo "$f $(cat "$f")"; done
"""


def drift_script(check_id: str) -> str:
    """Return the shell text that drifts a host so that this check fails."""
    return (DRIFTS / f"{check_id}.sh").read_text()


def runbook_of(content: Content, check: Check) -> Runbook | None:
    """Return the runbook that verifies a check, None when only a person repairs it."""
    return next((one for one in content.runbooks.values() if check.id in one.verify), None)


def decision_on(content: Content, check: Check, seen: Mapping[str, Scalar]) -> Decision:
    """Return what the rules decide about a drift of this check."""
    fields: dict[str, Scalar] = {
        "check": check.id,
        "platform": check.platform.value,
        "severity": check.severity.value,
        "site": "s-aaaaaaaaaa",
        "target": TARGET,
        **{f"seen.{name}": value for name, value in seen.items()},
    }
    return decide(content.rules, fields)


@dataclass(frozen=True)
class ContentHost:
    """A running host and the facts about it."""

    lab: LabHost
    facts: Facts

    def drift(self, check_id: str) -> None:
        """Drift the host, as whoever neglected it."""
        self.inside(f"set -eu\n{drift_script(check_id)}")
        self.lab.world.wait_ready([(self.lab.address, SSH_PORT)])

    def inside(self, script: str) -> str:
        """Run shell text as root inside the host; it must succeed."""
        done = self.lab.sh(script)
        assert done.exit_status == 0, done.output
        return str(done.output)

    def snapshot(self, runbook: Runbook) -> str:
        """Return everything that this repair's undo must restore, as text to compare.

        A unit that had failed does not run, and is at rest afterwards: nothing can fail it anew.
        """
        units = [
            one.removeprefix("unit:").partition("=")[0]
            for one in runbook.writes
            if one.startswith("unit:")
        ]
        states = "".join(
            f"echo {unit} $(systemctl is-enabled {unit} 2>&1) $(systemctl is-active {unit} 2>&1)\n"
            for unit in units
        )
        return self.inside(_SNAPSHOT + states).replace(" failed\n", " inactive\n")

    def script(self, text: str, captured: Mapping[str, Scalar] | None = None) -> Script:
        """Return a script of the content with the variables that it is given."""
        variables = {**(captured or {}), **as_variables(self.facts)}
        return Script(text, variables, as_root=True, timeout_s=TIMEOUT_S)

    def run(self, script: Script) -> Ran:
        """Run a script as root inside the host with its variables, its stdin empty, a bare PATH."""
        text = f"(\n{assignments(script.variables)}{script.text}\n) </dev/null 2>{_STDERR}\n"
        bare = ["env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "sh", "-s"]
        done = self.lab.world.exec(self.lab.name, bare, stdin=text.encode(), timeout_s=TIMEOUT_S)
        said = self.lab.sh(f"head -c 2000 {_STDERR}").output if done.exit_status else ""
        return Ran(done.exit_status, done.output.encode(), said.encode())

    def judged(self, check: Check, ran: Ran) -> Judgement:
        """Judge what a check's probe printed."""
        return judge(check, exit_status=ran.exit_status, stdout=ran.stdout, facts=self.facts)

    def judge(self, check: Check) -> Judgement:
        """Ask a check's question and judge the answer."""
        return self.judged(check, self.run(self.script(check.probe.script)))

    def capture(self, runbook: Runbook) -> Mapping[str, Scalar]:
        """Run a runbook's capture and return what undo will be given."""
        ran = self.run(self.script(runbook.capture))
        return read_captured(exit_status=ran.exit_status, stdout=ran.stdout)

    def repair(self, runbook: Runbook) -> bool:
        """Run every step; returns whether any changed something."""
        changed = [stepped(one, self.run(self.script(one.script))) for one in runbook.steps]
        return any(changed)

    def undo(self, runbook: Runbook, captured: Mapping[str, Scalar]) -> None:
        """Run a runbook's undo with what was captured."""
        ran = self.run(self.script(runbook.undo, captured))
        assert ran.exit_status == 0, f"{runbook.id} undo: {ran.stderr_head!r}"
        read_changed(exit_status=ran.exit_status, stdout=ran.stdout)

    def scan(self, check: Check) -> Judgement:
        """Connect to every port that a network check names, and judge what was open."""
        answer = {
            name: any(self._is_open(port) for port in ports)
            for name, ports in check.probe.ports.items()
        }
        return judge_answer(check, answer, facts=self.facts)

    def _is_open(self, port: int) -> bool:
        try:
            self.lab.world.connect((self.lab.address, port)).close()
        except OSError:
            return False
        return True


def stepped(step: Step, ran: Ran) -> bool:
    """Return whether a step changed anything; a step that failed is a failed test."""
    assert ran.exit_status == 0, f"step {step.id}: {ran.stderr_head!r}"
    return read_changed(exit_status=ran.exit_status, stdout=ran.stdout)


def content_host(host: LabHost) -> ContentHost:
    """Return a lab host with the facts about it; its world's bridge is the time server too."""
    bridge = f"{host.world.network}.1"
    facts = Facts(
        target_id=TARGET,
        target_platform=Platform.LINUX,
        target_os="debian",
        target_os_version="12",
        target_class=DeviceClass.SERVER,
        target_login=host.login,
        target_address=host.address,
        appliance_id=ApplianceId("a-aaaaaaaaaa"),
        appliance_address=bridge,
        site_admin_networks=(f"{host.world.network}.0/24",),
        site_ntp_servers=(bridge,),
        site_time_zone="Etc/UTC",
    )
    return ContentHost(host, facts)


@contextmanager
def way_in(host: LabHost) -> Iterator[tuple[SshShell, Login]]:
    """Open the appliance's own way to a lab host: a shell and a login with its key pinned."""
    forward = host.world.forward(("127.0.0.1", 0), (host.address, SSH_PORT), inward=False)
    try:
        shown = host.sh("cat /etc/ssh/ssh_host_ed25519_key.pub").output
        login = Login(
            target=TARGET,
            address="127.0.0.1",
            port=forward.port,
            user=host.login,
            host_key=" ".join(shown.split()[:2]),
            sudo=Sudo.NOPASSWD,
            credential=credential(key=host.key.private.read_text()),
        )
        yield SshShell(WorldGuard(None), system_entropy), login
    finally:
        forward.close()
