"""`osiris phi` for a person at a terminal: what it shows, what it hides, and how it ends."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from osiris.phi_cli import phi, shape
from proto.errors import ConfigError, MalformedError
from proto.phi import default_names
from tests.bench.phi_text.sets import as_row, make

PATIENT = "2024-03-01 10:00:00 ERROR chart of patient Quintana, Rosalind mrn 48213377 not found"
CLEAN = "2024-03-01 10:00:01 INFO service spooler entered the running state, pid 4812"

pytestmark = pytest.mark.skipif(default_names() is None, reason="names: not compiled (make names)")


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(phi, arguments, input=stdin, catch_exceptions=False)


def test_scan_says_where_and_why_and_shows_only_the_shape() -> None:
    ended = run("scan", "-", stdin=f"{CLEAN}\n{PATIENT}\n")
    assert ended.exit_code == 1
    assert "2: " in ended.stdout
    assert "NAME" in ended.stdout
    assert "MRN" in ended.stdout
    assert "1 of 2 records" in ended.stdout
    for value in ("Quintana", "Rosalind", "48213377"):
        assert value not in ended.stdout


def test_scan_shows_the_values_only_when_asked() -> None:
    assert "Quintana" in run("scan", "-", "--values", stdin=PATIENT).stdout


def test_scan_of_clean_text_finds_nothing_and_ends_with_0() -> None:
    ended = run("scan", "-", stdin=CLEAN)
    assert ended.exit_code == 0
    assert "0 of 1 records" in ended.stdout


def test_scan_as_json_has_places_and_reasons_but_no_text(tmp_path: Path) -> None:
    file = tmp_path / "app.log"
    file.write_text(f"{CLEAN}\n{PATIENT}\n", "utf-8")
    ended = run("scan", str(file), "-o", "json")
    found = json.loads(ended.stdout)
    assert found["records"] == 2
    assert found["records_with_hits"] == 1
    assert {hit["class"] for hit in found["hits"]} >= {"NAME", "MRN"}
    assert all(hit["line"] == 2 and hit["why"] for hit in found["hits"])
    name = next(hit for hit in found["hits"] if hit["class"] == "NAME")
    assert PATIENT[name["start"] : name["end"]].startswith("Quintana")
    assert "Rosalind" not in ended.stdout


def test_a_document_is_one_record_so_a_header_tells_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text("patient_last,patient_first\nOkafor,Zubwe\n", "utf-8")
    assert "1 of 1 records" in run("scan", str(file)).stdout
    assert "of 2 records" in run("scan", str(file), "--by", "line").stdout


def test_a_file_in_utf_16_is_read_by_its_mark() -> None:
    ended = run("scan", "-", stdin=f"\ufeff{PATIENT}".encode("utf-16-le"))
    assert "1 of 1 records" in ended.stdout
    assert "MRN" in ended.stdout


def test_a_file_cannot_draw_on_the_terminal() -> None:
    ended = run("scan", "-", stdin=f"\x1b]0;title\x07\x1b[2J {PATIENT}")
    assert "\x1b" not in ended.stdout
    assert "\x07" not in ended.stdout


def test_scan_knows_the_people_of_the_site(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("last,first\nZzyzxwena,Qorvath\n", "utf-8")
    line = "called zzyzxwena about the invoice of tomorrow"
    assert run("scan", "-", stdin=line).exit_code == 0
    assert run("scan", "-", "--people", str(people), stdin=line).exit_code == 1


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing-here"):
        run("scan", str(tmp_path / "nothing-here.log"))
    with pytest.raises(ConfigError, match="infra_facts"):
        run("scan", "-", "--policy", "none", stdin=CLEAN)


def test_a_test_of_a_labelled_set_prints_classes_and_bars(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    lines = [line for line in make(12) if line.form in {"ehr", "syslog"}]
    file.write_text("\n".join(map(as_row, lines)), "utf-8")
    ended = run("test", str(file), "--no-speed", "-o", "json")
    found = json.loads(ended.stdout)
    assert found["lines"] == len(lines)
    by_name = {bar["what"]: bar for bar in found["bars"]}
    assert by_name["recall: logs"]["found"] > 0.5
    assert by_name["recall: prose"]["met"] is None
    assert by_name["MB/s of one core"]["met"] is None
    low, high = by_name["recall: logs"]["interval_95"]
    assert low < by_name["recall: logs"]["found"] <= high
    assert {"NAME", "MRN"} <= {row["class"] for row in found["recall"]}
    table = run("test", str(file), "--no-speed").stdout
    assert "95 % INTERVAL" in table
    assert "not measured" in table


def test_a_missed_bar_ends_with_1_and_can_be_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    row = {
        "id": "m-1",
        "text": "the quick brown fox",
        "spans": [{"start": 4, "end": 15, "category": "NAME"}],
    }
    file.write_text(json.dumps(row), "utf-8")
    ended = run("test", str(file), "--no-speed", "--misses", "5")
    assert ended.exit_code == 1
    assert "m-1: NAME: quick brown" in ended.stdout
    assert "MISSED" in ended.stdout


def test_a_set_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    file.write_text("", "utf-8")
    with pytest.raises(ConfigError, match="no lines"):
        run("test", str(file))
    file.write_text("not json", "utf-8")
    with pytest.raises(MalformedError, match=r"set\.jsonl:1"):
        run("test", str(file))


def test_a_shape_keeps_nothing_of_the_value() -> None:
    assert shape("Ånna-Maria 03/04/1970") == "Xxxx-Xxxxx 99/99/9999"
