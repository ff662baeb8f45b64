"""The one door for text: what the types refuse, and what the last look sees."""

import base64
import itertools
import json
import re
import subprocess
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from annotated_types import BaseMetadata, GroupedMetadata
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from proto.errors import IntegrityError, MalformedError
from proto.evidence import SALT_BYTES, LeafText, commit
from proto.hub.check_in import CheckIn
from proto.hub.devices import ENTRIES_MAX, PAGE_BYTES_MAX, DeviceEntry, DevicePage, pages
from proto.hub.evidence import Detail, EvidenceBatch, EvidenceWanted
from proto.hub.orders import OrderLeafText, OrdersBack, OrdersRequest
from proto.hub.outgoing import Outgoing, wire
from proto.inventory import DeviceClass
from proto.keys import SEED_BYTES, SigningKey
from proto.message import CodeName, Message
from proto.phi.arrived import Arrived
from proto.phi.inside import look_inside
from proto.phi.leaving import Leaving, closed, document, members, reopened
from proto.phi.values import Scrubbed
from proto.strict_json import b64_encode

ROOT = Path(__file__).resolve().parents[2]
SALT = bytes(SALT_BYTES)
KEY = SigningKey(bytes(SEED_BYTES - 1) + b"\x01")
SOME = closed("fine", ("fine",))
SSN = "pt 521-44-9921 seen"


def device(number: int, label: Scrubbed | None = None) -> DeviceEntry[Scrubbed]:
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    body = "".join(letters[number >> (5 * place) & 31] for place in range(9, -1, -1))
    return DeviceEntry(
        id=f"t-{body}",
        device_class=DeviceClass.SERVER,
        off_limits=False,
        label=label,
        name=None,
        vendor=None,
    )


SIGNED_TEXT = {LeafText, OrderLeafText}
"""Whole envelopes as text: each is made from a leaf that was verified, and by nothing else."""

OPEN = (str, bytes, bytearray, memoryview, object, Any)
"""What holds any text; only a string's metadata can give it a closed form."""

Nickname = typing.NewType("Nickname", str)


def plain_text_in(kind: object, where: str, metadata: tuple[object, ...] = ()) -> Iterator[str]:
    """Yield where a type lets a plain string through that no closed form bounds."""
    if isinstance(kind, type) and issubclass(kind, Message):
        for name, field in kind.model_fields.items():
            yield from plain_text_in(field.annotation, f"{where}.{name}", tuple(field.metadata))
    elif hasattr(kind, "__supertype__") and kind not in SIGNED_TEXT:
        yield from plain_text_in(kind.__supertype__, where, metadata)
    elif kind in OPEN:
        if kind is not str or not any(closes(one) for one in metadata):
            yield where
    elif typing.get_origin(kind) is typing.Annotated:
        inner, *more = typing.get_args(kind)
        yield from plain_text_in(inner, where, (*metadata, *more))
    elif typing.get_origin(kind) is not typing.Literal:
        for inner in typing.get_args(kind):
            if inner is not ...:
                yield from plain_text_in(inner, where)


def closes(metadata: object) -> bool:
    """Whether a string's metadata bounds its form: a pattern, or an id's check."""
    if isinstance(metadata, FieldInfo):
        return any(closes(one) for one in metadata.metadata)
    if isinstance(metadata, GroupedMetadata | BaseMetadata) or hasattr(metadata, "pattern"):
        return getattr(metadata, "pattern", None) is not None
    if not hasattr(metadata, "__get_pydantic_core_schema__"):
        return False
    return "pattern" in TypeAdapter(typing.Annotated[str, metadata]).json_schema()


@pytest.mark.parametrize("message", typing.get_args(Outgoing))
def test_every_string_that_leaves_is_of_a_closed_form_or_scrubbed(message: type[Message]) -> None:
    assert list(plain_text_in(message, message.__name__)) == []


def test_the_walk_over_messages_sees_plain_text() -> None:
    class Leaky(Message):
        inner: tuple[tuple[str, ...], ...]

    assert list(plain_text_in(Leaky, "Leaky")) == ["Leaky.inner"]


def test_the_walk_over_messages_sees_text_under_other_names() -> None:
    class Leaky(Message):
        named: tuple[Nickname, ...]
        raw: bytes | None
        anything: dict[CodeName, Any]
        whatever: object
        leaf: LeafText
        code: CodeName

    found = list(plain_text_in(Leaky, "Leaky"))
    assert found == ["Leaky.named", "Leaky.raw", "Leaky.anything", "Leaky.whatever"]


SNIPPET = """
from proto.hub.check_in import CheckIn
from proto.hub.devices import DeviceEntry
from proto.hub.evidence import Detail, EvidenceBatch
from proto.inventory import DeviceClass
from proto.phi.arrived import Arrived
from proto.phi.values import Scrubbed
from appliance.ports import HubTransport

async def leak(hub: HubTransport, text: str, raw: bytes, here: EvidenceBatch[Arrived]) -> None:
    {statement}
"""
FITS = """await hub.send(EvidenceBatch[Scrubbed](
        appliance="a-aaaaaaaaaa", first=0, leaves=(), details=(), checkpoint="x"))"""
