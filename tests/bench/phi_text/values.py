"""Invented values of every class, each drawn from one seeded source, in the styles of many systems.

No value belongs to anybody: numbers are random, telephone numbers keep the exchange 555 only
sometimes, and streets, cities and schemes are made up.
"""

import random
import string
from collections.abc import Callable

from tests.bench.phi_text.people import FIRST, LAST, Person, plain


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


STREETS = _words(
    "Larkspur Kestrel Quarry Millrace Juniper Harvest Bluff Tannery Orchard Sycamore Prospect "
    "Chandler Hollis Wexford"
)
STREET_KINDS = _words(
    "Street St Avenue Ave Road Rd Lane Ln Drive Dr Court Ct Boulevard Blvd Way Trail Terrace Pike "
    "Place Circle Loop Square Mill Mills Ridge Summit Junction Crossing Parkway Estates Station Run"
)
TOWNS = _words(
    "Harlow Brantley Easton Marlow Dunmore Weston Fairmont Kingsley Ashby Linden Norcross Hadley"
)
TOWN_ENDS = ("", "", " Falls", "ville", " Springs", "ton", " Heights", " Junction")
TOWN_HEADS = ("", "", "", "North ", "Port ", "New ", "Lake ", "East ", "St. ")
STATES = _words("AL AZ CA CO FL GA IL KY MA MI MN MO NC NE NJ NM NY OH OR PA TN TX VA WA WI")
MONTHS = _words(
    "January February March April May June July August September October November December"
)
MAIL_HOSTS = _words("gmail.com yahoo.com outlook.com icloud.com comcast.net proton.me example.org")
CLINIC_HOSTS = _words("EXAM FRONTDESK XRAY BILLING NURSE LABPC SRV-APP PACSGW DC PRINT")
PLAN_LETTERS = "ABCDEFGHJKMNPQRTUVWXY"
VIN_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"

Draw = random.Random


def digits(draw: Draw, count: int) -> str:
    """A number of so many digits that does not begin with 0."""
    return draw.choice("123456789") + "".join(draw.choices(string.digits, k=count - 1))


def date_forms(day: tuple[int, int, int]) -> dict[str, str]:
    """A date as systems and people write it."""
    y, m, d = day
    month = MONTHS[m - 1]
    return {
        "iso": f"{y}-{m:02}-{d:02}",
        "us": f"{m:02}/{d:02}/{y}",
        "short": f"{m}/{d}/{y % 100:02}",
        "compact": f"{y}{m:02}{d:02}",
        "long": f"{month} {d}, {y}",
        "mon": f"{d:02}-{month[:3]}-{y}",
        "eu": f"{d:02}.{m:02}.{y}",
        "usd": f"{m:02}-{d:02}-{y}",
        "dmy": f"{d:02}/{m:02}/{y}",
        "longnc": f"{month} {d} {y}",
        "longlow": f"{month.lower()} {d}, {y}",
        "dlong": f"{d} {month} {y}",
        "MON": f"{d:02}-{month[:3].upper()}-{y % 100:02}",
        "monshort": f"{d} {month[:3]} {y}",
        "ts": f"{y}-{m:02}-{d:02}T00:00:00",
        "clock": f"{m}/{d}/{y} 12:00:00 AM",
        "minute": f"{y}{m:02}{d:02}1015",
        "slash": f"{y}/{m:02}/{d:02}",
        "pct": f"{m:02}%2F{d:02}%2F{y}",
        "file": f"{month[:3]} {d:02} {y}",
        "monthday": f"{month} {d}",
    }


def a_day(draw: Draw) -> tuple[int, int, int]:
    """A day on which somebody was seen."""
    return draw.randint(2019, 2025), draw.randint(1, 12), draw.randint(1, 28)


def mbi(draw: Draw) -> str:
    """A Medicare beneficiary identifier, by its grammar: C a digit, A a letter, N either."""
    kinds = {"C": "123456789", "9": "0123456789", "A": "ACDEFGHJKMNPQRTUVWXY"}
    kinds["N"] = kinds["9"] + kinds["A"]
    return "".join(draw.choice(kinds[kind]) for kind in "CAN9AN9AA99")


def npi(draw: Draw) -> str:
    """Ten digits with the check digit of an NPI (Luhn over 80840 and the first nine)."""
    nine = draw.choice("12") + "".join(draw.choices(string.digits, k=8))
    return nine + _luhn("80840" + nine)


def card(draw: Draw) -> str:
    """A payment card number that passes Luhn."""
    front = "4" + "".join(draw.choices(string.digits, k=14))
    return front + _luhn(front)


def _luhn(front: str) -> str:
    total = 0
    for at, digit in enumerate(reversed(front)):
        double = int(digit) * (2 if at % 2 == 0 else 1)
        total += double - 9 if double > 9 else double
    return str(-total % 10)


