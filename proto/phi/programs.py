"""What programs and their queries write where people's values may stand, and what is none of them.

Parameters of statements, masks of names, aliases of tables and parameters of methods stand behind
the words that tell of patients: `VALUES ($1, $2)`, `LastName, FirstName MI`, `FROM patient p WHERE`,
`FillNames(Patient pat)`.
"""

import re

_STANDS_FOR = re.compile(
    rb"[$:@][0-9]{1,3}|:p[0-9]{1,3}|@[A-Za-z_]\w{0,40}|\?[0-9]{0,3}|%(?:\([A-Za-z_]\w*\))?[sdif]|[#$%]?\{+ ?[\w.:$-]{0,60} ?\}+|<[%?=/ ]{0,3}[A-Za-z_][\w .:-]{0,40}[%?/]{0,2}>"
    rb"|\[ ?[\]]|\( ?\)|\{ ?\}|[\"'`]{2}|<>"
)
"""A parameter or a field that a program will fill, or marks with nothing between."""
_FIELD = (
    rb"(?:[\[{(<%#$]{0,2}(?:(?:last|first|middle|full|given|family|sur|nick|maiden|legal|preferred|patient|display|pt|user|fore|dob|ssn)"
    rb"[ _]?(?:name|names|initial|init)?|[lfm]name|[lfm]n|name|names|surname|suffix|prefix|title|initials?|mi|m\.?i\.|credentials?|dob|mrn)[\]})>%#]{0,2})"
)
_MASK = re.compile(rb"(?i)" + _FIELD + rb"(?:[ ,^_.;+-]{1,3}" + _FIELD + rb"){1,5}")
_NAMED = re.compile(rb"(?i)last|first|name")


def stands_for(value: bytes) -> bool:
    """Whether a value is a parameter, a field to be filled, or marks around nothing."""
    return _STANDS_FOR.fullmatch(value) is not None


def is_mask(value: bytes) -> bool:
    """Whether a value only shows in what order a name's parts are written: `Last, First MI`."""
    return _MASK.fullmatch(value) is not None and _NAMED.search(value) is not None


_MASKED = re.compile(
    rb"(?i)(?<![a-z])" + _FIELD + rb"(?:[ ,^_.;+-]{1,3}" + _FIELD + rb"){1,5}(?![a-z])"
)
_NEAR_CHARS_MAX = 48


def in_mask(data: bytes, start: int, end: int) -> bool:
    """Whether a span lies in such a mask: of `LastName, FirstName MI` the last part."""
    near = _MASKED.finditer(data, max(0, start - _NEAR_CHARS_MAX), end + _NEAR_CHARS_MAX)
    return any(
        one.start() <= start and end <= one.end() and _NAMED.search(one.group()) for one in near
    )


_TABLE_BEFORE = re.compile(
    rb"(?:^|[^a-z])(?:from|join|into|update|table|truncate|references|using|exists)[ \n\t]{1,4}(?:[a-z_]{1,30}\.){0,2}[`\"\[]?\Z"
)
_TABLE_ENDS = frozenset(
    end + mark for end in b"om in to te le es ng ts".split() for mark in (b" ", b"\n")
) | {b"bo.", b"hr.", b"ic."}
"""How what stands before a table ends, by three bytes: `from `, `dbo.`, `ehr.`, `public.`."""
_TYPE_ENDS = frozenset({b" ", b"[", b"?", b"<", b"&", b"*"})
_ALIAS_BEHIND = re.compile(
    rb"[`\"\]]?(?: (?:as )?[a-z][a-z0-9_]{0,3})? ?(?:[ \n](?:where|join|inner|left|right|outer|full|cross|on|set|group|order|limit|with|using|having|union|offset|fetch|for|add|drop|values|when|not|if)(?![a-z])|[,;)](?= ?[a-z]|$| *\n)|$)"
)
_CALL_BEFORE = re.compile(
    rb"[A-Za-z0-9_>\]]\((?:[^()\n]{0,120}, )?(?:(?:final|const|ref|out|in|@[A-Z][A-Za-z]+) )?\Z"
)
_PARAMETER = re.compile(
    rb"(?:\[\]|\?|<[A-Za-z]+>|&|\*)? [&*]{0,2}_?[a-z][A-Za-z0-9_]{0,24}(?:[,)]| = )"
)
_DECLARED = re.compile(
    rb"(?:\[\]|\?|<[A-Za-z]+>)? _?[a-z][A-Za-z0-9_]{0,24} ?= ?(?:new |await |null|this\.|_?[A-Za-z][A-Za-z0-9_]*[.(;])"
)
_STATEMENT = re.compile(
    rb"(?:^|[^a-z_])(?:select|update|delete|insert|merge|alter|create|drop|truncate|lock|vacuum|analyze|copy)[ \n\t]"
)
BEFORE_CHARS_MAX = 160


def is_of_program(data: bytes, lower: bytes, start: int, end: int) -> bool:
    """Whether a word for people is a table in a statement, or the type of a method's parameter."""
    start = max(start, data.rfind(b" ", start, end) + 1)
    if lower[start - 3 : start] in _TABLE_ENDS and (
        _TABLE_BEFORE.search(lower, max(0, start - 80), start) is not None
        and _ALIAS_BEHIND.match(lower, end, end + 40) is not None
        and _STATEMENT.search(lower) is not None
    ):
        return True
    if data[end : end + 1] not in _TYPE_ENDS or not data[start : start + 1].isupper():
        return False
    if _DECLARED.match(data, end, end + 80) is not None:
        return True
    ahead = max(0, start - BEFORE_CHARS_MAX)
    return (
        _PARAMETER.match(data, end, end + 40) is not None
        and _CALL_BEFORE.search(data, ahead, start) is not None
    )