LEAKS = {
    "bytes": "await hub.send(raw)",
    "text": "await hub.send(text)",
    "text that arrived": "await hub.send(here)",
    "a detail of text": 'Detail[Scrubbed](leaf=0, part="after", salt="", detail=text)',
    "a name of text": """DeviceEntry[Scrubbed](id="t-aaaaaaaaaa", device_class=DeviceClass.SERVER,
        off_limits=False, label=text, name=None, vendor=None)""",
    "leaves of text": """EvidenceBatch[Scrubbed](
        appliance="a-aaaaaaaaaa", first=0, leaves=(text,), details=(), checkpoint="x")""",
    "no message at all": "await hub.send({'detail': text})",
}


def test_the_type_checker_refuses_whatever_is_not_scrubbed(tmp_path: Path) -> None:
    """One run of mypy over all snippets: the first is right, each other one is wrong."""
    files = {"fits": FITS, **LEAKS}
    for number, statement in enumerate(files.values()):
        (tmp_path / f"leak{number}.py").write_text(SNIPPET.format(statement=statement))
    told = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--explicit-package-bases", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    wrong = set(re.findall(r"(leak[0-9]+)\.py:[0-9]+: error", told))
    assert wrong == {f"leak{number}" for number in range(1, len(files))}, told


def test_only_scrubbed_text_fits_where_text_leaves() -> None:
    for told in ("raw", Arrived("raw"), 5, b"raw"):
        with pytest.raises(ValidationError):
            Detail[Scrubbed].model_validate(
                {"leaf": 0, "part": "after", "salt": b64_encode(SALT), "detail": told}
            )


def test_what_arrived_shows_nothing_and_goes_nowhere() -> None:
    raw = json.dumps(
        {"leaf": 0, "part": "after", "salt": b64_encode(SALT), "detail": "Maria Gonzalez"}
    )
    arrived = Detail[Arrived].from_bytes(raw.encode(), "x", size_bytes_max=999)
    assert "Maria" not in f"{arrived!r} {arrived} {arrived.detail}"
    with pytest.raises(Exception, match="admit it first"):
        arrived.to_bytes()
    with pytest.raises(ValidationError):
        Detail[Scrubbed].model_validate(arrived.model_copy().__dict__)


def test_nothing_but_a_message_becomes_bytes() -> None:
    for other in (b"raw", "raw", {"a": 1}, device(1)):
        with pytest.raises(TypeError, match="no message that leaves"):
            wire(other, signer=KEY)  # type: ignore[arg-type]


def test_a_closed_value_is_of_its_list_or_none() -> None:
    assert str(closed("yes", ("yes", "no"))) == "yes"
    with pytest.raises(MalformedError) as caught:
        closed("Maria", ("yes", "no"))
    assert "Maria" not in str(caught.value)


@settings(deadline=None)  # other work shares the processors
@given(
    st.dictionaries(
        st.from_regex(r"\A[a-z][a-z0-9_]{0,8}\Z"), st.booleans() | st.integers(-9, 9), max_size=5
    )
)
def test_a_document_gives_back_its_members(fields: dict[str, bool | int]) -> None:
    whole: dict[str, Leaving] = {**fields, "text": SOME}
    assert members(document(whole)) == whole


@pytest.mark.parametrize("name", ["", "A", "a b", "a" * 32, 'a":"b', "Maria Gonzalez"])
def test_the_name_of_a_field_is_no_place_for_text(name: str) -> None:
    with pytest.raises(MalformedError):
        document({name: True})


def test_stored_text_is_scrubbed_only_if_the_appliance_committed_to_it() -> None:
    kept = b'{"who":"[NAME-j46m2ci]"}'
    assert str(reopened(kept, salt=SALT, commit=commit(SALT, kept))).encode() == kept
    for text, salt in ((b'{"who":"Maria"}', SALT), (kept, b"1" * SALT_BYTES)):
        with pytest.raises(IntegrityError):
            reopened(text, salt=salt, commit=commit(SALT, kept))


def wrapped(text: str) -> dict[str, bytes]:
    """Return bytes that carry a text in each way in which messages carry theirs, and others."""
    inner = json.dumps({"value": text})
    coded = base64.b64encode(inner.encode()).decode()
    return {
        "bare": text.encode(),
        "json": inner.encode(),
        "json in json": json.dumps({"detail": inner}).encode(),
        "base64 in json": json.dumps({"payload": coded}).encode(),
        "base64 in json in base64": json.dumps(
            {"payload": base64.b64encode(json.dumps({"leaves": [coded]}).encode()).decode()}
        ).encode(),
        "an unpadded, url-safe one": json.dumps(
            {"p": base64.urlsafe_b64encode(inner.encode()).decode().rstrip("=")}
        ).encode(),
        "escapes": json.dumps({"value": text}).replace("5", "\\u0035").encode(),
        "the name of a member": json.dumps({text: 1}).encode(),
    }


