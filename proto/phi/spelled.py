"""Days and numbers that are written out in words, as people say them.

`the twenty-sixth of September, nineteen seventy-two` with its year goes wherever it stands, without
one only in a record about people. Seven digits or letters in a row, each a word, are somebody's
number, and `N as in November, E as in Echo` is somebody's name: no machine writes one so.
"""

import re

from proto.phi.record import Record, digits
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_UNITS = "one|two|three|four|five|six|seven|eight|nine"
_TEENS = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_NUMBER = rf"(?:{_TEENS}|(?:{_TENS})(?:[ -](?:{_UNITS}))?|{_UNITS})"
_YEAR = (
    rf"(?:[12][0-9]{{3}}|two thousand(?:(?: and)? {_NUMBER})?"
    rf"|(?:eighteen|nineteen|twenty)(?: hundred)?(?:[ -](?:and |oh[ -])?{_NUMBER}))"
)
_ORDINAL = (
    "(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth"
    "|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth"
    "|twenty[ -](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)"
    "|thirtieth|thirty[ -]first)"
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = Pattern(
    rf"(?i)(?:^|[^a-z])((?:the )?(?:{_ORDINAL}(?: day)? (?:of |in )?{_MONTH}|{_MONTH} (?:the )?{_ORDINAL})"
    rf"(,? (?:in )?(?:the year )?{_YEAR})?)(?:$|[^a-z0-9])"
)
_DIGIT = rf"(?:zero|oh|{_UNITS}|cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve)"
_LETTER = (
    "(?:alpha|alfa|bravo|charlie|delta|echo|foxtrot|golf|hotel|india|juliett?|kilo|lima|mike"
    "|november|oscar|papa|quebec|romeo|sierra|tango|uniform|victor|whiskey|x-?ray|yankee|zulu)"
)
"""What letters are called over a telephone or a radio."""
_AS_IN = Pattern(
    r"(?i)(?:^|[^a-z0-9])((?:[a-z],? (?:as in|like|for|as) [a-z]{3,12}[,;.]? (?:and )?){2,24}[a-z],? (?:as in|like|for|as) [a-z]{3,12})(?:$|[^a-z0-9])"
)
_DIGITS = Pattern(
    rf"(?i)(?:^|[^a-z0-9])((?:(?:{_DIGIT}|{_LETTER}|[0-9]|dash|hyphen|double|triple|point)(?: - |[ ,.-]{{1,2}})){{6,24}}(?:{_DIGIT}|{_LETTER}|[0-9]))(?:$|[^a-z0-9])"
)
GATED = (("spelled", (_DAY,)), ("dictated", (_DIGITS,)), ("as_in", (_AS_IN,)))
"""Each gate with the pattern that is tried only when it is lit."""
GATES = frozenset(gate for gate, _ in GATED)
_SAID = re.compile(rf"(?:{_DIGIT}|{_LETTER})".encode())
_KIND_OF = {9: Kind.SSN, 10: Kind.PHONE, 11: Kind.PHONE}
WORDS_MIN, DIGITS_MIN = 3, 7


def read(record: Record) -> None:
    """Find days and numbers in words."""
    for spans in _DAY.each(record.data) if "spelled" in record.shapes else ():
        if spans[2][0] >= 0 or record.person:
            record.hit(Kind.DATE, *spans[1], "a day written out in words")
    for spans in _DIGITS.each(record.data) if "dictated" in record.shapes else ():
        said = record.lower[slice(*spans[1])]
        words = len(_SAID.findall(said))
        count = words + digits(said)
        if words >= WORDS_MIN and count >= DIGITS_MIN:
            record.hit(_KIND_OF.get(count, Kind.MRN), *spans[1], "a number written out in words")
    for spans in _AS_IN.each(record.data) if "as_in" in record.shapes else ():
        record.hit(Kind.NAME, *spans[1], "a name spelled letter by letter")
