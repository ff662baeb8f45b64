"""From drift to proved healed, and what the appliance weighs and says to its hub while idle.

One host drifts from one check at a time. The time is read from the appliance's own store: from when
the drifted finding was made to when the repair ended as healed, its re-check in a new session
included. All other checks of the host are asked meanwhile, as in every scan.
"""

import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from appliance.portal.routes import PAGES
from osiris.demo import goal, hosts, rootfs
from osiris.demo.scene import Scene
from osiris.demo_cli import take
from proto.catalog.load import load
from proto.catalog.model import Content
from proto.hub.check_in import PATH as CHECK_IN
from runtime import tls
from runtime.web.access import SIGN_IN
from tests.bench.clinic import (
    Life,
    MeteredScene,
    content_without_cooldowns,
    drift,
    healing_checks,
    life_of,
    write,
)
from tests.bench.rows import Row, quantile

HOST = "frontdesk"
REPETITIONS = 5
P50_BAR_S = 2.0
RSS_BAR_MB = 120
QUIET_BAR_BYTES = 1024
IDLE_S = 60.0
SETTLED_WITHIN_S = 300.0
HEALED_WITHIN_S = 90.0
LOOK_EVERY_S = 0.2
SLOWEST = 5


@dataclass(frozen=True, slots=True)
class Heal:
    """One drift: how long it took, or why it did not heal."""

    check: str
    took_s: float
    why_not: str


def rows(repetitions: int) -> list[Row]:
    """Measure all of it in one clinic; takes about three seconds a drift and a minute beside."""
    with tempfile.TemporaryDirectory(prefix="osiris-bench-content-") as directory:
        files = content_without_cooldowns()
        content = load(files)
        where = write(Path(directory), files)
        image = rootfs.ensure(lambda _: None)
        with MeteredScene(image, lambda _: None, neglected={}, content_dir=where) as scene:
            scene.add_targets()
            _settle(scene, content)
            heals = _all_heals(scene, healing_checks(content), repetitions)
            last = time.monotonic()
            pages = _visit_pages(scene)
            time.sleep(max(0.0, last + IDLE_S / 2 - time.monotonic()))
            scene.meter.take()
            time.sleep(max(0.0, last + IDLE_S - time.monotonic()))
            return [*_heal_rows(heals), _memory_row(scene, pages), _quiet_row(scene)]


def _settle(scene: Scene, content: Content) -> None:
    """Wait until what Debian itself leaves open is healed."""
    end = time.monotonic() + SETTLED_WITHIN_S
    while not goal.is_settled(take(scene, content)):
        scene.check_alive()
        if time.monotonic() > end:
            msg = f"the clinic did not settle within {SETTLED_WITHIN_S:.0f} s"
            raise RuntimeError(msg)
        time.sleep(1)


def _all_heals(scene: Scene, checks: Sequence[str], repetitions: int) -> list[Heal]:
    target = next(one for one, name in scene.targets.items() if name == HOST)
    return [_heal(scene, target, check) for _ in range(repetitions) for check in checks]


def _heal(scene: Scene, target: str, check: str) -> Heal:
    since_ms = time.time_ns() // 1_000_000
    drift(scene, HOST, check)
    scene.world.wait_ready(hosts.ready_ports(scene.network))
    store = scene.directory / "appliance" / "osiris.db"
    with ThreadPoolExecutor(1) as hand:
        asking = hand.submit(scene.appliance, "POST", f"/api/targets/{target}/check", {})
        end = time.monotonic() + HEALED_WITHIN_S
        life = life_of(store, target, check, since_ms=since_ms)
        while not (life and life.is_over) and time.monotonic() < end:
            time.sleep(LOOK_EVERY_S)
            life = life_of(store, target, check, since_ms=since_ms)
        asking.result()
    return _judged(check, life)


def _judged(check: str, life: Life | None) -> Heal:
    if life is None:
        return Heal(check, 0.0, "no drift was found")
    if life.result != "healed":
        return Heal(check, 0.0, f"{life.state}: {life.cause or life.result}")
    return Heal(check, (life.done_ms - life.found_ms) / 1000, "")