@pytest.mark.parametrize("way", wrapped(""))
def test_the_last_look_sees_what_is_wrapped(way: str) -> None:
    assert {alarm.form for alarm in look_inside(wrapped(SSN)[way])} == {"ssn"}
    canary = "zq7 Quillfeather"
    assert look_inside(wrapped(canary)[way]) == ()
    seen = look_inside(wrapped(canary)[way], {canary.lower().encode()})
    assert {alarm.form for alarm in seen} == {"canary"}


def test_what_is_wrapped_too_deep_to_be_looked_at_may_not_leave() -> None:
    text = SSN
    for _ in range(9):
        text = json.dumps([text])
    assert "wrapped" in {alarm.form for alarm in look_inside(text.encode())}


@settings(deadline=None)  # other work shares the processors
@given(st.binary(max_size=400))
def test_the_last_look_takes_any_bytes(data: bytes) -> None:
    look_inside(data)
    look_inside(json.dumps({"p": base64.b64encode(data).decode()}).encode())


def test_pages_speak_for_the_whole_list_once() -> None:
    long = closed("x" * 320, ("x" * 320,))
    entries = [device(number, long) for number in range(250)]
    cut = pages(entries)
    assert [one for _, _, page in cut for one in page] == entries
    assert cut[0][0] is None
    assert cut[-1][1] is None
    for (_, until, page), (after, _, _) in itertools.pairwise(cut):
        assert until == after == page[-1].id
    for after, until, page in cut:
        assert len(page) <= ENTRIES_MAX
        message = DevicePage[Scrubbed](
            appliance="a-aaaaaaaaaa",
            seq=2**53 - 1,
            iat=2**53 - 1,
            digest=b64_encode(bytes(32)),
            after=after,
            until=until,
            entries=page,
        )
        assert len(message.to_bytes()) < PAGE_BYTES_MAX + 400
        wire(message, signer=KEY)
    assert pages([]) == [(None, None, ())]


def test_only_the_scrubber_seals_text() -> None:
    """`seal` makes text `Scrubbed`: whoever imports it is a door."""
    doors = {
        str(file.relative_to(ROOT))
        for folder in ("proto", "runtime", "appliance", "central", "osiris")
        for file in (ROOT / folder).rglob("*.py")
        if "import" in (text := file.read_text("utf-8")) and imports_seal(text)
    }
    assert doors == {f"proto/phi/{room}.py" for room in SEALERS}


def test_the_appliance_has_one_client_to_the_outside() -> None:
    """What speaks HTTP: the door to the hub, the daemon's socket, and the reader of signed content.

    The reader asks the hub's repository for files and sends nothing but their names. What puts
    errors in words knows the errors alone.
    """
    clients = {
        str(file.relative_to(ROOT))
        for folder in ("appliance", "runtime", "proto")
        for file in (ROOT / folder).rglob("*.py")
        if re.search(
            r"(?m)^\s*(?:import|from) (?:httpx|urllib.request|http\.client|smtplib|requests)\b",
            file.read_text("utf-8"),
        )
    }
    assert clients == {
        "appliance/shell/hub_client.py",
        "appliance/shell/content_source.py",
        "runtime/local_door.py",
        "runtime/no_answer.py",
    }
    words = (ROOT / "runtime/no_answer.py").read_text("utf-8")
    known = {"HTTPError", "ConnectTimeout", "TimeoutException"}
    assert set(re.findall(r"httpx\.(\w+)", words)) == known
    asks = (ROOT / "appliance/shell/content_source.py").read_text("utf-8")
    assert re.findall(r"\.(?:stream|request|send|post|put|patch|get)\(\s*\"?(\w+)", asks) == ["GET"]


SEALERS = {
    "engine",  # what it scrubbed, or withheld
    "streams",  # records that were too long, withheld unseen
    "leaving",  # what is put together of closed values and scrubbed text
    "admission",  # what arrived and was looked at again
}


def imports_seal(text: str) -> bool:
    lines = text.replace("(\n", "(").splitlines()
    return any(
        line.startswith("from proto.phi.values import") and "seal" in line.replace(",", " ").split()
        for line in lines
    )


def test_messages_have_no_second_way_to_text() -> None:
    assert isinstance(Outgoing, types.UnionType)
    named = {one.__name__ for one in typing.get_args(Outgoing)}
    assert named == {
        "EnrollRequest",
        CheckIn.__name__,
        EvidenceBatch[Scrubbed].__name__,
        DevicePage[Scrubbed].__name__,
        OrdersRequest.__name__,
        OrdersBack.__name__,
        EvidenceWanted.__name__,
    }
