"""Folders of people, files named after people, URLs that lead to people, devices of people.

Below a folder whose name says patients, charts, scans and the like, every component that is not
made of machine words alone goes; a file's extension stays.
"""

import re

from proto.phi import devices, relative
from proto.phi.archives import is_archive, is_object, is_own
from proto.phi.lexicon import (
    ALSO,
    BRAND,
    CONTEXT,
    CUE,
    FIRST,
    LAST,
    NAME_WRITTEN,
    NAMEY,
    ROOT,
    SURE,
    WORD,
)
from proto.phi.record import LETTERS, Record, digits
from proto.phi.scan import Pattern
from proto.phi.values import Kind

COMPONENTS_MAX = 12
FOLDER_CHARS_MAX = 40

_COMPONENT = re.compile(rb"[^\\/\n\r\t\"'<>|*?:;\x01]{1,120}")
_LAST = re.compile(
    rb"[^\\/\n\r\t\"'<>|*?:;\x01&]{1,120}?(\.(?![0-9]{2,3}\.?[0-9])[A-Za-z0-9]{2,6}){1,3}(?![A-Za-z0-9.])"
)
_EXTENSION = re.compile(rb"\.[A-Za-z][A-Za-z0-9]{1,4}[ ,]")
_BARE = re.compile(rb"[^\\/\s\"'<>|*?:;\x01&,)\]}]{1,120}")
_FILE = Pattern(
    r"(?i)([^\s\\/:*?\"'<>|=;\x01()\[\]{}]{1,100}(?:, [a-z]{2,20}[^\s\\/:*?\"'<>|=;\x01]{0,60})?)\.(?:pdf|jpe?g|png|tiff?|dcm|docx?|rtf|xlsx?|csv|txt|xml|hl7|zip|heic|bmp|gif|mp4|wav|msg|eml|html?|ccda|json|7z|ps|prn|spl|xps|835|837[pid]?|edi|docm|xlsm|dmp|bak|pptx?|odt|wma|m4a|mp3|dss|ds2|pst|ost|vhdx?|nk2)\b"
)
_REQUEST = Pattern(
    r"\b(?:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS) (/[^\s\"?]{0,300})\?([^\s\"]{1,1000})"
)
_FOLDER = re.compile(rb"([^\\/\s\"'<>|:;=]{3,80})[\\/]\Z")
_URL = Pattern(r"(?i)\bhttps?://[^\s\"'<>\x01/]{1,200}(/(?:[/=_.-][odl]'[a-z]|[^\s\"'<>\x01])*)")
_CAMEL = re.compile(rb"[A-Z]?[a-z']+|[A-Z]+(?![a-z])|[0-9]+")
_IDENTIFYING = re.compile(
    rb"\d{5,}|[A-Za-z]{1,4}\d{5,}|\d{2,4}-\d{2,4}-\d{2,4}|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}"
)


def read(record: Record) -> None:
    """Find people in paths, file names, URLs and names of devices."""
    urls: list[tuple[int, int]] = []
    if b"://" in record.data:
        urls = _urls(record)
    if b"/" in record.data and (record.every & ROOT or "route" in record.shapes):
        urls = sorted(urls + relative.read(record, _machine))
    if record.every & ROOT and (b"\\" in record.data or b"/" in record.data):
        _roots(record, urls)
    if b"?" in record.data and b" /" in record.data:
        _requests(record)
    _routes(record)
    if "file" in record.shapes:
        _files(record)
    if record.every & BRAND:
        devices.read(record)
    if "dated" in record.shapes:
        for spans in _DATED_FOLDER.each(record.data):
            marks = [record.lexicon.flags(word) for word in _words(record.data[slice(*spans[1])])]
            if not all(mark & WORD for mark in marks) and not record.covered(*spans[1]):
                record.hit(Kind.NAME, *spans[1], "a folder named after a person and a day")


