"""Public Ed25519 vectors: what PyNaCl accepts is our policy, and trusted keys are of prime order.

`cryptography` accepts other edge cases than PyNaCl, so two libraries in one system would disagree
about the same statement. These tests pin the one behaviour, case by case.
"""

from nacl import bindings
from nacl.exceptions import CryptoError

from proto.keys import PublicKey, SigningKey, UntrustworthyKeyError
from tests.conformance import vectors

WYCHEPROOF = vectors.need("wycheproof") / "ed25519_test.json"
CCTV = vectors.need("cctv-ed25519") / "ed25519vectors.json"
SPECCHECK = vectors.need("ed25519-speccheck") / "cases.json"


def accepts(key: bytes, signature: bytes, message: bytes) -> bool:
    """Verify as the product does: the key is checked when it becomes a value."""
    try:
        public = PublicKey(key)
    except UntrustworthyKeyError:
        return False
    return public.accepts(signature, message)


def library_accepts(key: bytes, signature: bytes, message: bytes) -> bool:
    """Verify with PyNaCl alone, without the check of the point."""
    try:
        bindings.crypto_sign_open(signature + message, key)
    except CryptoError:
        return False
    return True


def wycheproof_cases() -> list[tuple[str, bytes, bytes, bytes, bool]]:
    """Return (name, key, signature, message, whether it must verify) for each case."""
    return [
        (
            f"{case['tcId']} {case['comment']}",
            bytes.fromhex(group["publicKey"]["pk"]),
            bytes.fromhex(case["sig"]),
            bytes.fromhex(case["msg"]),
            case["result"] == "valid",
        )
        for group in vectors.read_json(WYCHEPROOF)["testGroups"]
        for case in group["tests"]
    ]


def test_all_151_wycheproof_cases() -> None:
    """Valid ones verify, each of the others is refused."""
    cases = wycheproof_cases()
    assert len(cases) == 151
    wrong = [name for name, key, sig, msg, valid in cases if accepts(key, sig, msg) is not valid]
    assert wrong == []


def test_of_914_cctv_cases_the_library_takes_43_and_we_take_one() -> None:
    """All combinations of small-order, mixed and non-canonical points: one is an honest one."""
    cases = [
        (bytes.fromhex(case["key"]), bytes.fromhex(case["sig"]), case["msg"].encode(), case)
        for case in vectors.read_json(CCTV)
    ]
    assert len(cases) == 914
    by_library = [case for key, sig, msg, case in cases if library_accepts(key, sig, msg)]
    assert len(by_library) == 43
    by_us = [case for key, sig, msg, case in cases if accepts(key, sig, msg)]
    assert len(by_us) == 1
    assert not by_us[0]["flags"]


SPECCHECK_ACCEPTED_BY_LIBRARY = {3}
SPECCHECK_ACCEPTED: set[int] = set()


def test_the_12_speccheck_cases() -> None:
    """From "Taming the many EdDSAs": with the check of the point none of the traps is accepted."""
    cases = [
        (bytes.fromhex(case["pub_key"]), bytes.fromhex(case["signature"]), case["message"])
        for case in vectors.read_json(SPECCHECK)
    ]
    assert len(cases) == 12
    by_library = {n for n, (k, s, m) in enumerate(cases) if library_accepts(k, s, bytes.fromhex(m))}
    by_us = {n for n, (k, s, m) in enumerate(cases) if accepts(k, s, bytes.fromhex(m))}
    assert by_library == SPECCHECK_ACCEPTED_BY_LIBRARY
    assert by_us == SPECCHECK_ACCEPTED


RFC8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
            "f9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0"
            "f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984"
            "dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


def test_our_signatures_are_those_of_the_vectors() -> None:
    """RFC 8032, section 7.1, tests 1 to 3: signing is deterministic."""
    for seed, public, message, signature in RFC8032:
        key = SigningKey(bytes.fromhex(seed))
        assert key.public.raw.hex() == public
        assert key.sign(bytes.fromhex(message)).hex() == signature
