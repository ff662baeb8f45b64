"""What must hold for any text whatever: the guarantees of the scrubber, each a property."""

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proto.phi import (
    Scrubbed,
    ThrowAwayVault,
    default_names,
    default_policy,
    installed_policies,
    scrub,
    scrub_text,
)
from proto.phi.framing import Frame, Framer
from proto.phi.tokens import is_token, make
from proto.phi.values import Kind
from tests.bench.phi_text import sets

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

SEED, LINES_EACH = 31, 7

PIECES = (
    "patient", "Patient: ", "John Smith", "SMITH, JOHN", "MRN 12345678", "dob=1960-01-02", "ssn",
    "123-45-6789", "(813) 555-1234", "\\u0041", "%4A%6F", "=3D", "&#74;", "[NAME-abcdefg]", "[",
    "]", "{", "}", '"', "'", "\\", "|", "^", "PID|1||", "\r", "\n", "\t", ",", ";", "=", ":", " ",
    "password=", "hunter2!", "C:\\Charts\\", "/patients/", ".pdf", "10.0.0.1", "73.1.2.3", "é",
    "\u200b",
    "\uff11\uff12", "eyJhbGciOi", "NM1*IL*1*", "~", "(0010,0010)", "<", ">", "user=", "jdoe",
    "by ", "for ", "Dr ", "14 Oak Street", "Tampa, FL 33601", "@", "a@b.org", "http://x/p/1",
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=24).map("".join)
)
LEAN = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@LEAN
@given(TEXTS)
def test_any_text_comes_out_and_twice_is_once(text: str) -> None:
    once = scrub_text(text)
    assert scrub_text(once) == once
    assert scrub_text(text) == once


PARTS = (
    "patient ",
    "Patient: ",
    "John Smith",
    "SMITH, JOHN",
    "MRN 12345678",
    "dob=1960-01-02",
    "123-45-6789",
    "(813) 555-1234",
    ":",
    "=",
    ".",
    ",",
    "(",
    ")",
    '"',
    "'",
    " ",
    "/",
    "\\",
    "-",
    "_",
    "443",
    "Smith",
    "Dr. ",
    "for ",
    "user ",
    "by ",
    "#",
    "14 Oak Street",
    "Tampa, FL 33601",
    "jane.doe@x.org",
    "http://x/p/",
    ".pdf",
    "id ",
    "name ",
    "2024-01-02",
    "73.1.2.3",
    "Anna",
    "C:\\Charts\\",
    "host=XRAY-4 ",
    "version 1.2.3.4",
    "born 1931 ",
    "in Tampa",
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PARTS), min_size=2, max_size=16).map("".join))
def test_where_a_second_look_is_spared_a_second_look_finds_nothing(text: str) -> None:
    """`rest.at_rest` spares most second looks; what it spares is scrubbed again here, whole."""
    once = scrub_text(text)
    assert scrub_text(once) == once


LINES = tuple(line.text for line in sets.make(SEED, each=1)[::LINES_EACH])
JOINS = (*"|.:=-_/\\^~,()\"'&*\n@#;>< ", "", " - ", ", ", ": ", ". ", "1", "x")


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_pieces_of_lines_put_together_anyhow_are_at_rest_once_scrubbed(data: st.DataObject) -> None:
    """Cut keys, halves of values, glued formats: the worst neighbours that a token can have."""
    text = ""
    for _ in range(data.draw(st.integers(1, 5))):
        line = data.draw(st.sampled_from(LINES))
        start = data.draw(st.integers(0, len(line)))
        text += line[start : start + data.draw(st.integers(1, 60))]
        text += data.draw(st.sampled_from(JOINS))
    once = scrub_text(text)
    assert scrub_text(once) == once


def test_a_version_whose_word_went_into_a_name_is_looked_at_again() -> None:
    once = scrub_text(
        "SMITH, JOHN: '14 Oak Street' John Smithversion 1.2.3.4(813) 555-1234, MRN 12345678"
    )
    assert "555-1234" not in once
    assert scrub_text(once) == once


def test_what_ends_one_number_may_begin_the_next() -> None:
    once = scrub_text('der, mrn H9725741"X896365271",: ')
    assert "896365271" not in once
    assert scrub_text(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "C:\\Charts\\Smith, John\\mrn 12345678\\x.pdf",
        "PID|1||1234567^^^C||SMITH^JOHN^Q||19500102|M|||12 OAK ST^^TAMPA^FL^33601",
        '{"id":"1","name":[{"family":"Smith","given":["Ann"]}],"system":"urn:oid:1.2.840.1.5.1.4.1"}',
        "GET /patient?q=Nova+Eriksson&dob=04%2F28%2F2014&mrn=12345678 done",
        "file john_smith_1960-01-02.pdf for Smith, John.",
    ],
)
def test_a_second_look_is_spared_where_marks_touch_tokens_and_finds_nothing(text: str) -> None:
    once = scrub_text(text)
    assert once != text
    assert scrub_text(once) == once


@LEAN
@given(TEXTS)
def test_without_names_nothing_of_the_text_comes_out(text: str) -> None:
    result = scrub(text, policy=default_policy(), names=None, vault=ThrowAwayVault())
    assert result.withheld is not None
    assert is_token(str(result.text).strip('"'))