def _machine(record: Record, component: bytes) -> bool:
    """Whether a component is made of words of machines alone, or is a year."""
    text = component.strip(_AROUND)
    if text.isdigit():
        return len(text) <= 4
    if is_object(text):
        return True
    if _VERSION.fullmatch(text) is not None:
        return True
    words = text.lower().translate(LETTERS).split()
    count = digits(text)
    if not words and not count:
        return True  # marks name nobody
    if count >= 5:
        return False
    if b", " in text or (b"," in text and len(words) > 1):
        return False
    flags = record.lexicon.flags
    if len(words) == 1 and not count and not text.islower() and not text.isupper():
        words = [piece.lower() for piece in _CAMEL.findall(text)]  # WindowsPowerShell
        no_name = len(words) > 2 or not any(flags(word) & (ALSO | LAST) for word in words)
        return no_name and all(flags(word) & WORD and not flags(word) & SURE for word in words)
    if len(words) > 1 and flags(words[0]) & ALSO and (count or len(words) == 2):
        return False
    return bool(words) and all(
        (flags(word) & WORD and not flags(word) & SURE) or len(word) <= 2 for word in words
    )


_VERSION = re.compile(rb"[0-9]{1,3}(?:\.[0-9]{1,4}){1,3}")
_AROUND = b" ()[]{}#@!$%&*+=~^-_.'"
"""Marks that change nothing of what a component says: `443(` before a town's token."""
_OF_FOLDERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 _-.$"
_SLASHES = frozenset({b"\\", b"/"})


def _roots(record: Record, urls: list[tuple[int, int]]) -> None:
    data = record.data
    done, urls_behind = -1, 0
    places = sorted(at for word, _ in record.flagged(ROOT) for at in record.places(word))
    for at in places:
        while urls_behind < len(urls) and urls[urls_behind][1] <= at:
            urls_behind += 1
        if at < done or (urls_behind < len(urls) and urls[urls_behind][0] <= at):
            continue
        piece = data[at : at + FOLDER_CHARS_MAX]
        stop = at + len(piece) - len(piece.lstrip(_OF_FOLDERS))
        if data[stop : stop + 1] not in _SLASHES:
            continue
        piece = data[max(0, at - FOLDER_CHARS_MAX) : at]
        start = at - len(piece) + len(piece.rstrip(_OF_FOLDERS))
        if start and data[start - 1] not in b"\\/:\"'=(":
            continue
        if data[start:stop].endswith(b" HTTP"):
            continue  # the end of a request
        if b" " in data[start:stop] and data[start - 1 : start] not in {b"\\", b"/"}:
            continue
        if data[start : start + 1] == b" " and data[stop - 1 : stop] == b" ":
            continue  # slashes between words: `User ann / device EXAM-2 / quota 50 GB`
        if len(record.lower[start:stop].translate(LETTERS).split()) > 3:
            continue
        of_people = data[at:stop].lower() in record.lexicon.vocabulary["web_roots"]
        done = _below(record, stop, ids=of_people)


def _below(record: Record, at: int, *, ids: bool) -> int:
    """Take the components below a folder of people; return where the path ends.

    Args:
        record: the record.
        at: where the folder's name ends.
        ids: whether a GUID below it is somebody's, rather than a picture's or an object's.
    """
    data = record.data
    for _ in range(COMPONENTS_MAX):
        while at < len(data) and data[at] in b"\\/":
            at += 1
        match = _COMPONENT.match(data, at, min(len(data), at + 160))
        if match is None:
            return at
        if _EXTENSION.search(match.group()):
            return _file(record, at, ids=ids)
        if b"@" in match.group():  # a login at a host, perhaps behind a blank
            own = b"@" in match.group().partition(b" ")[0]
            return match.end() if own else _bare(record, at, ids=ids)
        if _ENDS_REQUEST.search(match.group()):
            return _file(record, at, ids=ids)
        after = data[match.end() : match.end() + 1]
        if after in {b"\\", b"/"} and b"  " not in match.group() and b"=" not in match.group():
            spared = not ids and _GUID.fullmatch(match.group()) is not None
            if not spared and not _machine(record, match.group()):
                record.hit(Kind.NAME, at, match.end(), "a folder below a folder of people")
            at = match.end()
            continue
        return _file(record, at, ids=ids)
    return at


