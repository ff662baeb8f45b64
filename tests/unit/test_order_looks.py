"""Orders that look at the appliance itself: its log, its way to the hub, a check-in now."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from appliance.handlers.orders import Done, diagnostic, force_checkin
from appliance.handlers.orders.diagnostic import hub_place
from appliance.handlers.orders.table import RUNS
from appliance.handlers.orders.view_logs import PARTS
from appliance.handlers.work import Work
from appliance.ports import ShellError
from appliance.tasks.check_in import check_in
from proto import strict_json
from proto.errors import MalformedError
from proto.evidence import DETAIL_BYTES_MAX, detail_of
from proto.findings import Reason, Scalar
from proto.ids import TargetId
from proto.keys import SEED_BYTES, SealError, SealingKey
from proto.orders.kinds import OrderType
from proto.orders.view_logs import ViewLogs
from proto.receipts import Outcome
from proto.sealed_login import SealedLogin, open_box, seal
from proto.secret import Secret
from runtime.log import RECENT
from runtime.log_recent import LINES_MAX, Recent
from tests.fakes.scanner import FakeScanner
from tests.fakes.shell import FakeShell
from tests.fakes.tls import FakeTlsProbe
from tests.unit.discovery_site import SmallSite, small_site
from tests.unit.test_hub_talk import Told, head, heard
from tests.unit.test_hub_talk import work as hub_work  # noqa: F401 - a fixture
from tests.unit.test_order_handlers import accepted

ROOT = Path(__file__).parents[2]
STAMP = "2026-01-01T00:00:00Z"
START_MS = 1_767_225_600_000


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[SmallSite]:
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as made:
        yield made


async def look(work: Work, what: str) -> Done:
    return await RUNS[OrderType.DIAGNOSTIC](work, accepted(OrderType.DIAGNOSTIC, {"look": what}))


def at_hub(work: Work, port: int, **changes: object) -> Work:
    """Return the appliance of a hub on this port of the loopback."""
    scribe = replace(work.scribe, origin=f"127.0.0.1:{port}/site/s/evidence/a")
    return replace(work, scribe=scribe, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("origin", "place"),
    [
        ("hub.example/site/s-a/evidence/a-a", ("hub.example", 443)),
        ("hub.example:8443/site/s-a", ("hub.example", 8443)),
    ],
)
def test_the_hub_is_where_enrollment_said(origin: str, place: tuple[str, int]) -> None:
    assert hub_place(origin) == place


async def test_the_way_to_the_hub_is_tried_and_told(site: SmallSite) -> None:
    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        there = await look(at_hub(site.work, port), "hub_route")
        names = await look(at_hub(site.work, port), "names")
    await server.wait_closed()
    gone = await look(at_hub(site.work, port), "hub_route")
    assert (there.outcome, there.told["connected"]) == (Outcome.DONE, True)
    assert (names.outcome, names.told["addresses"]) == (Outcome.DONE, 1)
    assert (gone.outcome, gone.told["connected"]) == (Outcome.FAILED, False)


async def test_the_hubs_tls_is_told_in_closed_words(site: SmallSite) -> None:
    seen: dict[str, Scalar] = {
        "listening": True,
        "present": True,
        "version": "TLSv1.3",
        "days_left": 80,
    }
    probe = FakeTlsProbe(
        {("127.0.0.1", 1): seen, ("127.0.0.1", 2): ShellError(Reason.TIMEOUT, "late")}
    )
    good = await look(at_hub(site.work, 1, tls=probe), "tls")
    late = await look(at_hub(site.work, 2, tls=probe), "tls")
    assert good.outcome is Outcome.DONE
    assert (str(good.told["version"]), good.told["days_left"]) == ("TLSv1.3", 80)
    assert (late.outcome, str(late.told["why"])) == (Outcome.FAILED, "timeout")


def line(part: str, level: str, event: str, **values: object) -> None:
    """Write a line as the log's chain does, after it was scrubbed."""
    RECENT(None, level, {"event": event, "level": level, "part": part, "timestamp": STAMP} | values)


async def test_log_lines_of_one_part_leave_scrubbed_newest_last(site: SmallSite) -> None:
    line("uplink", "info", "too fine")
    line("discover", "warning", "other part")
    line("uplink", "warning", "refused", error="patient Mary Lamb, SSN 536-90-4399")
    line("check_in", "error", "no answer")
    wish = {"part": "uplink", "since_s": 3600, "lines": 2, "level": "warning"}
    done = await RUNS[OrderType.VIEW_LOGS](site.work, accepted(OrderType.VIEW_LOGS, wish))
    text = str(done.told["text"])
    assert done.outcome is Outcome.DONE
    assert text.index("refused") < text.index("no answer")
    assert "536-90-4399" not in text
    assert "other part" not in text
    assert "too fine" not in text
    site.clock.advance(3_600_001)
    later = await RUNS[OrderType.VIEW_LOGS](site.work, accepted(OrderType.VIEW_LOGS, wish))
    assert later.told["lines"] == 0


async def test_more_lines_than_an_answer_holds_are_left_out_and_counted(site: SmallSite) -> None:
    for number in range(300):
        line("portal", "warning", f"request {number}", path="x" * 200)
    wish = {"part": "portal", "since_s": 3600, "lines": 250, "level": "warning"}
    done = await RUNS[OrderType.VIEW_LOGS](site.work, accepted(OrderType.VIEW_LOGS, wish))
    assert len(str(detail_of(done.told)).encode()) <= DETAIL_BYTES_MAX
    assert 0 < int(done.told["lines"]) < 250  # type: ignore[arg-type]
    assert int(done.told["lines"]) + int(done.told["left_out"]) == 300  # type: ignore[arg-type]
    assert "request 299" in str(done.told["text"])


