"""No gate is narrower than the patterns behind it: what a pattern would find, its gate lets it see.

A gate that stays dark lets a secret leave without anybody's having looked, so every alternative of
every pattern behind a gate is made into text and the gate is asked.
"""

import pytest

from proto.phi import (
    accounts,
    addressed,
    around,
    beyond,
    changes,
    commanded,
    company,
    compounds,
    context,
    credentials,
    deeds,
    default_names,
    glued,
    numbered,
    owners,
    paired,
    parts,
    scrub_text,
    secrets,
    sessions,
    spelled,
    vcards,
)
from proto.phi.forms import SCANS, lit
from proto.phi.scan import Pattern, Sought
from tests.fakes.pattern_samples import samples

GATED = (
    *credentials.GATED,
    *secrets.GATED,
    *changes.GATED,
    *owners.GATED,
    *context.GATED,
    *deeds.GATED,
    *accounts.GATED,
    *commanded.GATED,
    *sessions.GATED,
    *numbered.GATED,
    *paired.GATED,
    *around.GATED,
    *beyond.GATED,
    *company.GATED,
    *spelled.GATED,
    *glued.GATED,
    *addressed.GATED,
    *compounds.GATED,
    *parts.GATED,
    *vcards.GATED,
    *((form, (pattern,)) for form, pattern in SCANS.items()),
)
FURTHER = {
    "_STRONG",
    "_ANY",
    "_PLATE",
    "_QUOTED_PLATE",
    "_ENROLLED",
    "_COLOURED",
    "_LONG",
    "_BARE_PLATE",
}
"""Patterns of these modules that look within what a gate or another pattern found."""
EACH = [
    pytest.param(gate, pattern, id=f"{gate}-{at}")
    for gate, patterns in GATED
    for at, pattern in enumerate(patterns)
]


@pytest.mark.parametrize(("gate", "pattern"), EACH)
def test_whatever_a_pattern_matches_lights_its_gate(gate: str, pattern: Pattern) -> None:
    made = list(samples(pattern))
    assert made
    dark = [
        text
        for text in made
        if gate not in lit(text.encode("latin-1"), text.lower().encode("latin-1"))
    ]
    assert not dark


@pytest.mark.parametrize("sought", [one for _, some in credentials.SOUGHT for one in some])
def test_whatever_a_pattern_matches_holds_one_of_the_bytes_it_needs(sought: Sought) -> None:
    lowers = [text.lower().encode("latin-1") for text in samples(sought.pattern)]
    assert lowers
    assert not [lower for lower in lowers if not any(need in lower for need in sought.needs)]


def test_two_sides_are_seen_behind_whatever_says_that_something_changed() -> None:
    changed = next(some[0] for gate, some in changes.GATED if gate == "changed")
    said = [
        data[: spans[2][0]]
        for data in (text.encode("latin-1") for text in samples(changed))
        for spans in changed.each(data)
    ]
    assert said
    assert not [one for one in said if not changes.has_sides(one + b"'Ann' to 'Eve'")]
    assert not [one for one in said if changes.has_sides(one + b"Ann")]


@pytest.mark.skipif(default_names() is None, reason="the gazetteer was not compiled here")
@pytest.mark.parametrize(
    "text",
    [
        "winner 4411223 name=Anna Kowalski",
        "pid=4411223 (patient Anna Kowalski)",
        "loser=4411223 | patient: Anna Kowalski",
        "id:'4411223' full_name=Anna Kowalski",
        "source 4411223 display_name: 'Anna Kowalski'",
        "nr: 4411223 ; full_name: Anna Kowalski",
    ],
)
def test_a_number_before_a_name_goes_whatever_parts_them(text: str) -> None:
    assert "4411223" not in scrub_text(text)


@pytest.mark.parametrize(
    "pattern", [one for gate, some in GATED if gate == "secret" for one in some]
)
def test_whatever_a_secret_s_form_matches_passes_the_exact_gate_too(pattern: Pattern) -> None:
    assert not [text for text in samples(pattern) if not secrets.may_hold(text.encode("latin-1"))]


def test_every_pattern_of_these_readers_stands_behind_a_gate_that_was_asked() -> None:
    held = {pattern for _, patterns in GATED for pattern in patterns}
    for module in (
        credentials,
        secrets,
        changes,
        owners,
        deeds,
        around,
        company,
        spelled,
        accounts,
        glued,
    ):
        written = {name: one for name, one in vars(module).items() if isinstance(one, Pattern)}
        assert {name for name, one in written.items() if one not in held} <= FURTHER


@pytest.mark.skipif(default_names() is None, reason="the gazetteer was not compiled here")
@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("sqlplus ehr/Tiger99x@//db01:1521/EHR failed", "Tiger99x"),
        ("sqlplus ehr/Tiger99x@10.1.1.5/EHR failed", "Tiger99x"),
        ('"alice" "vpnsrv" "s3cretQ99" *', "s3cretQ99"),
        ("run -p Xq7dentist1 \\\\PC01 -u CLINIC", "Xq7dentist1"),
        ("windows key: 4B09-2068-C841-E878-4F8E", "4B09-2068"),
        ("lastName old Petrov new Ivanov", "Petrov"),
        ("stack 1 key Zq7!dlU8xx", "Zq7!dlU8xx"),
        ("Karen's iMac is offline", "Karen"),
        ('http -a "user:Zq7!dlU8xx" nas', "Zq7!dlU8xx"),
        ("printer for Ahmad is offline", "Ahmad"),
        (f"bot MTk4{'a1B' * 7}.Cl2FMQ.ZnCj{'x7Q' * 9} started", "ZnCj"),
        ("name in '/pt 1984', column 'Petrov' : input 'Petrov', column last_name", "'Petrov', col"),
    ],
)
def test_what_stood_behind_a_dark_gate_goes(text: str, gone: str) -> None:
    assert gone not in scrub_text(text)