_ENDS_REQUEST = re.compile(rb" HTTP$| - \d{2,5} | [1-5]\d\d ")
"""The path of a request ended before: its version follows, its port, an account of a domain."""


def _file(record: Record, at: int, *, ids: bool) -> int:
    data = record.data
    if data[at - 5 : at] == b"HTTP/":
        return at  # the version behind the path of a request
    limit = min(len(data), at + 160)
    request = _ENDS_REQUEST.search(data, at, limit)
    match = _LAST.match(data, at, limit if request is None else request.start())
    if match is not None and b"=" not in match.group() and b"  " not in match.group():
        end = match.end() - (len(match.group()) - match.group().index(b"."))
        stem_end = match.start() + len(re.sub(rb"(?:\.[A-Za-z0-9]{2,6}){1,3}$", b"", match.group()))
        stem = data[at:stem_end]
        if stem and not _machine(record, stem) and not is_own(record, at, stem_end):
            record.hit(Kind.NAME, at, stem_end, "a file below a folder of people")
        return max(match.end(), end)
    return _bare(record, at, ids=ids)


def _bare(record: Record, at: int, *, ids: bool) -> int:
    """Take the last part of a path up to a blank; return where it ends."""
    data = record.data
    bare = _BARE.match(data, at, min(len(data), at + 160))
    if bare is None:
        return at
    end = bare.end()
    question = bare.group().find(b"?")
    if question >= 0:
        end = at + question
    if not ids and _GUID.fullmatch(data, at, end) is not None:
        return bare.end()
    dot = data.find(b".", at, end)
    kept = dot > at and is_archive(record, at, dot)
    if end > at and not kept and not _machine(record, data[at:end]) and b"=" not in data[at:end]:
        record.hit(Kind.NAME, at, end, "the last part of a path below a folder of people")
    return bare.end()


def _urls(record: Record) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for spans in _URL.each(record.data):
        start, end = spans[1]
        while end > start and record.data[end - 1] in b".,;)]}":
            end -= 1
        found.append(spans[0])
        path, _, query = record.data[start:end].partition(b"?")
        if _leads_to_people(record, path) or (query and _query_tells(record, query)):
            _take_url(record, start, end)
    return found


_PAIR = re.compile(rb"[?&;]([^=&;]{1,40})=([^&;]{1,200})")
_OF_REQUESTS = frozenset(b"rid reqid request corr job trace".split())
"""What programs call a request or a run of theirs by, whose value is a GUID."""


def _take_url(record: Record, start: int, end: int) -> None:
    """Take an address but for what its query says of equipment: `&host=EXAM-04`."""
    keys = record.lexicon.policy.keys
    for pair in _PAIR.finditer(record.data, start, end):
        own = _GUID.fullmatch(pair[2]) is not None and not _OF_REQUESTS.isdisjoint(
            re.split(rb"[_-]", pair[1].lower())
        )
        plain = own or (keys.is_fact(pair[1]) and _PLAIN_FACT.fullmatch(pair[2]) is not None)
        if plain and pair.start() > start:
            record.hit(Kind.URL, start, pair.start(), "an address that leads to a person")
            start = pair.end()
    if start < end:
        record.hit(Kind.URL, start, end, "an address that leads to a person")


_PLAIN_FACT = re.compile(
    rb"[A-Z][A-Z-]{1,14}-?[0-9]{1,3}|[0-9]{1,3}(?:\.[0-9]{1,4}){1,3}|[0-9]{1,4}"
    rb"|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
)
"""A host, an address or a version, a number of few digits, a GUID."""


_ROUTE = Pattern(r"\b(?:GET|POST|PUT|DELETE|PATCH|HEAD) (/[^\s\"?]{3,300})")