def dea(draw: Draw) -> str:
    """A DEA number with its check digit."""
    six = "".join(draw.choices(string.digits, k=6))
    odd, even = (sum(map(int, six[start::2])) for start in (0, 1))
    return draw.choice("ABFM") + draw.choice(PLAN_LETTERS) + six + str((odd + 2 * even) % 10)


def ssn(draw: Draw) -> str:
    """A social security number that could have been given."""
    area = draw.choice([draw.randint(1, 665), draw.randint(667, 899)])
    return f"{area:03}-{draw.randint(1, 99):02}-{draw.randint(1, 9999):04}"


def phone(draw: Draw) -> str:
    """A telephone number, in one of the ways people write it."""
    area = f"{draw.choice('2345679')}{draw.randint(0, 9)}{draw.randint(2, 9)}"
    exchange, line = f"{draw.randint(200, 989)}", f"{draw.randint(0, 9999):04}"
    forms = ["({}) {}-{}", "({}){}-{}", "{}-{}-{}", "{}.{}.{}", "{} {} {}", "+1 {} {} {}",
             "1-{}-{}-{}", "+1-{}-{}-{}", "+1{}{}{}"]  # fmt: skip
    return draw.choice(forms).format(area, exchange, line)


def email(draw: Draw, who: Person) -> str:
    """A private mail address that tells its owner."""
    first, last = plain(who.first), plain(who.last)
    year = who.born[0] % 100
    local = draw.choice(
        [f"{first}.{last}", f"{first[0]}{last}", f"{last}{year:02}", f"{first}_{last}",
         f"{first[0]}{last}{year:02}", f"{first}.{last}{year:02}"]
    )  # fmt: skip
    return f"{local}@{draw.choice(MAIL_HOSTS)}"


def street(draw: Draw) -> str:
    """A street with its number, perhaps with a unit."""
    unit = draw.choice(["", "", "", " Apt 4B", " Unit 12", " Suite 300", " Apt. 482", " #7"])
    name = draw.choice([draw.choice(STREETS), draw.choice(FIRST), draw.choice(LAST)])
    side = draw.choice(["", "", "", "N ", "SW ", "East "])
    return f"{draw.randint(11, 98999)} {side}{name} {draw.choice(STREET_KINDS)}{unit}"


def town(draw: Draw) -> str:
    """A town that is on no map of ours."""
    base = draw.choice([draw.choice(TOWNS), plain(draw.choice(LAST)).capitalize()])
    return draw.choice(TOWN_HEADS) + base + draw.choice(TOWN_ENDS)


def vin(draw: Draw) -> str:
    """A vehicle identification number, by its alphabet."""
    return "".join(draw.choices(VIN_LETTERS + string.digits, k=16)) + digits(draw, 1)


def mrn(draw: Draw) -> str:
    """A medical record number in the style of several systems."""
    form = draw.choice(["{}", "{}", "MR{}", "E{}", "H{}", "00{}", "-2", "-3", "A{}-1"])
    if form == "-2":
        return "-".join(f"{draw.randint(0, 99):02}" for _ in range(3))
    if form == "-3":
        return "-".join(f"{draw.randint(0, 999):03}" for _ in range(3))
    return form.format(digits(draw, draw.choice((6, 7, 8, 10))))


def plan(draw: Draw) -> str:
    """A member number of a health plan."""
    letters = "".join(draw.choices(PLAN_LETTERS, k=3))
    return draw.choice(
        [draw.choice("WXHRK") + digits(draw, 9), letters + digits(draw, 9), digits(draw, 11)]
    )


def license_number(draw: Draw) -> str:
    """A driver's licence in the style of several states."""
    soundex = draw.choice("BDHKMRSW") + digits(draw, 3)
    return draw.choice(
        [draw.choice("DSWH") + digits(draw, 8), digits(draw, 9), digits(draw, 8),
         f"{soundex}-{digits(draw, 3)}-{digits(draw, 2)}-{digits(draw, 3)}-0",
         soundex + digits(draw, 8)]
    )  # fmt: skip


def implant(draw: Draw) -> str:
    """A serial number of something worn or implanted."""
    letters = draw.choice(("PM", "ICD", "GX", "SN", "JT", "PPB"))
    return draw.choice(
        [letters + digits(draw, 8), f"MMT-{digits(draw, 4)}-{digits(draw, 6)}",
         f"{digits(draw, 2)}{draw.choice('VIK')}{digits(draw, 7)}", f"PJN{digits(draw, 7)}H"]
    )  # fmt: skip


def plate(draw: Draw) -> str:
    """A number plate."""
    letters = "".join(draw.choices(PLAN_LETTERS, k=3))
    number = digits(draw, 4)
    return draw.choice(
        [f"{number[0]}{letters}{number[1:]}", f"{letters}-{number}", f"{letters} {number}"]
    )


