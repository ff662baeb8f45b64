"""Every code that a person can meet has words, and the words promise nothing."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pytest

from appliance.core.reconsider import DECIDED_BEFOREHAND, NOT_WORKED
from appliance.store.health import Condition
from central.console import frame
from central.core import health
from central.core.fleet import Presence
from proto.catalog.model import Disruption
from proto.evidence import Outcome, Result, Turn
from proto.findings import Reason, Vantage, Verdict
from proto.incidents import Cause, Severity, State
from proto.inventory import DeviceClass, Platform
from runtime.web import words
from runtime.web.words import Words

CATALOGUES: tuple[tuple[type[StrEnum], Mapping[Any, Words]], ...] = (
    (Verdict, words.VERDICTS),
    (Reason, words.REASONS),
    (Severity, words.SEVERITIES),
    (State, words.STATES),
    (Cause, words.CAUSES),
    (Outcome, words.OUTCOMES),
    (Result, words.RESULTS),
    (Turn, words.TURNS),
    (DeviceClass, words.CLASSES),
    (Disruption, words.DISRUPTIONS),
    (Platform, words.PLATFORMS),
    (Vantage, words.VANTAGES),
    (Condition, words.CONDITIONS),
    (Presence, frame.PRESENCES),
    (health.Condition, frame.CONDITIONS),
)
EVERY = [(code, one) for _, catalogue in CATALOGUES for code, one in catalogue.items()]


@pytest.mark.parametrize(("codes", "catalogue"), CATALOGUES, ids=lambda one: str(one)[:40])
def test_no_code_is_without_words(codes: type[StrEnum], catalogue: Mapping[Any, Words]) -> None:
    assert set(catalogue) == set(codes)


@pytest.mark.parametrize(("code", "said"), EVERY, ids=[code for code, _ in EVERY])
def test_words_are_whole_plain_sentences_that_promise_nothing(code: str, said: Words) -> None:
    assert said.label[0].isupper()
    assert re.search(r"[.!]\Z", said.sentence), code
    assert "_" not in said.label + said.sentence, "a code is no word"
    assert "HIPAA" not in said.label + said.sentence


HANDED_OVER = (
    DECIDED_BEFOREHAND
    | NOT_WORKED
    | {
        Cause.UNDO_FAILED,
        Cause.UNDO_UNKNOWN,
        Cause.OUTCOME_UNKNOWN,
        Cause.CHECK_BLIND,
    }
)
"""Every cause with which an incident is handed to a person."""


def test_whoever_gets_an_incident_is_told_what_to_do_next() -> None:
    assert set(words.NEXT) == HANDED_OVER
    for cause, said in words.NEXT.items():
        assert words.next_step(State.ESCALATED, cause) == said
        assert re.search(r"[.?]\Z", said)
        assert "_" not in said


@pytest.mark.parametrize("state", [one for one in State if one is not State.ESCALATED])
def test_nobody_is_asked_for_anything_while_it_goes_by_itself(state: State) -> None:
    assert all(words.next_step(state, cause) == "" for cause in Cause)


def test_unknown_never_looks_good() -> None:
    for said in (words.VERDICTS[Verdict.UNKNOWN], words.OUTCOMES[Outcome.UNKNOWN], words.UNNAMED):
        assert said.tone is not words.Tone.GOOD


def test_only_a_passing_answer_or_a_proved_repair_looks_good() -> None:
    good = {code for code, said in EVERY if said.tone is words.Tone.GOOD}
    assert good == {"compliant", "healed", "done", "closed", "online"}


def test_controls_are_called_as_their_frameworks_call_them() -> None:
    assert words.control_name("hipaa:164.312(b)") == "45 CFR 164.312(b)"
    assert words.control_name("nist_800_53:AU-6") == "NIST SP 800-53 AU-6"
    assert words.control_name("other:1.2") == "other 1.2"
