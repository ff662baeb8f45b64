"""A secret never leaves by a door that nobody meant to open."""

import copy
import dataclasses
import io
import json
import logging
import pickle
import traceback

import pydantic
import pytest

from proto.secret import Secret

PASSWORD = "correct horse battery staple"  # noqa: S105 - an example, opens nothing
SECRET = Secret(PASSWORD)


@dataclasses.dataclass(frozen=True)
class _Login:
    user: str
    password: Secret


@pytest.mark.parametrize(
    "shown",
    [
        str(SECRET),
        repr(SECRET),
        f"{SECRET}",
        f"{SECRET!r:>40}",
        f"{SECRET:.400}",
        "%s %r" % (SECRET, SECRET),  # noqa: UP031 - the old way must be safe too
        repr([SECRET]),
        repr({"k": SECRET}),
        repr(_Login("root", SECRET)),
        ascii(SECRET),
    ],
)
def test_no_way_of_showing_it_shows_it(shown: str) -> None:
    assert "Secret(...)" in shown
    assert "horse" not in shown


def test_a_format_does_not_show_its_length() -> None:
    assert f"{SECRET:>80}" == "Secret(...)"


def test_a_log_line_does_not_hold_it() -> None:
    stream = io.StringIO()
    logger = logging.Logger("test")  # noqa: LOG001 - a logger of its own, outside the tree
    logger.addHandler(logging.StreamHandler(stream))
    logger.warning("login with %s and %r", SECRET, {"password": SECRET})
    assert stream.getvalue() == "login with Secret(...) and {'password': Secret(...)}\n"


def test_a_traceback_with_locals_does_not_hold_it() -> None:
    def fail(password: Secret) -> None:
        msg = f"no login with {password}"
        raise ValueError(msg)

    try:
        fail(SECRET)
    except ValueError as error:
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
    assert "horse" not in shown


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_refuses_to_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(SECRET, protocol)


@pytest.mark.parametrize(
    "take",
    [
        copy.copy,
        copy.deepcopy,
        lambda secret: secret.__getstate__(),
        lambda secret: dataclasses.asdict(_Login("root", secret)),
        vars,
        json.dumps,
        lambda secret: json.dumps({"password": secret}),
        lambda secret: json.dumps(secret, default=vars),
        bytes,
        len,
        list,
        hash,
        lambda secret: secret + "",
        str.encode,
        lambda secret: secret < secret,  # noqa: PLR0124 - ordering must not exist
    ],
)
def test_it_refuses_to_be_taken_apart(take: object) -> None:
    assert callable(take)
    with pytest.raises(TypeError) as refused:
        take(SECRET)
    assert "horse" not in str(refused.value)


def test_json_that_falls_back_to_str_holds_nothing_of_it() -> None:
    assert json.dumps({"password": SECRET}, default=str) == '{"password": "Secret(...)"}'


def test_it_refuses_to_be_a_field_of_a_pydantic_model() -> None:
    with pytest.raises(TypeError, match="pydantic"):
        pydantic.create_model("Login", password=(Secret, ...))
    with pytest.raises(TypeError, match="pydantic"):
        pydantic.TypeAdapter(_Login)


def test_a_model_that_takes_anything_cannot_serialise_it() -> None:
    model = pydantic.create_model("Anything", value=(object, ...))
    held = model(value=SECRET)
    assert "horse" not in repr(held)
    with pytest.raises(ValueError, match="Unable to serialize"):
        held.model_dump_json()


def test_it_cannot_be_changed() -> None:
    with pytest.raises(TypeError, match="never changed"):
        SECRET.value = "x"
    with pytest.raises(TypeError, match="never changed"):
        del SECRET.value  # type: ignore[attr-defined]


def test_it_equals_only_a_secret_of_the_same_bytes() -> None:
    assert Secret(PASSWORD) == Secret(PASSWORD.encode())
    assert Secret(PASSWORD) != Secret(PASSWORD + "!")
    assert Secret(PASSWORD) != PASSWORD


def test_reveal_is_the_one_door() -> None:
    assert SECRET.reveal() == PASSWORD
    assert Secret("päss").reveal_bytes() == b"p\xc3\xa4ss"
    assert Secret(b"\xff\x00").reveal_bytes() == b"\xff\x00"


def test_bytes_that_are_not_text_are_not_shown_by_the_error() -> None:
    with pytest.raises(ValueError, match="not text") as refused:
        Secret(b"key\xff").reveal()
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("wrong", [None, 7, bytearray(b"x"), ["x"]])
def test_only_text_and_bytes_are_wrapped(wrong: object) -> None:
    with pytest.raises(TypeError, match="text or bytes"):
        Secret(wrong)  # type: ignore[arg-type]