def _routes(record: Record) -> None:
    """Take what stands below a folder of people in a request: `GET /portal/p/anna-lee/labs`."""
    roots = record.lexicon.vocabulary["web_roots"]
    for spans in _ROUTE.each(record.data) if "route" in record.shapes else ():
        below = False
        for match in _PART.finditer(record.data, *spans[1]):
            part = match.group()
            if record.covered(*match.span()):
                continue
            if below and _LONG_NUMBER.fullmatch(part) is not None:
                record.hit(Kind.OTHER_ID, *match.span(), "a number below people in a request")
            elif below and b"." not in part and b"-" in part and not _machine(record, part):
                record.hit(Kind.NAME, *match.span(), "below people in a request")
            below = part.lower() in roots


def _requests(record: Record) -> None:
    """Take the components of a request's path that name somebody whom its query tells."""
    for spans in _REQUEST.each(record.data):
        if not _query_tells(record, record.data[slice(*spans[2])]):
            continue
        for match in _PART.finditer(record.data, *spans[1]):
            if record.covered(*match.span()):
                continue
            if _LONG_NUMBER.fullmatch(match.group()) is not None:
                record.hit(Kind.OTHER_ID, *match.span(), "a number in a request about somebody")
                continue
            joined = len(match.group().lower().translate(LETTERS).split()) > 1
            if joined and not _machine(record, match.group()) and b"." not in match.group():
                record.hit(Kind.NAME, *match.span(), "somebody whom the query tells")


_LONG_NUMBER = re.compile(rb"[A-Za-z]{0,2}[0-9]{6,12}")
_PART = re.compile(rb"[^/]+")


def _leads_to_people(record: Record, path: bytes) -> bool:
    roots = record.lexicon.vocabulary["web_roots"]
    below = False
    for part in path.split(b"/"):
        if below and part and not _machine(record, part):
            return True
        if part.lower() in roots:
            below = True
    return (below and any(byte in path for byte in b"")) or bool(
        _IDENTIFYING.search(path) and below
    )


def _query_tells(record: Record, query: bytes) -> bool:
    keys = record.lexicon.policy.keys
    for pair in re.split(rb"[&;]", query[:2000]):
        key, _, value = pair.partition(b"=")
        told = keys.told(key) if value else None
        if told is not None and told.kind not in {"SECRET", "USERNAME", "NAME_MAYBE"}:
            return True
    return False


def _files(record: Record) -> None:
    for spans in _FILE.each(record.data):
        start, end = spans[1]
        stem = record.data[start:end]
        listed, comma, rest = stem.rpartition(b", ")
        if comma and (b"." in listed or listed.isdigit()):  # the file before it in a list
            start, stem = end - len(rest), rest
        if is_archive(record, start, end):
            continue
        office = record.lower[end + 1 : end + 4] in _OF_OFFICES
        if _named_after_somebody(record, stem) or (office and _is_two_names(record, stem)):
            record.hit(Kind.NAME, start, end, "a file named after a person")
            record.person = True
        else:
            _spaced_file(record, start, end)
        folder = _FOLDER.search(record.data, max(0, start - 90), start)
        if folder is not None and _named(record, folder[1]):
            record.hit(Kind.NAME, *folder.span(1), "a folder named after a person")
            record.person = True


_WORD_BEFORE = re.compile(rb"(?:^|[\\/\"' ])([A-Z][A-Za-z'-]{1,30}),? \Z")
_CAPITALISED = re.compile(rb"[A-Z][A-Za-z'-]{1,30}")


def _spaced_file(record: Record, start: int, end: int) -> None:
    """Take two words of a file's name with blanks: `MRI report Temuulen Rock.pdf`."""
    before = _WORD_BEFORE.search(record.data, max(0, start - 36), start)
    if before is None or _CAPITALISED.fullmatch(record.data, start, end) is None:
        return
    words = [before[1].lower(), record.lower[start:end]]
    marks = [record.lexicon.flags(word.replace(b"'", b"").replace(b"-", b"")) for word in words]
    documents = record.lexicon.vocabulary["documents"]
    if documents.intersection(words) or any(mark & (CUE | CONTEXT) for mark in marks[:1]):
        return
    if any(mark & NAMEY and not mark & WORD for mark in marks) or not marks[0] & WORD:
        record.hit(Kind.NAME, before.start(1), end, "a file named after a person")
        record.person = True