def _heal_rows(heals: Sequence[Heal]) -> list[Row]:
    times_s = sorted(one.took_s for one in heals if not one.why_not)
    failed = [f"{one.check} ({one.why_not})" for one in heals if one.why_not]
    if not times_s:
        return [
            Row("drift -> verified healed", f"p50 <= {P50_BAR_S:.0f} s", "none healed", ok=False)
        ]
    by_check = defaultdict[str, list[float]](list)
    for one in heals:
        if not one.why_not:
            by_check[one.check].append(one.took_s)
    middles = sorted(
        ((quantile(sorted(took), 0.5), check) for check, took in by_check.items()), reverse=True
    )
    p50 = quantile(times_s, 0.5)
    counted = f"{len(times_s)} of {len(heals)} drifts of {len(by_check)} checks"
    measured = (
        f"p50 {p50:.2f} s, p95 {quantile(times_s, 0.95):.2f} s, max {times_s[-1]:.2f} s; {counted}"
    )
    slowest = ", ".join(f"{check} {took:.1f} s" for took, check in middles[:SLOWEST])
    found = [
        Row(
            "drift -> verified healed, one host, cooldown 0",
            f"p50 <= {P50_BAR_S:.0f} s",
            measured,
            p50 <= P50_BAR_S and not failed,
        ),
        Row("- its slowest checks (median each)", "", slowest, None),
    ]
    if failed:
        found.append(Row("- not healed", "none", "; ".join(failed[:SLOWEST]), ok=False))
    return found


def _visit_pages(scene: Scene) -> int:
    """Sign in to the portal and look at every page once; return how many there were."""
    authority = (scene.directory / "appliance" / "tls" / tls.CA_CERT).read_text("ascii")
    where = scene.addresses
    target = next(iter(scene.targets))
    incident = scene.appliance("GET", "/api/incidents")[0]["id"]
    with httpx.Client(verify=tls.client_context(authority), base_url=where.portal) as client:
        form = client.get(SIGN_IN).raise_for_status().text
        hidden = dict(re.findall(r'name="(csrf|next)" value="([^"]*)"', form))
        said = client.post(
            SIGN_IN, data={**hidden, "name": where.account, "password": where.password}
        )
        if not said.is_redirect:
            msg = f"the portal did not let us in: status {said.status_code}"
            raise RuntimeError(msg)
        paths = [
            entry.path.replace("{target}", target).replace("{incident}", incident)
            for entry in PAGES
            if entry.method == "GET"
        ]
        # A page in the middle of a form needs a form that was begun.
        whole = [path for path in paths if "{" not in path]
        for path in whole:
            answer = client.get(path)
            if answer.is_error:
                answer.raise_for_status()
    return len(whole)


def _memory_row(scene: Scene, pages: int) -> Row:
    status = Path(f"/proc/{scene.pid('appliance')}/status").read_text("ascii")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    rss_mb, peak_mb = (int(fields[name].split()[0]) / 1000 for name in ("VmRSS", "VmHWM"))
    return Row(
        f"VmRSS of the appliance {IDLE_S:.0f} s after the last heal",
        f"<= {RSS_BAR_MB} MB",
        f"{rss_mb:.1f} MB (peak {peak_mb:.1f}), {pages} pages and files served",
        rss_mb <= RSS_BAR_MB,
    )


def _quiet_row(scene: MeteredScene) -> Row:
    sizes = sorted(one.size_bytes for one in scene.meter.take() if one.is_for(CHECK_IN))
    what = "quiet check-in, request + reply, HTTP headers included"
    bar = f"<= {QUIET_BAR_BYTES} bytes"
    if not sizes:
        return Row(what, bar, "no check-in was seen", ok=False)
    measured = f"{sizes[-1]} bytes at most of {len(sizes)}, the appliance's own client"
    return Row(what, bar, measured, sizes[-1] <= QUIET_BAR_BYTES)
