"""Coverage-guided attacks on the scrubber: text that breaks it, or that it does not leave at rest.

    python tests/fuzz/phi_coverage.py [--runs N] [--seconds S] [--corpus DIRECTORY]

atheris watches which branches of `proto.phi` a text reaches and grows new texts from those that
reach new ones. A fault of the scrubber lets nothing through, it withholds the record; here it is a
crash all the same, because a clinic would lose what was withheld.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]  # it ships no types

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

with atheris.instrument_imports(include=["proto.phi"]):
    from proto.phi import Result, ThrowAwayVault, default_names, default_policy, scrub

NAMES, POLICY = default_names(), default_policy()
TEXT_CHARS_MAX = 600
OUR_FAULTS = ("the scrubber failed", "it does not come to rest")
SEEDS = (
    "2026-03-04T05:06:07Z app01 ehr[44]: patient SMITH, JOHN MRN 00123456 dob 1960-01-02 admitted",
    '{"resourceType":"Patient","name":[{"family":"Okafor","given":["Ada"]}],"id":"p1"}',
    "PID|1||123456^^^MRN||DOE^JANE||19600102|F|||14 Oak St^^Tampa^FL^33601||8135551234\r",
    "NM1*IL*1*NGUYEN*ANNA****MI*1EG4TE5MK73~DMG*D8*19600102*F~",
    "(0010,0010) PN [ROSSI^MARIA] # 12, 1 PatientName",
    "mrn,last,first,dob\n123456,Li,Wei,1960-01-02\n",
    "GET /patients?name=Anna%20Kovacs&dob=1960-01-02 HTTP/1.1",
    "C:\\Charts\\Kovacs_Anna\\scan 1.pdf password=hunter2! cGF0aWVudDogQW5uYSBLb3ZhY3M=",
    "KB5031356 build 19045.3570 S-1-5-21-1-2-3-500 10.0.0.1 [NAME-abcdefg]",
)


def attack(data: bytes) -> None:
    """Scrub one text twice and demand what holds for any text.

    Raises:
        AssertionError: a guarantee does not hold for it.
    """
    text = atheris.FuzzedDataProvider(data).ConsumeUnicodeNoSurrogates(TEXT_CHARS_MAX)
    for candidate in (text, data.decode("utf-8", "replace")[:TEXT_CHARS_MAX]):
        once = _scrubbed(candidate)
        again = str(_scrubbed(str(once.text)).text)
        if again != str(once.text):
            msg = f"not at rest: {candidate!a} -> {once.text!r} -> {again!a}"
            raise AssertionError(msg)
        if _is_json(candidate) and not _is_json(str(once.text)):
            msg = f"no longer JSON: {candidate!a}"
            raise AssertionError(msg)


def _scrubbed(text: str) -> Result:
    result = scrub(text, policy=POLICY, names=NAMES, vault=ThrowAwayVault())
    if result.withheld is not None and result.withheld.reason.startswith(OUR_FAULTS):
        msg = f"{result.withheld.reason}: {text!a}"
        raise AssertionError(msg)
    return result


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def main() -> None:
    """Attack for a while; the process ends with an error at the first text that breaks a rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=-1, help="how many texts; endless by default")
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--corpus", type=Path, help="kept there between runs; else forgotten")
    options = parser.parse_args()
    if NAMES is None:
        sys.exit("the names are not compiled here: run `make names`")
    with tempfile.TemporaryDirectory(prefix="osiris-fuzz-") as own:
        corpus = options.corpus or Path(own)
        for number, seed in enumerate(SEEDS):
            (corpus / f"seed-{number}").write_text(seed, "utf-8")
        limits = [f"-runs={options.runs}", f"-max_total_time={options.seconds}", "-max_len=1200"]
        atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={own}/", str(corpus)], attack)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