def _words(stem: bytes) -> list[bytes]:
    pieces = (piece.lower().replace(b"'", b"") for piece in _CAMEL.findall(stem))
    return [word for word in pieces if len(word) > 1 and not word.isdigit()]


def _named(record: Record, folder: bytes) -> bool:
    """Whether a folder is two names and nothing of machines but words of documents."""
    documents, flags = record.lexicon.vocabulary["documents"], record.lexicon.flags
    marks = [flags(word) for word in _words(folder) if word not in documents]
    sure = sum(bool(mark & SURE) and not mark & WORD for mark in marks)
    numbered = _IDENTIFYING.search(folder) is not None
    written = all(not m & WORD or m & (ALSO | FIRST | LAST) for m in marks)
    return len(marks) in {2, 3} and written and (sure >= 1 or numbered)


def _named_after_somebody(record: Record, stem: bytes) -> bool:
    if _NAMED_GUID.fullmatch(stem) is not None:
        return False
    if (tax := _TAX_FORM.fullmatch(stem)) is not None and _is_either(record, tax[1], tax[2]):
        return True
    documents, flags = record.lexicon.vocabulary["documents"], record.lexicon.flags
    words = _words(stem)
    marks = [flags(word) for word in words]
    namey = sum(bool(mark & NAMEY) and not mark & WORD for mark in marks)
    strange = sum(not mark & WORD for mark in marks)
    if namey >= 2 or (strange and any(mark & CONTEXT for mark in marks)):
        return True
    if namey and strange == len(marks) and _DATED.search(stem) is not None:
        return True
    if strange >= 2 and (namey or _DATED.search(stem) is not None) and _ALL_WORDS.fullmatch(stem):
        return True
    if _DATED.search(stem) is not None and _about_one(record, words, marks):
        return True
    if _NUMBERED_FILE.fullmatch(stem) is not None and _is_last(record, words, marks):
        return True
    if namey and len(words) > 1 and _IDENTIFYING.search(stem) is not None:
        return True
    also = any(
        mark & (ALSO | NAMEY) and word not in documents
        for mark, word in zip(marks, words, strict=True)
    )
    document = any(word in documents for word in words)
    bare = _OF_OUR_DAYS.sub(b"", stem)  # the day of a report of machines tells nobody
    return document and bool(strange or also or _IDENTIFYING.search(bare))


_TAX_FORM = re.compile(
    rb"([A-Za-z]{2,20})[._ -]([A-Za-z]{2,24})[._ -](?i:w-?2c?|1099[a-z]{0,4}|i-?9|w-?4|w-?9|1095-?[a-c]?)(?:[._ -](?:20)?[0-9]{2})?"
)
"""What employers call by two names."""


def _is_either(record: Record, one: bytes, two: bytes) -> bool:
    """Whether one of two words is a name, or nothing is known of either."""
    flags = [record.lexicon.flags(word.lower()) for word in (one, two)]
    return any(flag & NAMEY and not flag & WORD for flag in flags) or not any(flags)


_OF_OUR_DAYS = re.compile(rb"(?<![0-9])20[0-9]{2}[-_.]?[01][0-9][-_.]?[0-3][0-9](?![0-9])")
_OF_OFFICES = frozenset(b"pdf doc jpg jpe png tif dcm rtf hei msg xls eml wav wma m4a".split())
"""How the endings of scans, pictures, letters and dictations begin."""
_TWO_NAMES = re.compile(
    rb"(?:[A-Z][a-z']+[A-Z][a-z']+|[A-Za-z][A-Za-z']{2,}[_ ,^+-]{1,2}[A-Za-z][A-Za-z']{2,})(?:[_ -][A-Z])?(?:[_ -]?[0-9-]{1,10})?"
)
STRANGER_LETTERS_MIN = 4


