"""The text that goes to a target's shell, run by this machine's own `sh` where that shows more."""

import os
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.ports import Script, Sudo
from appliance.shell.ssh_script import (
    SCRIPT_BYTES_MAX,
    Stream,
    ask_mark,
    assignments,
    begun_mark,
    command,
    program,
)
from proto.errors import MalformedError
from proto.findings import Scalar

NONCE = "00ff00ff00ff00ff"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


def _script(text: str, **variables: Scalar) -> Script:
    return Script(text=text, variables=variables, as_root=False, timeout_s=20)


def _sh(text: bytes) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        ["setsid", "--wait", "sh", "-s"], input=text, capture_output=True, check=False, timeout=20
    )


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), TEXT, max_size=4))
@settings(max_examples=40, deadline=None)
def test_any_text_is_the_same_text_in_a_shell(variables: dict[str, str]) -> None:
    shown = "".join(f'printf "%s\\0" "${name}"\n' for name in variables)
    done = subprocess.run(
        ["sh", "-s"],
        input=(assignments(variables) + shown).encode(),
        capture_output=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.stdout == b"".join(value.encode() + b"\0" for value in variables.values())


def test_a_script_cut_off_anywhere_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    whole = program(_script(f"touch {mark}\ntrue", value="x"))
    last = whole.rindex(b"}")
    for end in range(last):
        if end % 7 == 0 or end > last - 10:
            _sh(whole[:end])
            assert not mark.exists(), whole[:end]


@pytest.mark.parametrize("status", [0, 1, 77])
def test_the_exit_status_of_a_script_is_that_of_its_shell(status: int) -> None:
    read, write = os.pipe()  # the lifeline stays open, as a connection does
    os.write(write, program(_script(f"echo out\nexit {status}")))
    done = subprocess.run(
        ["setsid", "--wait", "sh", "-s"], stdin=read, capture_output=True, check=False, timeout=20
    )
    os.close(read)
    os.close(write)
    assert (done.returncode, done.stdout, done.stderr) == (status, b"out\n", b"")


@pytest.mark.parametrize("sudo", list(Sudo))
def test_the_command_line_holds_neither_script_nor_secret(sudo: Sudo) -> None:
    line = command(sudo=sudo, timeout_s=20, nonce=NONCE)
    assert line.startswith("env LC_ALL=C ")
    assert "timeout -k 2 20 " in line
    assert begun_mark(NONCE).decode().strip() not in line
    assert ("sudo" in line) == (sudo is not Sudo.NONE)
    assert ("-S -k" in line) == (sudo is Sudo.ASK)
    assert ("sudo -n" in line) == (sudo is Sudo.NOPASSWD)


def test_marks_of_two_runs_differ() -> None:
    assert ask_mark("aa") != ask_mark("bb")
    assert begun_mark("aa") != begun_mark("bb")


def test_a_script_at_the_limit_is_sent_and_one_past_it_is_not() -> None:
    frame = len(program(_script("")))
    assert len(program(_script("#" * (SCRIPT_BYTES_MAX - frame)))) == SCRIPT_BYTES_MAX
    with pytest.raises(MalformedError, match="bytes"):
        program(_script("#" * (SCRIPT_BYTES_MAX - frame + 1)))


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_script_that_is_no_text_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="script"):
        program(_script(text))


@given(
    before=st.binary(max_size=60),
    after=st.binary(max_size=60),
    cuts=st.lists(st.integers(0, 160), max_size=6),
)
def test_a_stream_is_split_at_its_mark_however_it_arrives(
    before: bytes, after: bytes, cuts: list[int]
) -> None:
    mark = begun_mark(NONCE)
    whole = before + mark + after
    stream = Stream(mark, limit=40)
    edges = [0, *sorted(cut for cut in cuts if cut <= len(whole)), len(whole)]
    for start, end in pairwise(edges):
        stream.feed(whole[start:end])
    assert stream.begun
    assert bytes(stream.before) == before
    assert bytes(stream.kept) == after[:40]


def test_endless_noise_before_the_mark_is_not_kept() -> None:
    mark = begun_mark(NONCE)
    stream = Stream(mark, limit=40)
    for _ in range(40):
        stream.feed(b"x" * 10_000)
    assert len(stream.before) <= 64 * 1024
    stream.feed(mark + b"answer")
    assert bytes(stream.kept) == b"answer"