async def test_a_log_too_long_for_one_record_is_cut_and_not_withheld(site: SmallSite) -> None:
    for number in range(300):
        line("portal", "error", f"request {number}", trace="y" * 1000)
    wish = {"part": "portal", "since_s": 3600, "lines": 300, "level": "error"}
    done = await RUNS[OrderType.VIEW_LOGS](site.work, accepted(OrderType.VIEW_LOGS, wish))
    assert done.outcome is Outcome.DONE
    assert int(done.told["lines"]) > 5  # type: ignore[arg-type]
    assert "request 299" in str(done.told["text"])
    assert "WITHHELD" not in str(done.told["text"])


async def test_a_log_that_cannot_be_scrubbed_is_not_told_as_done(site: SmallSite) -> None:
    line("portal", "warning", "somebody came")
    site.work.scrubber.use_names(None)
    wish = {"part": "portal", "since_s": 3600, "lines": 2, "level": "warning"}
    done = await RUNS[OrderType.VIEW_LOGS](site.work, accepted(OrderType.VIEW_LOGS, wish))
    assert (done.outcome, str(done.told["why"])) == (Outcome.FAILED, "withheld")


def test_every_part_that_can_be_asked_for_writes_lines() -> None:
    written = {
        name
        for folder in ("appliance", "runtime")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r'logger\("([a-z_-]+)"\)', path.read_text())
    }
    asked = set(get_args(ViewLogs.model_fields["part"].annotation))
    assert asked == {*PARTS, "appliance"}
    assert not {part for parts in PARTS.values() for part in parts} - written


async def test_what_cannot_be_looked_at_is_a_failed_look(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nowhere(_: str) -> Path:
        return tmp_path / "not-there"

    monkeypatch.setattr(diagnostic, "Path", nowhere)
    for what in ("memory", "network", "clock"):
        done = await look(site.work, what)
        assert (done.outcome, str(done.told["why"])) == (Outcome.FAILED, "unreadable")


def test_what_is_kept_of_the_log_is_bounded() -> None:
    kept = Recent()
    for number in range(LINES_MAX + 5):
        kept(None, "info", {"event": "x" * 5000, "level": "info", "n": number, "timestamp": STAMP})
    lines = kept.lines(since_ms=START_MS, level="debug")
    assert len(lines) == LINES_MAX
    assert max(len(one.text) for one in lines) <= 1000


async def test_a_forced_check_in_tells_everything_even_to_a_hub_that_holds_it(
    hub_work: Work,  # noqa: F811 - the fixture
) -> None:
    hub = hub_work.hub
    assert isinstance(hub, Told)
    hub.answer = head(hub_work)
    await check_in(hub_work)
    assert all(heard(hub_work, body).full is None for body in hub.sent)
    hub.sent.clear()
    order = accepted(OrderType.FORCE_CHECKIN, {})
    asked = asyncio.ensure_future(RUNS[OrderType.FORCE_CHECKIN](hub_work, order))
    assert await hub_work.bells.check_in.wait(5)
    await check_in(hub_work)
    done = await asked
    assert (done.outcome, done.told) == (Outcome.DONE, {"hub_answered": True})
    assert [heard(hub_work, body).full is not None for body in hub.sent] == [False, True]


async def test_a_check_in_that_nobody_answers_has_failed(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(force_checkin, "WITHIN_S", 0.01)
    done = await RUNS[OrderType.FORCE_CHECKIN](site.work, accepted(OrderType.FORCE_CHECKIN, {}))
    assert done.outcome is Outcome.FAILED
    assert not site.work.contact.wants_full


KEY = SealingKey(bytes(SEED_BYTES))
LOGIN = SealedLogin(
    TargetId("t-aaaaaaaaaa"), "osiris", "ask", Secret("PEM\n"), None, Secret("of sudo")
)


def test_a_sealed_login_opens_to_what_was_sealed() -> None:
    found = open_box(seal(LOGIN, KEY.public), KEY)
    assert found.private_key == LOGIN.private_key
    assert (found.user, found.sudo, found.password) == ("osiris", "ask", None)
    assert "PEM" not in repr(found)


def test_a_box_opens_for_its_key_alone_and_unchanged() -> None:
    box = seal(LOGIN, KEY.public)
    with pytest.raises(SealError):
        open_box(box, SealingKey(bytes([1]) * SEED_BYTES))
    for place in (0, len(box) // 2, len(box) - 1):
        changed = bytearray(box)
        changed[place] ^= 1
        with pytest.raises(SealError):
            open_box(bytes(changed), KEY)


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"v": True},
        {"target": "all"},
        {"user": "a;id"},
        {"sudo": "all"},
        {"private_key": None},
        {"private_key": 5},
        {"shell": "sh"},
    ],
)
def test_what_is_no_login_is_refused(changes: dict[str, object]) -> None:
    login = {
        "v": 1,
        "target": "t-aaaaaaaaaa",
        "user": "osiris",
        "sudo": "none",
        "private_key": "PEM",
        "password": None,
        "sudo_password": None,
    }
    assert open_box(KEY.public.seal(strict_json.dumps(login)), KEY).user == "osiris"
    with pytest.raises(MalformedError):
        open_box(KEY.public.seal(strict_json.dumps({**login, **changes})), KEY)
    with pytest.raises(MalformedError):
        open_box(KEY.public.seal(b"[]"), KEY)