def test_a_record_beyond_the_limit_is_withheld_whole_with_its_hash() -> None:
    policy = default_policy()
    text = "x" * (policy.record_chars_max + 1)
    result = scrub(text, policy=policy, names=default_names(), vault=ThrowAwayVault())
    assert result.withheld is not None
    assert len(result.withheld.sha256) == 64
    assert len(str(result.text)) < 40


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(PIECES) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["mrn", "patient", "name", "dob", "note", "given", "value", "token"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@LEAN
@given(JSON_VALUES, st.booleans())
def test_json_stays_json(value: object, ascii_only: bool) -> None:  # noqa: FBT001 - drawn
    json.loads(scrub_text(json.dumps(value, ensure_ascii=ascii_only)))


@pytest.mark.parametrize(
    ("form", "one", "other"),
    [
        ("patient {} checked in at 10:02:03", "John Smith", "Maria Gonzalez"),
        ("ssn={} host=XRAY-4", "123-45-6789", "219-09-9999"),
        ("MRN {} merged by job 77", "12345678", "99812345"),
        ('{{"dob":"{}","node":"PACS01"}}', "1960-01-02", "1971-12-30"),
        ("password={} for 10.0.0.5", "hunter2!x", "C0rrect-horse"),
        ("fax to {} failed", "(813) 555-1234", "(617) 555-9876"),
        ("bounced: {}", "jane.doe@gmail.com", "petr77@aol.com"),
    ],
)
def test_a_value_changes_nothing_but_its_token(form: str, one: str, other: str) -> None:
    assert scrub_text(form.format(one)) == scrub_text(form.format(other)) != form.format(one)


@LEAN
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.data())
def test_the_same_records_however_the_stream_is_cut(text: str, data: st.DataObject) -> None:
    for frame in Frame:
        raw = text.encode("utf-8")
        cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
        pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
        assert _records(frame, pieces) == _records(frame, [raw])


def _records(frame: Frame, pieces: list[bytes]) -> list[tuple[str, str | None]]:
    framer = Framer(frame, record_chars_max=120)
    found = [record for piece in pieces for record in framer.feed(piece)]
    found.extend(framer.end())
    return [(record.text, record.oversize_sha256) for record in found]


HOSTILE = {
    "digits": "1234567890-",
    "dots": "1.1.1.",
    "backslashes": "\\",
    "quotes": '"',
    "names": "Smith, ",
    "cues": "patient name ",
    "keys": "mrn=",
    "braces": '{"a":[',
    "percent": "%41",
    "base64": "QUJD",
    "at": "a@",
    "carets": "A^",
    "spaced": "a b ",
    "pipes": "PID|",
    "slashes": "/charts/x",
    "rows": "a,b\n",
    "hex": "4a6f",
    "stars": "NM1*",
    "births": "born 1931 ",
    "queries": "?pid=44112233&ln=Petrov&",
    "labels": "^FDPETROV, MARIA^FS",
    "changes": "ssn: old=219345678 new=219345679 ",
    "members": '"field":"ssn","old":"219345678",',
    "chosen": "password Abc123!x ",
    "cells": "[Smith] [1234567] ",
    "crumbs": "Cookie: a=bcdefgh1; ",
    "talk": "10:14 Karen: moved from A to B ",
    "logins": "user/Tiger99x@",
    "options": " -p Xq7dentist1 ",
    "claims": "claim: 1234567 ; ",
    "cases": "case 1234567 ; ",
    "entries": "password log in to PACSGW-09 ",
    "masks": "ssn *** ",
}
ABOUT_SOMEBODY = "patient dob 1960-01-02 "
"""Without a person most readers of company are never asked."""


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_costs_time_in_proportion(piece: str) -> None:
    """Four times the text takes at most about four times as long, never sixteen."""
    for before in ("", ABOUT_SOMEBODY):
        short, long = (_seconds(before, piece, size) for size in (8_000, 32_000))
        assert long < 10 * short + 0.05


def _seconds(first: str, piece: str, size: int) -> float:
    text = (first + piece * size)[:size]
    best = float("inf")
    for _ in range(2):
        before = time.process_time()
        scrub_text(text)
        best = min(best, time.process_time() - before)
    return best


def test_only_the_scrubber_makes_scrubbed_text() -> None:
    with pytest.raises(TypeError):
        Scrubbed("John Smith")
    made = scrub("up", policy=default_policy(), names=default_names(), vault=ThrowAwayVault()).text
    assert isinstance(made, Scrubbed)
    for name in ("_text", "other"):
        with pytest.raises(TypeError):
            setattr(made, name, "John Smith")


def test_a_token_with_a_wrong_check_character_is_no_token() -> None:
    token = make(Kind.NAME, "abcdef")
    assert is_token(token)
    assert not is_token(token[:-2] + ("a" if token[-2] != "a" else "b") + "]")


def test_the_strict_policy_drops_equipment_too() -> None:
    text = "host=XRAY-4 addr 192.168.4.7 at 2024-03-15T10:11:12 mac 00:11:22:33:44:55"
    strict = installed_policies()["safe_harbor_strict"]
    result = scrub(text, policy=strict, names=default_names(), vault=ThrowAwayVault())
    for fact in ("XRAY-4", "192.168.4.7", "2024-03-15", "00:11:22:33:44:55"):
        assert fact not in str(result.text)
    assert scrub_text(text) == text
