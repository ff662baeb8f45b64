"""Check digits and parts that cannot be: what a number must hold to be one of its class."""

_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_VALUES = dict(
    zip(
        "ABCDEFGHJKLMNPRSTUVWXYZ",
        (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9),
        strict=True,
    )
)


def valid_ssn(digits: bytes) -> bool:
    """Whether nine digits can be an SSN or ITIN: no part is all zeros, the area is not 666."""
    return digits[:3] not in {b"000", b"666"} and digits[3:5] != b"00" and digits[5:] != b"0000"


def luhn(digits: bytes) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1)."""
    total = 0
    for at, byte in enumerate(reversed(digits)):
        value = byte - 48
        if at % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def valid_vin(value: str) -> bool:
    """Whether the ninth character checks the other sixteen (49 CFR 565.15)."""
    total = sum(
        weight * (int(character) if character.isdigit() else _VIN_VALUES[character])
        for weight, character in zip(_VIN_WEIGHTS, value, strict=True)
    )
    return value[8] == "0123456789X"[total % 11]