def secret(draw: Draw) -> str:
    """A password as people choose it and as machines do."""
    word = draw.choice(["Winter", "Clinic", "Dental", "Welcome", "Passw0rd", "Summer", "hunter"])
    made = "".join(draw.choices(string.ascii_letters + string.digits + "~_-", k=24))
    return draw.choice([f"{word}{draw.randint(1990, 2029)}!", f"{made}9q", f"{word}#{made[:6]}7",
                        f"{word}@{digits(draw, 3)}", hexes(draw, 32)])  # fmt: skip


def login(draw: Draw, who: Person) -> str:
    """A staff member's login."""
    first, last = plain(who.first), plain(who.last)
    return draw.choice(
        [f"{first[:1]}{last}", f"{first}.{last}", f"{last}{first[:1]}", f"{first}{last[:1]}"]
    )


def guid(draw: Draw) -> str:
    """A GUID."""
    raw = f"{draw.getrandbits(128):032x}"
    return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"


def hexes(draw: Draw, count: int) -> str:
    """So many hexadecimal digits."""
    return f"{draw.getrandbits(4 * count):0{count}x}"


def private_ip(draw: Draw) -> str:
    """An address of RFC 1918."""
    a, b, c = draw.randint(0, 255), draw.randint(0, 255), draw.randint(1, 254)
    return draw.choice([f"10.{a}.{b}.{c}", f"192.168.{b}.{c}", f"172.{16 + a % 16}.{b}.{c}"])


def public_ip(draw: Draw) -> str:
    """A public address, as of a patient at home."""
    first = draw.choice([24, 67, 73, 98, 107, 174])
    return f"{first}.{draw.randint(1, 254)}.{draw.randint(1, 254)}.{draw.randint(1, 254)}"


def host(draw: Draw) -> str:
    """A machine of the clinic."""
    return f"{draw.choice(CLINIC_HOSTS)}-{draw.randint(1, 40):02}"


def stamp(draw: Draw) -> str:
    """A log's time stamp."""
    y, m, d = a_day(draw)
    clock = f"{draw.randint(0, 23):02}:{draw.randint(0, 59):02}:{draw.randint(0, 59):02}"
    mon = MONTHS[m - 1][:3]
    return draw.choice(
        [f"{y}-{m:02}-{d:02}T{clock}Z", f"{y}-{m:02}-{d:02} {clock},{draw.randint(100, 999)}",
         f"{mon} {d:2} {clock}", f"[{d:02}/{mon}/{y}:{clock} +0000]"]
    )  # fmt: skip


FACTS: dict[str, Callable[[Draw], str]] = {
    "ts": stamp,
    "host": host,
    "ip": private_ip,
    "guid": guid,
    "mac": lambda draw: ":".join(hexes(draw, 2).upper() for _ in range(6)),
    "sid": lambda draw: "S-1-5-21-" + "-".join(digits(draw, 10) for _ in range(3)) + "-1107",
    "hresult": lambda draw: f"0x8{hexes(draw, 7).upper()}",
    "kb": lambda draw: f"KB50{digits(draw, 5)}",
    "build": lambda draw: f"10.0.{draw.choice((19045, 20348, 22631))}.{draw.randint(1000, 5999)}",
    "sha256": lambda draw: hexes(draw, 64),
    "sha1": lambda draw: hexes(draw, 40).upper(),
    "pid": lambda draw: digits(draw, draw.choice((3, 4, 5))),
    "size": lambda draw: digits(draw, draw.choice((6, 9, 10))),
    "num9": lambda draw: digits(draw, 9),
    "port": lambda draw: str(draw.choice((104, 443, 1433, 2575, 5985, 8042, 11112, 49731))),
    "serial": lambda draw: f"S{hexes(draw, 3).upper()}NX0{hexes(draw, 7).upper()}",
    "ae": lambda draw: draw.choice(["CT_ROOM1", "ORTHANC", "US_SUITE2", "MWL_SCP"]),
    "ver": lambda draw: f"{draw.randint(1, 21)}.{draw.randint(0, 9)}.{draw.randint(0, 30)}",
    "epoch": lambda draw: str(draw.randint(1_600_000_000, 1_790_000_000)),
    "icd": lambda draw: draw.choice(["E11.9", "I10", "J45.909", "M54.5", "Z00.00", "K21.9"]),
    "cpt": lambda draw: draw.choice(["99213", "90471", "80053", "71046", "93000"]),
    "oid": lambda draw: f"1.2.840.113619.2.55.{digits(draw, 4)}.{digits(draw, 8)}",
    "md5": lambda draw: hexes(draw, 32),
    "uuid32": lambda draw: hexes(draw, 32),
    "cuit": lambda draw: digits(draw, 12),
    "lsn": lambda draw: f"{digits(draw, 5)}:{digits(draw, 8)}:1",
    "thread": lambda draw: f"0x{hexes(draw, 4)}",
    "ip6": lambda draw: f"fe80::{hexes(draw, 4)}:{hexes(draw, 4)}:{hexes(draw, 4)}",
    "cve": lambda draw: f"CVE-20{draw.randint(18, 25)}-{digits(draw, 5)}",
}
