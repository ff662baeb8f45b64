"""The trust root: pinned once by a claim code, then followed from version to version."""

import json
from dataclasses import replace

import pytest

from proto import envelope, trust_root
from proto.envelope import Kind
from proto.errors import MalformedError, OsirisError
from proto.keys import SigningKey
from proto.trust_root import TrustRoot

ROOT_KEY = SigningKey(b"\x01" * 32)
NEXT_KEY = SigningKey(b"\x02" * 32)
HEAD_KEY = SigningKey(b"\x03" * 32)
LOG_KEY = SigningKey(b"\x04" * 32)
EVE = SigningKey(b"\x05" * 32)
DAY_S = 86400
PEM = "-----BEGIN CERTIFICATE-----\nQUJD\nREVG\n-----END CERTIFICATE-----\n"


def root(version: int = 1, key: SigningKey = ROOT_KEY, created: int = 1000) -> TrustRoot:
    """Return a root of this version."""
    return TrustRoot(
        version=version,
        hub_origin="https://hub.example:8443",
        root_key=key.public,
        head_keys=(HEAD_KEY.public,),
        log_keys=(LOG_KEY.public,),
        created=created,
        expires=created + 365 * DAY_S,
        tls_ca_pem=PEM,
    )


FIRST = trust_root.sign_root(root(), ROOT_KEY)
PIN = trust_root.fingerprint(FIRST)


def code_of_first(data: bytes, pinned: bytes = PIN) -> str:
    """Return the code with which a first root is refused."""
    with pytest.raises(OsirisError) as caught:
        trust_root.open_first(data, pinned=pinned)
    return caught.value.code


def code_of_next(data: bytes) -> str:
    """Return the code with which a following root is refused, when `root()` is held."""
    with pytest.raises(OsirisError) as caught:
        trust_root.open_next(data, held=root())
    return caught.value.code


def test_the_pinned_root_is_believed() -> None:
    """It reads back whole, and says whose heads count and until when."""
    opened = trust_root.open_first(FIRST, pinned=PIN)
    assert opened == root()
    head = envelope.sign(Kind.HEAD, b"{}", HEAD_KEY)
    assert envelope.open_envelope(head, kind=Kind.HEAD, trust=opened.heads()).body == b"{}"
    assert not opened.is_expired(now_s=opened.expires - 1)
    assert opened.is_expired(now_s=opened.expires)


def test_a_false_hub_shows_another_root() -> None:
    """Eve's root, well formed and well signed, is not the one of the claim code."""
    assert code_of_first(trust_root.sign_root(root(key=EVE), EVE)) == "signature_bad"
    assert code_of_first(FIRST[:-1] + b" }") == "signature_bad"


def test_the_root_key_itself_must_have_signed() -> None:
    """A slip of the ceremony is noticed even when the bytes are the pinned ones."""
    unsigned = trust_root.sign_root(root(), EVE)
    assert code_of_first(unsigned, trust_root.fingerprint(unsigned)) == "signature_threshold"


def test_the_next_root_is_signed_by_both_keys() -> None:
    """By the held one, which vouches, and its own, which shows that it exists."""
    same_key = trust_root.sign_root(root(2), ROOT_KEY)
    assert trust_root.open_next(same_key, held=root()) == root(2)
    rotated = trust_root.sign_root(root(2, NEXT_KEY), ROOT_KEY, NEXT_KEY)
    assert trust_root.open_next(rotated, held=root()) == root(2, NEXT_KEY)
    only_new = trust_root.sign_root(root(2, NEXT_KEY), NEXT_KEY)
    assert code_of_next(only_new) == "signature_threshold"
    only_old = trust_root.sign_root(root(2, NEXT_KEY), ROOT_KEY)
    assert code_of_next(only_old) == "signature_threshold"


@pytest.mark.parametrize("version", [1, 3])
def test_versions_neither_go_back_nor_skip(version: int) -> None:
    """A rollback, a repeat and a gap are refused though the right key signed them."""
    assert code_of_next(trust_root.sign_root(root(version), ROOT_KEY)) == "root_succession"


def test_a_next_root_is_not_older_than_the_held_one() -> None:
    """A version number alone does not make it newer."""
    assert code_of_next(trust_root.sign_root(root(2, created=999), ROOT_KEY)) == "root_succession"


DOCUMENT = json.loads(root().body())
BAD = {
    "member added": DOCUMENT | {"note": ""},
    "keys missing": {k: v for k, v in DOCUMENT.items() if k != "log_keys"},
    "another schema": DOCUMENT | {"v": 2},
    "schema true": DOCUMENT | {"v": True},
    "version zero": DOCUMENT | {"version": 0},
    "no head keys": DOCUMENT | {"head_keys": []},
    "one head key twice": DOCUMENT | {"head_keys": DOCUMENT["head_keys"] * 2},
    "nine log keys": DOCUMENT
    | {"log_keys": [SigningKey(bytes([n]) * 32).public.b64() for n in range(9)]},
    "a key that is a small-order point": DOCUMENT | {"head_keys": ["A" * 43 + "="]},
    "a key cut short": DOCUMENT | {"log_keys": ["QUJD"]},
    "http": DOCUMENT | {"hub_origin": "http://hub.example"},
    "expired before it began": DOCUMENT | {"expires": 1000},
    "valid for ever": DOCUMENT | {"expires": 2**53 - 1},
    "a certificate with a private key": DOCUMENT
    | {"tls_ca_pem": PEM + "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n"},
    "no certificate": DOCUMENT | {"tls_ca_pem": ""},
    "null certificate": DOCUMENT | {"tls_ca_pem": None},
}


@pytest.mark.parametrize("document", BAD.values(), ids=BAD)
def test_a_document_that_is_not_a_root_is_refused_though_pinned_and_signed(
    document: dict[str, object],
) -> None:
    """Whoever made it made a mistake; nothing is guessed."""
    body = json.dumps(document).encode()
    data = envelope.sign(Kind.ROOT, body, ROOT_KEY)
    assert code_of_first(data, trust_root.fingerprint(data)) in {"malformed", "key"}


def test_a_root_that_no_reader_takes_is_not_made() -> None:
    """The same rules on the way out."""
    with pytest.raises(MalformedError):
        TrustRoot(
            version=1,
            hub_origin="https://hub.example",
            root_key=ROOT_KEY.public,
            head_keys=(),
            log_keys=(LOG_KEY.public,),
            created=1,
            expires=2,
        )


PEOPLES = "ab" * 32


@pytest.mark.parametrize("told", [PEOPLES, f" {PEOPLES[:32]} {PEOPLES[32:].upper()}"])
def test_a_root_that_pins_the_first_root_that_people_say_is_taken(told: str) -> None:
    trust_root.require_content_root(replace(root(), content_root=bytes.fromhex(PEOPLES)), told)


@pytest.mark.parametrize("pinned", [None, bytes(32), bytes.fromhex(PEOPLES[2:] + "ac")])
def test_a_root_that_pins_another_or_none_is_refused_by_who_knows_the_right_one(
    pinned: bytes | None,
) -> None:
    with pytest.raises(trust_root.OtherFirstRootError, match=PEOPLES):
        trust_root.require_content_root(replace(root(), content_root=pinned), PEOPLES)


@pytest.mark.parametrize("told", ["", PEOPLES[:-1], PEOPLES + "\n\n", "zz" * 32])
def test_what_is_no_digest_is_not_compared(told: str) -> None:
    with pytest.raises(MalformedError):
        trust_root.require_content_root(replace(root(), content_root=bytes.fromhex(PEOPLES)), told)
