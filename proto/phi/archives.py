"""Files that machines keep of themselves: dumps, backups, images of disks, rotated logs.

Their names tell what was kept and on which day, and whom nobody: `charts_2024-11-03.tar.zst`.
"""

import re

from proto.phi.lexicon import CONTEXT, ROOT, SURE, WORD
from proto.phi.record import Record, digits

_ENDING = (
    rb"(?:\.[0-9]{1,4})?\.(?:tar|tgz|tbz2?|txz|gz|zst|xz|bz2|lz4|bak|dump|sql|log|vhdx?|vmdk|vbk|vib|trn|mdf|ldf"
    rb"|qcow2|wim|iso|frm|ibd|rdb|wal|ckp|parquet|avro|orc)(?![A-Za-z0-9])"
)
_ENDS = re.compile(rb"[A-Za-z_-]{0,16}" + _ENDING)
_DAY = re.compile(rb"(?:19|20)[0-9]{2}[-_.]?[01][0-9][-_.]?[0-3][0-9](?:[-_.T]?[0-9]{4,6})?")
DIGITS_MAX = 4
SHORT_LETTERS_MAX = 2


_OF_PROGRAMS = re.compile(
    rb"\.(?:go|py|pyc|js|mjs|cjs|ts|jsx|tsx|vue|java|class|jar|war|cs|vb|rb|php|phps?|c|h|cc|cpp|hpp|rs|kt|swift|lua|pl|pm|sh|ps1|psm1|psd1"
    rb"|bat|cmd|css|scss|less|map|md|rst|toml|ya?ml|ini|cfg|conf|config|properties|proto|graphql|tmpl|j2|hbs|ejs|cshtml|razor|resx|xaml|csproj|sln"
    rb"|dll|exe|msi|msp|msu|sys|ocx|cab|so|dylib|lib|pdb|ko|o|a|bin|fw|hex|rom|lock|pid|sock|service|timer|rpt|rdl|fmt|xsd|xsl|xslt|wsdl|plist|mo|po|ttf|otf|woff2?)(?![A-Za-z0-9])"
)
"""What the names of sources, programs and their settings end with: nobody's chart."""
_OBJECT = re.compile(
    rb"(?:(?:IM|IMG|IMAGE|SE|SER|SERIES|ST|STU|STUDY|SLICE|FRAME|PHASE)[_-]?[0-9]{3,8}"
    rb"|(?:PA|CT|US|DX|CR|XA|NM|OT|SC|SR|PR|RF|PX|IO|MG)0{3,6}[0-9]{1,4})(?:\.dcm)?|DICOMDIR"
)
"""A file or a folder of a DICOM medium (PS3.10, 8.2 and PS3.11): eight signs that a device counts."""


def is_object(component: bytes) -> bool:
    """Whether a part of a path is what a device counted: `IM000941`."""
    return _OBJECT.fullmatch(component) is not None


def ends_so(data: bytes, end: int) -> bool:
    """Whether the name of such a file goes on, and ends, behind a day."""
    return _ENDS.match(data, end, min(len(data), end + 40)) is not None


def is_archive(record: Record, start: int, end: int) -> bool:
    """Whether the file from `start` on, its stem up to `end`, is one that machines keep.

    Its stem is of words of machines and of clinics, and of the day it was made.
    """
    data = record.data
    if not ends_so(data, end):
        return False
    stem = _DAY.sub(b" ", data[start:end])
    if digits(stem) > DIGITS_MAX:
        return False
    pieces = _PIECES.findall(stem)
    flags = record.lexicon.flags
    return all(
        len(piece) <= SHORT_LETTERS_MAX
        or (
            (mark := flags(piece.lower())) & (WORD | CONTEXT | ROOT)
            and (not mark & SURE or mark & CONTEXT)
        )
        for piece in pieces
    )


def is_own(record: Record, start: int, end: int) -> bool:
    """Whether the file from `start` on, its stem up to `end`, is an archive or a program's own.

    A source or a program is nobody's unless it is called first of all as somebody is:
    `price_mildred.exe`.
    """
    if is_archive(record, start, end):
        return True
    if _OF_PROGRAMS.match(record.data, end, min(len(record.data), end + 16)) is None:
        return False
    pieces = _PIECES.findall(record.data[start:end])
    marks = [record.lexicon.flags(piece.lower()) for piece in pieces if len(piece) > 1]
    return not any(mark & SURE and not mark & WORD for mark in marks)


_PIECES = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_CHANGED_ON = re.compile(
    rb"(?:updated|modified|created|expires|released|installed|generated|changed|imported|exported|trained|finished|published"
    rb"|effective|renewed|built|deployed|migrated|rotated|synced|loaded|dated|applied|upgraded|rebuilt|compiled|run|older[- ]than)"
    rb"[\"']?(?: ?[:=]| (?:on|at|from|until|through|to))? ?[\"']?\Z"
    rb"|(?:install|build|release|driver|firmware|bios|warranty|purchase|publish|modif(?:y|ied|ication)|creat(?:e|ed|ion)|expir(?:y|ation|es|e)|renewal"
    rb"|calibrat(?:e|ed|ion)|cal|maintenance|pm|certificate|cert|not|definitions?|signatures?|manufactur(?:e|ed|ing)|mfg|compile|commit|boot(?:up)?|backup"
    rb"|patch|update|upgrade|writ(?:e|ten)|access|snapshot|checkpoint|rotat(?:e|ion)|deploy(?:ment)?|deprecat(?:ed|ion)|eol|end of (?:life|support)|valid|licen[cs]e exp(?:iry|ires|iration)?)"
    rb"[ _-]?(?:date|time|day|dt|due|on|at|until|thru|through|end|before|after|utc)?[\"'\]]?(?: {0,24}[:=]{1,2}| (?:on|at|until|to|is))? {0,3}[\"'(\[]?\Z"
)
"""When a record of a machine changed, or it did something: no more than that is known of anybody."""
CHANGED_CHARS_MAX = 64


def of_itself(record: Record, start: int, end: int) -> bool:
    """Whether a day is when a machine's own record changed, or when a file of its own was made."""
    changed = _CHANGED_ON.search(record.lower, max(0, start - CHANGED_CHARS_MAX), start)
    return changed is not None or ends_so(record.lower, end)


_LISTED = re.compile(rb"[-dlbcps](?:[r-][w-][xsStT-]){3}[^\n/\\]{1,80}[ \x01][0-9]{1,15} {1,4}\Z")
LISTED_CHARS_MAX = 120


def is_listed(record: Record, start: int) -> bool:
    """Whether a day is when a file was changed, by its size and its mode before it (`ls -l`)."""
    if "listing" not in record.shapes:
        return False
    return _LISTED.search(record.data, max(0, start - LISTED_CHARS_MAX), start) is not None
