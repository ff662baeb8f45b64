"""A verdict is earned: only an answer that was read in full says anything but unknown."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.catalog.load import load
from proto.errors import MalformedError
from proto.findings import Reason, Verdict
from proto.ids import ApplianceId, TargetId
from proto.inventory import DeviceClass, Facts, Platform
from proto.judge import ANSWER_BYTES_MAX, judge, judge_answer, read_captured, read_changed
from tests.unit.reference_set import CHECK, as_files, edited, whole_texts

CONTENT = load(as_files(whole_texts()))
SSH = CONTENT.checks["lin.ssh.root_login"]
TELNET = CONTENT.checks["net.port.telnet"]
FACTS = Facts(
    target_id=TargetId("t-aaaaaaaaaa"),
    target_platform=Platform.LINUX,
    target_os="debian",
    target_os_version="12",
    target_class=DeviceClass.SERVER,
    target_login="osiris",
    target_address="192.0.2.10",
    appliance_id=ApplianceId("a-aaaaaaaaaa"),
    appliance_address="192.0.2.2",
    site_admin_networks=("192.0.2.0/24",),
    site_ntp_servers=("192.0.2.1",),
    site_time_zone="UTC",
)


def verdict(stdout: bytes, exit_status: int = 0) -> tuple[Verdict, Reason | None]:
    """Judge what the SSH probe printed."""
    judged = judge(SSH, exit_status=exit_status, stdout=stdout, facts=FACTS)
    return judged.verdict, judged.reason


def test_an_answer_that_was_read_gets_its_verdict() -> None:
    assert verdict(b'{"present":true,"value":"no"}\n') == (Verdict.COMPLIANT, None)
    assert verdict(b' {"value":"yes","present":true} ') == (Verdict.DRIFTED, None)
    assert verdict(b'{"present":false,"value":"absent"}') == (Verdict.NOT_APPLICABLE, None)


def test_only_reported_fields_may_leave_the_site() -> None:
    judged = judge(SSH, exit_status=0, stdout=b'{"present":true,"value":"yes"}', facts=FACTS)
    assert judged.answer == {"present": True, "value": "yes"}
    assert judged.seen == {"value": "yes"}


def test_a_failed_probe_is_unknown_whatever_it_printed() -> None:
    good = b'{"present":true,"value":"no"}'
    assert verdict(good, exit_status=1) == (Verdict.UNKNOWN, Reason.PROBE_FAILED)
    assert verdict(good, exit_status=-1) == (Verdict.UNKNOWN, Reason.PROBE_FAILED)


BAD_ANSWERS = [
    b"",
    b"\n",
    b"null",
    b"[]",
    b'"no"',
    b"yes",
    b'{"present":true,"value":"no"}{"present":true,"value":"no"}',
    b'{"present":true,"value":"no"}\nwarning: x',
    b'Warning\n{"present":true,"value":"no"}',
    b'{"present":true,"present":true,"value":"no"}',
    b'{"present":true}',
    b'{"present":true,"value":"no","more":1}',
    b'{"present":"true","value":"no"}',
    b'{"present":1,"value":"no"}',
    b'{"present":true,"value":"NO"}',
    b'{"present":true,"value":null}',
    b'{"present":true,"value":["no"]}',
    b'{"present":true,"value":"no",}',
    b'\xef\xbb\xbf{"present":true,"value":"no"}',
    b'{"present":true,"value":"n\xff"}',
    b"{'present':true,'value':'no'}",
    b'{"present":true,"value":"no"}' + b" " * ANSWER_BYTES_MAX,
]


@pytest.mark.parametrize("stdout", BAD_ANSWERS)
def test_a_bad_answer_is_unknown_and_never_shown(stdout: bytes) -> None:
    judged = judge(SSH, exit_status=0, stdout=stdout, facts=FACTS)
    assert (judged.verdict, judged.reason) == (Verdict.UNKNOWN, Reason.BAD_ANSWER)
    assert judged.answer == {}
    assert judged.seen == {}
    assert judged.detail


def test_an_answer_of_exactly_the_limit_is_read() -> None:
    good = b'{"present":true,"value":"no"}'
    assert verdict(good + b" " * (ANSWER_BYTES_MAX - len(good)))[0] is Verdict.COMPLIANT


@settings(max_examples=300)
@given(
    answer=st.dictionaries(
        st.sampled_from(["present", "value", "other"]),
        st.none()
        | st.booleans()
        | st.integers(-2, 2)
        | st.sampled_from(["no", "yes", "absent", ""]),
    )
)
def test_only_answers_that_fit_are_judged(answer: dict[str, object]) -> None:
    fits = set(answer) == {"present", "value"} and isinstance(answer["present"], bool)
    fits = fits and answer["value"] in ("no", "yes", "absent")
    found, reason = verdict(json.dumps(answer).encode())
    assert (found is not Verdict.UNKNOWN) is fits
    assert reason is (None if fits else Reason.BAD_ANSWER)
    if fits:
        expected = Verdict.COMPLIANT if answer["value"] == "no" else Verdict.DRIFTED
        assert found is (expected if answer["present"] else Verdict.NOT_APPLICABLE)


def test_facts_may_decide_whether_a_check_applies() -> None:
    content = load(
        edited(
            CHECK,
            "applies: [",
            "applies: [{field: target.os, operator: ne, value: alpine}, ",
        )
    )
    check = content.checks["lin.ssh.root_login"]
    judged = judge(check, exit_status=0, stdout=b'{"present":true,"value":"yes"}', facts=FACTS)
    assert judged.verdict is Verdict.DRIFTED


def test_an_answer_put_together_here_is_judged_the_same_way() -> None:
    assert judge_answer(TELNET, {"telnet": False}, facts=FACTS).verdict is Verdict.COMPLIANT
    drifted = judge_answer(TELNET, {"telnet": True}, facts=FACTS)
    assert (drifted.verdict, drifted.seen) == (Verdict.DRIFTED, {"telnet": True})
    assert judge_answer(TELNET, {}, facts=FACTS).reason is Reason.BAD_ANSWER
    assert judge_answer(TELNET, {"telnet": 1.0}, facts=FACTS).reason is Reason.BAD_ANSWER


def test_a_step_says_exactly_whether_it_changed_something() -> None:
    assert read_changed(exit_status=0, stdout=b'{"changed":true}\n')
    assert not read_changed(exit_status=0, stdout=b'{"changed":false}')


@pytest.mark.parametrize(
    ("exit_status", "stdout"),
    [
        (1, b'{"changed":true}'),
        (0, b""),
        (0, b'{"changed":1}'),
        (0, b'{"changed":"true"}'),
        (0, b'{"changed":true,"more":1}'),
        (0, b'{"changed":true}{"changed":true}'),
        (0, b'done\n{"changed":true}'),
        (0, b"[]"),
    ],
)
def test_any_other_word_of_a_step_fails_it(exit_status: int, stdout: bytes) -> None:
    with pytest.raises(MalformedError):
        read_changed(exit_status=exit_status, stdout=stdout)


def test_captured_values_become_variables_of_undo() -> None:
    stdout = b'{"existed":true,"mode":420,"before":"IyB4Cg=="}'
    captured = read_captured(exit_status=0, stdout=stdout)
    assert captured == {"existed": True, "mode": 420, "before": "IyB4Cg=="}


@pytest.mark.parametrize(
    ("exit_status", "stdout", "what"),
    [
        (2, b'{"existed":true}', "status 2"),
        (0, b"true", "not an object"),
        (0, b'{"path":"/bin"}', "path would shadow"),
        (0, b'{"Existed":true}', "does not have the form"),
        (0, b'{"existed":null}', "existed must be"),
        (0, b'{"existed":{}}', "existed must be"),
        (0, b'{"existed":"a\\u0000b"}', "existed must be"),
        (0, json.dumps({f"v{n}": n for n in range(33)}).encode(), "at most 32"),
    ],
)
def test_any_other_capture_fails(exit_status: int, stdout: bytes, what: str) -> None:
    with pytest.raises(MalformedError, match=what):
        read_captured(exit_status=exit_status, stdout=stdout)
