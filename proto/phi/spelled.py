"""Days that are written out in words: `the twenty-sixth of September, nineteen seventy-two`.

Only people write a day so, or who types what people dictate. With its year it goes wherever it
stands; without one only in a record about people.
"""

from proto.phi.record import Record
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
GATED = (("spelled", (_DAY,)),)
"""The gate with the pattern that is tried only when it is lit."""


def read(record: Record) -> None:
    """Find days in words."""
    for spans in _DAY.each(record.data):
        if spans[2][0] >= 0 or record.person:
            record.hit(Kind.DATE, *spans[1], "a day written out in words")
