"""`osiris demo`: a hub, an appliance and a clinic of real machines, on this computer alone."""

import sys
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live

from osiris.demo import goal, neglect, rootfs, table
from osiris.demo.goal import Picture
from osiris.demo.scene import Scene
from osiris.demo.world import probe
from proto.catalog.load import load
from proto.catalog.model import Content
from proto.errors import ConfigError
from proto.inventory import Platform
from runtime.content import read_installed
from runtime.terminal import note, say

WITHIN_S = 300.0
LOOK_EVERY_S = 1.0
ORDER = "run_drift --site {} --on all --checks all --reason 'a first look'"
"""The order that is shown as an example; the hub's own key signs it alone."""


def demo(
    once: Annotated[
        bool,
        typer.Option("--once", help="End when everything healable is healed and proved."),
    ] = False,
) -> None:
    """Watch Osiris find, judge, heal and prove, on real machines inside a private network.

    Nothing on this computer is changed, and everything is removed at the end. With --once, exit
    status 0 only if all that can heal was healed and verified and the hub verified all evidence.
    """
    found = probe()
    if found.mode == "none":
        msg = f"the demo needs user namespaces, which this machine does not allow: {found.reason}"
        raise ConfigError(msg)
    image = rootfs.ensure(lambda line: note(f"rootfs: {line}"))
    content = load(read_installed())
    began = time.monotonic()
    with Scene(image, note) as scene:
        _print_addresses(scene)
        scene.add_targets()
        picture = _watch(scene, content, end=began + WITHIN_S)
        problems = goal.problems(picture, neglect.NEGLECT) + hub_problems(scene, picture)
        _conclude(problems, time.monotonic() - began)
        if not once:
            _keep_running(scene)
    note(f"everything is removed again, {time.monotonic() - began:.1f} s in all")
    if problems:
        raise typer.Exit(1)


def _print_addresses(scene: Scene) -> None:
    where = scene.addresses
    say(f"portal of the clinic   {where.portal}")
    say(f"console of the hub     {where.console}")
    say(f"first account of each  {where.account}, password {where.password}")
    say(f"command line           osiris target list --config {scene.appliance_config}")
    desk = f"--hub {where.console} --development {scene.directory / 'hub'} --desk demo-desk"
    say(f"to give it orders      osiris order desk {desk}")
    say(f"  then                 osiris order draft {ORDER.format(scene.site)} --desk demo-desk")
    say("The certificates are the demo's own, so a browser will warn once.\n")


def take(scene: Scene, content: Content) -> Picture:
    """Return what the appliance tells now."""
    checks = sum(1 for check in content.checks.values() if check.platform is Platform.LINUX)
    return Picture(
        status=scene.appliance("GET", "/api/status"),
        findings=scene.appliance("GET", "/api/findings"),
        incidents=scene.appliance("GET", "/api/incidents"),
        names=scene.targets,
        checks=checks,
    )


def _watch(scene: Scene, content: Content, *, end: float) -> Picture:
    """Show the table until nothing is left to happen, or time is up."""
    titles = {check.id: check.title for check in content.checks.values()}
    console = Console(stderr=False)
    with Live(console=console, refresh_per_second=4, transient=False) as live:
        while True:
            scene.check_alive()
            picture = take(scene, content)
            if console.is_terminal:
                live.update(table.render(picture, scene.appliance("GET", "/api/devices"), titles))
            if goal.is_settled(picture) or time.monotonic() > end:
                break
            time.sleep(LOOK_EVERY_S)
        live.update(table.render(picture, scene.appliance("GET", "/api/devices"), titles))
    return picture


def hub_problems(scene: Scene, picture: Picture) -> list[str]:
    """Return what the hub does not hold of what the appliance proved."""
    proof: Any = scene.appliance("POST", "/api/evidence/verify", {})
    appliances = scene.hub("GET", f"/local/sites/{scene.site}/appliances")
    ours = [row for row in appliances if row["appliance"] == picture.status["appliance"]]
    problems = [] if ours else ["the hub does not know the appliance"]
    wanted = picture.status["evidence"]
    problems += [
        f"the hub verified and co-signed {row['cosigned_size']} of {wanted} leaves"
        for row in ours
        if min(row["held"], row["cosigned_size"]) < wanted
    ]
    if not proof["cosigned"]:
        problems.append("the hub has not co-signed the evidence")
    return problems


def _conclude(problems: list[str], took_s: float) -> None:
    for problem in problems:
        note(f"not as it should be: {problem}")
    if not problems:
        say(f"\nall that can heal is healed and proved, and the hub verified it ({took_s:.1f} s)")


def _keep_running(scene: Scene) -> None:
    """Stay until Ctrl-C; daemons that stop are said at once."""
    say("The clinic keeps running. Look at the pages; Ctrl-C ends the demo and removes it.")
    try:
        while True:
            scene.check_alive()
            time.sleep(1)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
