"""The site's own people: found by their names side by side and by their numbers, without a cue."""

from dataclasses import replace

import pytest

from proto.errors import ConfigError
from proto.phi import ThrowAwayVault, default_names, default_policy, scrub
from proto.phi.names import Listed, Names, bare_number, known_people, listed_in_csv

KEY = b"a key of this device only"
LIST = """last,first,mrn,dob
Page,May,MR00481516,1952-03-14
O'Brien,Long,0077345112,1990-01-01
Bank,Rose,A1B2C3D4,1980-02-02
Short,Will,1234,1980-02-02
"""
GAZETTEER = default_names()


@pytest.fixture(scope="module")
def names() -> Names:
    if not isinstance(GAZETTEER, Names):
        pytest.skip("the gazetteer was not compiled here (extra gazetteer)")
    return replace(GAZETTEER, people=known_people(listed_in_csv(LIST), KEY))


def scrubbed(text: str, names: Names) -> str:
    result = scrub(text, policy=default_policy(), names=names, vault=ThrowAwayVault())
    again = scrub(str(result.text), policy=default_policy(), names=names, vault=ThrowAwayVault())
    assert str(again.text) == str(result.text)
    return str(result.text)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("job 17 printed for may page on tray 2", "may page"),
        ("opened PAGE, MAY in viewer", "PAGE, MAY"),
        ("file may_j_page.dat was read", "may_j_page"),
        ("page.may logged on", "page.may"),
        ("read long o'brien again", "long o'brien"),
        ("sent 00481516 to queue", "00481516"),
        ("sent MR-00481516 to queue", "MR-00481516"),
        ("sent 481516 to queue", "481516"),
        ("item=77345112;", "77345112"),
        ("tag A1B2C3D4 read", "A1B2C3D4"),
        ("GET /v1/a1b2c3d4/x", "a1b2c3d4"),
        ("\uff11\uff12 481516 done", "481516"),
        ("00481516,77345112", "77345112"),
    ],
)
def test_people_of_the_site_go_without_a_cue(text: str, gone: str, names: Names) -> None:
    assert gone not in scrubbed(text, names)


@pytest.mark.parametrize(
    "text",
    [
        "you may turn the page",
        "may bank on it, page not found",
        "bank page will close",
        "process 1234 ended",
        "peer 10.48.15.16 port 48151",
        "build 481516.2 installed",
        "version 7.481516.1 loaded",
        "8d1fe0c2-0048-1516-9c55-a1b2c3d4e5f6 opened",
        "will the short cable do",
    ],
)
def test_what_only_looks_like_them_stays(text: str, names: Names) -> None:
    assert scrubbed(text, names) == text


def test_a_site_without_a_list_changes_nothing(names: Names) -> None:
    alone = replace(names, people=known_people([], KEY))
    assert scrubbed("sent 00481516 to queue for may page", alone).count("[") == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mrn,dob\n1,2\n", "f.csv:1: no column is called"),
        ("last,first\nNguyen, Grace,x\n", "f.csv:2: 3 cells under 2 headers"),
        ('last,first\nA,B\n"C,D\n', "f.csv:3: "),
        ("last,first\nA,B\n" + "x" * 200 + ",y\n", "f.csv:3: a name or number is too long"),
        ("", "f.csv:1: no column"),
    ],
)
def test_a_wrong_list_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace(".", r"\.")):
        list(listed_in_csv(text, where="f.csv:"))


def test_a_list_is_read_by_its_headers() -> None:
    people = list(listed_in_csv('"Patient Name",Chart No,MRN\n"Nguyen, Grace",77,00481516\n,,\n'))
    assert people == [Listed(("Nguyen, Grace",), ("77", "00481516"))]
    assert known_people(people, KEY).count == 1


@pytest.mark.parametrize(
    ("written", "bare"),
    [
        ("MR-00481516", "481516"),
        ("mrn 481516", "481516"),
        ("KB5031356", "kb5031356"),
        ("A1-B2", "a1b2"),
        ("0000", ""),
    ],
)
def test_a_number_is_one_however_it_is_written(written: str, bare: str) -> None:
    assert bare_number(written) == bare


def test_numbers_are_kept_as_hashes_that_only_this_device_can_ask() -> None:
    one, other = (known_people([Listed((), ("00481516",))], key) for key in (KEY, KEY[::-1]))
    assert set(one.numbers).isdisjoint(other.numbers)
    assert one.number("MR00481516")
    assert not other.number("481517")