def _is_word_and_name(record: Record, stem: bytes, words: list[bytes], marks: list[int]) -> bool:
    """Whether a numbered or dated file is of a name and a word that is one too: `Long_Nkofe_20231114`."""
    weights, documents = record.lexicon.names.weights, record.lexicon.vocabulary["documents"]
    if _IDENTIFYING.search(stem) is None or not documents.isdisjoint(words):
        return False
    return all(
        any(weights(word.decode())[:2]) if mark & WORD else _is_spoken(word, mark)
        for word, mark in zip(words, marks, strict=True)
    ) and not all(mark & WORD for mark in marks)


def _is_spoken(word: bytes, mark: int) -> bool:
    return bool(mark & NAMEY) or (
        len(word) > STRANGER_LETTERS_MIN and _SPOKEN.search(word) is not None
    )


def _is_two_names(record: Record, stem: bytes) -> bool:
    """Whether a scan, picture or letter is named by two words, of which none is one of machines."""
    if _TWO_NAMES.fullmatch(stem) is None:
        return False
    words = _words(stem)
    marks = [record.lexicon.flags(word) for word in words]
    if len(words) != 2 or any(mark & (CUE | CONTEXT) for mark in marks):
        return False
    if any(mark & WORD for mark in marks):
        return _is_word_and_name(record, stem, words, marks)
    return any(mark & NAMEY for mark in marks) or all(
        len(word) >= STRANGER_LETTERS_MIN
        and NAME_WRITTEN.match(word.title())
        and _SPOKEN.search(word)
        for word in words
    )


_SPOKEN = re.compile(rb"\A(?=[^aeiouy]{0,3}[aeiouy])(?!.*[^aeiouy]{5})")
_NUMBERED_FILE = re.compile(
    rb"(?:[A-Z0-9]{1,3}_)?(?:[0-9]{8,14}[_-][A-Z][A-Za-z'-]+|[A-Z][A-Za-z'-]+[_-](?:[0-9]{8,14}|[0-9]{3}-[0-9]{2}-[0-9]{4}))"
)


def _is_last(record: Record, words: list[bytes], marks: list[int]) -> bool:
    """Whether the one word of a numbered file is somebody's last name: `419940110926_BEAN`."""
    weights = record.lexicon.names.weights
    return len(words) == 1 and not marks[0] & CUE and weights(words[0].decode())[1] > 0


def _about_one(record: Record, words: list[bytes], marks: list[int]) -> bool:
    """Whether a dated name is a kind of document and one more word: `charts_MARKS_19580428`."""
    documents, roots = (record.lexicon.vocabulary[name] for name in ("documents", "roots"))
    kinds = [word in documents or word in roots for word in words]
    others = [mark for mark, kind in zip(marks, kinds, strict=True) if not kind]
    return (
        any(kinds)
        and 1 <= len(others) <= 2
        and all(mark & (LAST | FIRST | ALSO) for mark in others)
    )


_ALL_WORDS = re.compile(
    rb"[A-Za-z][A-Za-z']{2,}(?:[_ ^,+-][A-Za-z][A-Za-z']{2,}){1,3}(?:[_ ^,+-][0-9-]{4,10}){0,2}(?:_[0-9]{1,3})?"
)
_GUID = re.compile(rb"\{?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?")
_NAMED_GUID = re.compile(rb"(?:[A-Za-z]{1,6}[_-])?" + _GUID.pattern)
"""`rec_` and a GUID."""
_DATED = re.compile(
    rb"(?:19|20)\d{2}[-_.]?[01]\d[-_.]?[0-3]\d|[01]?\d[-_.][0-3]?\d[-_.](?:19|20)\d{2}"
)
_DATED_FOLDER = Pattern(
    r"[\\/]([A-Z][A-Za-z'-]{1,30}[_ ,^-]{1,2}[A-Z][A-Za-z'-]{1,30}[_ ^-](?:19|20)[0-9]{2}-?[01][0-9]-?[0-3][0-9])(?:[^A-Za-z0-9.]|$)"
)
