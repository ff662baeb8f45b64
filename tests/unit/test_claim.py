"""Claim codes: typed by people, so every slip is caught and named."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto import claim
from proto.claim import ClaimCode, ClaimCodeError
from proto.errors import MalformedError
from proto.keys import SealingKey, SigningKey

CODE = ClaimCode("https://hub.example:8443", bytes(range(16)), bytes(range(16, 32)))
TEXT = CODE.as_text()
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def test_the_printed_form_stays_readable() -> None:
    """Lower case, groups of five, none of the digits 0, 1, 8 and 9; and it never changes."""
    assert TEXT == (
        "osiris1-aeaac-aqdaq-cqmby-ibefa-wdanb-yhrae-iscmk-bkfqx-damru-gy4du-pb62d-vmixg-k6dbn"
        "-vygyz-j2ha2-dim4g-bcqou"
    )
    prefix, *groups = TEXT.split("-")
    assert prefix == "osiris1"
    assert all(len(group) == 5 for group in groups[:-1])
    assert set("".join(groups)) <= set(ALPHABET)
    assert len(TEXT) < 110


hosts = st.from_regex(r"[a-z0-9]{1,20}(\.[a-z0-9]{1,20}){0,3}(:[1-9][0-9]{0,3})?", fullmatch=True)


@given(hosts, st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_a_code_reads_back_however_it_is_typed(host: str, secret: bytes, root: bytes) -> None:
    """Capitals, spaces, line breaks, missing or extra dashes make no difference."""
    code = ClaimCode(f"https://{host}", secret, root)
    text = code.as_text()
    for typed in (
        text,
        text.upper(),
        text.replace("-", ""),
        text.replace("-", " - "),
        f"\n {text[:20]}\n{text[20:]}\n",
    ):
        assert claim.parse_claim_code(typed) == code


@given(st.integers(8, len(TEXT) - 1), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(position: int, letter: str) -> None:
    """The checksum finds it before anything is sent anywhere."""
    if TEXT[position] in ("-", letter):
        return
    with pytest.raises(ClaimCodeError):
        claim.parse_claim_code(TEXT[:position] + letter + TEXT[position + 1 :])


@given(st.integers(8, len(TEXT) - 2))
def test_two_swapped_or_one_lost_character_is_noticed(position: int) -> None:
    """The commonest slips after a wrong letter."""
    first, second = TEXT[position], TEXT[position + 1]
    if "-" in (first, second):
        return
    head, tail = TEXT[:position], TEXT[position + 2 :]
    for slip in (head + second + first + tail, head + second + tail):
        if slip != TEXT and first != second:
            with pytest.raises(ClaimCodeError):
                claim.parse_claim_code(slip)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must begin with osiris1-"),
        ("osiris2" + TEXT[7:], "must begin with osiris1-"),
        ("osiris1-", "is cut off"),
        (TEXT[:40], "is cut off|checksum"),
        (TEXT[:-1] + "!", "holds '!'; a code uses the letters a-z and digits 2-7"),
        (TEXT[:8] + "0" + TEXT[9:], "group 1 holds '0'"),
        (TEXT[:8] + "\u0430" + TEXT[9:], "group 1 holds"),
        (TEXT + "=", "holds '='"),
        (TEXT + "aaaaaaaa", "checksum"),
        ("osiris1-" + "a" * 64, "checksum"),
        ("a" * 1025, "1025 characters"),
    ],
)
def test_the_message_says_what_is_wrong(text: str, message: str) -> None:
    """A person corrects it from the message alone."""
    with pytest.raises(ClaimCodeError, match=message):
        claim.parse_claim_code(text)


def test_a_code_of_a_later_version_says_so() -> None:
    """Not that it was mistyped."""
    payload = b"\x02" + bytes(32) + b"hub.example"
    whole = payload + hashlib.sha256(b"osiris claim code\x00" + payload).digest()[:4]
    text = "osiris1-" + base64.b32encode(whole).decode().rstrip("=").lower()
    with pytest.raises(ClaimCodeError, match="is of version 2"):
        claim.parse_claim_code(text)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hub.example",
        "http://hub.example",
        "HTTPS://hub.example",
        "https://",
        "https://hub.example/",
        "https://hub.example/path",
        "https://hub.example?x",
        "https://hub.example#x",
        "https://user@hub.example",
        "https://hub.example:",
        "https://hub.example:0",
        "https://hub.example:0443",
        "https://hub.example:65536",
        "https://hub.example:99999999",
        "https://hub..example",
        "https://-hub.example",
        "https://HUB.example",
        "https://hub.example\n",
        "https://hub example",
        "https://hüb.example",
        "https://\u0661.example",
        "https://[::1",
        "https://[::1%eth0]",
        "https://" + "a." * 200 + "example",
    ],
)
def test_a_hub_has_one_plain_https_origin(url: str) -> None:
    """No path, user, fragment or second spelling: the address is compared as text."""
    with pytest.raises(MalformedError, match="not of the form https"):
        ClaimCode(url, CODE.secret, CODE.root_fingerprint)


@pytest.mark.parametrize(
    "url",
    ["https://hub", "https://10.0.0.1:65535", "https://[fd00::1]:8443", "https://a-b.example:1"],
)
def test_addresses_that_clinics_use(url: str) -> None:
    """Names, IPv4 and IPv6, with or without a port."""
    code = ClaimCode(url, CODE.secret, CODE.root_fingerprint)
    assert claim.parse_claim_code(code.as_text()) == code


def test_the_secret_is_shown_only_where_it_is_asked_for() -> None:
    """A logged code does not enroll anybody."""
    assert repr(CODE.secret) not in repr(CODE)
    assert CODE.secret.hex() not in f"{CODE} {CODE!r}"


@pytest.mark.parametrize(("secret", "root"), [(b"", bytes(16)), (bytes(16), bytes(32))])
def test_a_code_has_128_bits_of_each(secret: bytes, root: bytes) -> None:
    """Shorter ones could be guessed or matched."""
    with pytest.raises(ClaimCodeError):
        ClaimCode("https://hub.example", secret, root)


class TestProof:
    """The appliance proves that it holds the code, for its own keys."""

    key = SigningKey(b"\x01" * 32).public
    other_key = SigningKey(b"\x02" * 32).public
    sealing = SealingKey(b"\x03" * 32).public
    other_sealing = SealingKey(b"\x04" * 32).public

    def test_it_is_hmac_sha256_over_both_keys(self) -> None:
        """Worked out here in another way: ipad and opad."""
        block = CODE.secret.ljust(64, b"\x00")
        message = b"osiris claim proof v1\x00" + self.key.raw + self.sealing.raw
        inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + message).digest()
        outer = hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).digest()
        assert claim.claim_proof(CODE.secret, ed25519=self.key, x25519=self.sealing) == outer

    def test_it_holds_for_these_keys_and_this_secret_only(self) -> None:
        """Who listened cannot enroll another key with it."""
        proof = claim.claim_proof(CODE.secret, ed25519=self.key, x25519=self.sealing)

        def holds(proof: bytes, secret: bytes = CODE.secret, **changes: object) -> bool:
            keys = {"ed25519": self.key, "x25519": self.sealing} | changes
            return claim.is_claim_proof(proof, secret=secret, **keys)  # type: ignore[arg-type]  # two key types in one mapping

        assert holds(proof)
        assert not holds(proof, ed25519=self.other_key)
        assert not holds(proof, x25519=self.other_sealing)
        assert not holds(proof, secret=bytes(16))
        assert not holds(b"")
        assert not holds(proof[:31])
        assert not holds(bytes(32))
