"""FHIR by element path, in JSON and XML, and the JSON model of DICOM by tag.

The rules hold for every resource: an element's name and what it stands in tell what it holds (HL7
FHIR R4, datatypes; DICOM PS3.18 annex F). Codes, statuses and systems stay; what is free text is
left to the readers of text.
"""

import re
from collections.abc import Iterable

from proto.phi.documents import Path, Value, xml_values
from proto.phi.lexicon import FIRST, SURE, WORD
from proto.phi.record import LETTERS, Record, digits
from proto.phi.takers import GUID
from proto.phi.values import Kind

_BY_NAME = {
    b"birthDate": Kind.DATE, b"family": Kind.NAME, b"given": Kind.NAME, b"subscriberId": Kind.HEALTH_PLAN,
    b"line": Kind.ADDRESS, b"city": Kind.CITY, b"district": Kind.CITY, b"postalCode": Kind.ZIP,
    b"serialNumber": Kind.DEVICE, b"carrierHRF": Kind.DEVICE, b"carrierAIDC": Kind.DEVICE, b"deviceIdentifier": Kind.DEVICE,
    b"altId": Kind.USERNAME, b"preAuthRef": Kind.OTHER_ID, b"authorString": Kind.NAME,
}  # fmt: skip
_PEOPLE = frozenset(
    b"subject patient actor individual performer requester author beneficiary subscriber recorder"
    b" asserter informant source sender recipient participant policyHolder who agent enterer"
    b" practitioner attester member contact player collector interpreter resultsInterpreter"
    b" generalPractitioner witness authenticator administrator receiver insurer custodian owner"
    b" addressee responsible collector".split()
) - {b"insurer", b"custodian"}
_REFERENCED = frozenset(
    b"Patient RelatedPerson Person Practitioner PractitionerRole Coverage Encounter Appointment"
    b" Account Claim EpisodeOfCare".split()
)
_WITH_ID = frozenset(
    b"Patient RelatedPerson Person Practitioner Coverage Encounter Account".split()
)
_PERSONS = frozenset({b"Patient", b"Person"})
"""Whose GUID is their number; that of other resources is a server's own for a row."""
_TECHNICAL = frozenset(
    b"CapabilityStatement StructureDefinition ValueSet CodeSystem SearchParameter ConceptMap"
    b" OperationDefinition ImplementationGuide TerminologyCapabilities NamingSystem".split()
)
_LOG_TIMES = frozenset({b"lastUpdated", b"recorded", b"timestamp", b"lastModified"})
_EXTENSIONS = re.compile(
    rb"(maiden)|[/:-](?:dea|npi|driverslicense|drivers-license|license)(?:$|[/-])"
)
_OUTER_TIMES = frozenset({b"@timestamp", b"time", b"ts", b"date", b"datetime", b"received"})
"""Outside of every resource: when a log wrote of it."""
_OF_NOBODY = frozenset(b"Organization Location HealthcareService Endpoint".split())
ID_DIGITS_MIN = 3
_SYSTEMS = {b"us-ssn": Kind.SSN, b"us-npi": Kind.LICENSE, b"2.16.840.1.113883.4.1": Kind.SSN}
AGE_TOLD_MAX = 89
_DAY = re.compile(rb"\d{4}-\d{2}-\d{2}(?:T[\d:.+Z-]{0,40})?$")
_ROOT = re.compile(rb"<([A-Z][A-Za-z]{2,40}) [^>]{0,80}xmlns=[\"']http://hl7\.org/fhir")
_RESOURCE = re.compile(rb"resourceType\\{0,7}[\"']|resourceType&quot;|resourceType\s?:")
_TAG = re.compile(rb"[0-9A-Fa-f]{8}$")


def read(record: Record, tags: dict[bytes, Kind | None]) -> None:
    """Find what the elements of resources and of DICOM's JSON hold.

    Args:
        record: the record.
        tags: class by DICOM tag, `gggg,eeee` in lower case.
    """
    data = record.data
    if b"resourceType" in data and _RESOURCE.search(data) is not None:
        _resources(record, record.members)
    elif b"http://hl7.org/fhir" in data and (root := _ROOT.search(data)) is not None:
        _resources(record, xml_values(data, root.start()))
    if b"vr" in data and (b'"vr"' in data or b"'vr'" in data or b'\\"vr' in data):
        _dicom(record, tags)


def _resources(record: Record, values: Iterable[Value]) -> None:
    kind_of: dict[Path, bytes] = {}
    system = url = b""
    for value in values:
        text = record.data[value.start : value.end]
        name = value.path[-1]
        if name == b"resourceType":
            kind_of[value.path[:-1]] = text
            continue
        if name == b"system":
            system = text
        if name == b"url":
            url = text
        if name == b"valueString" and (told := _EXTENSIONS.search(url.lower())) is not None:
            whose = Kind.NAME if told[1] is not None else Kind.LICENSE
            record.hit(whose, value.start, value.end, "the extension says what it holds")
        resource = _resource_of(value.path, kind_of)
        if name == b"date" and not _TECHNICAL.isdisjoint(kind_of.values()):
            record.facts.append((value.start, value.end))
        if _TECHNICAL.isdisjoint(kind_of.values()):
            kind = _kind(record, value, text, resource, system)
            if kind is Kind.DEVICE and _is_of_ward(record, kind_of):
                continue
            if kind is not None:
                start = value.start + (text.find(b"/") + 1 if name == b"reference" else 0)
                record.hit(kind, start, value.end, "the element says what it holds")


def _resource_of(path: Path, kind_of: dict[Path, bytes]) -> bytes:
    """Return the type of the nearest resource around an element, its root's name in XML."""
    if not kind_of:
        return path[0]
    around = (kind_of.get(path[:depth]) for depth in range(len(path) - 1, -1, -1))
    return next(filter(None, around), b"")


_WORN = re.compile(rb"[\"'<]?(?:patient|subject|carrierHRF|carrierAIDC)\\{0,3}[\"' >]")


def _is_of_ward(record: Record, kind_of: dict[Path, bytes]) -> bool:
    """Whether a device is nobody's: none wears it, and nobody is told of in the record."""
    return (
        set(kind_of.values()) == {b"Device"}
        and not record.person
        and _WORN.search(record.data) is None
        and record.words.isdisjoint(record.lexicon.vocabulary["implants"])
    )


_ATTACHED = frozenset({b"attachment", b"presentedForm", b"content", b"valueAttachment"})
"""Elements that are attachments, whose data is a document's own."""


def _kind(record: Record, value: Value, text: bytes, resource: bytes, system: bytes) -> Kind | None:
    path, name = value.path, value.path[-1]
    parents = frozenset(path[:-1])
    if not text or (name in {b"use", b"code", b"status", b"system"}):
        return None
    found = _BY_NAME.get(name)
    if found is not None:
        return found
    if _DAY.match(text):
        is_log = name in _LOG_TIMES or (not resource and name in _OUTER_TIMES)
        return None if is_log else Kind.DATE
    if name == b"id":
        own = resource not in _PERSONS and GUID.fullmatch(text) is not None
        is_told = resource in _WITH_ID and not own and digits(text) >= ID_DIGITS_MIN
        return Kind.MRN if is_told else None
    if name == b"reference":
        return Kind.MRN if text.partition(b"/")[0] in _REFERENCED else None
    if name == b"value":
        return _of_value(path, resource, text, system)
    if name in {b"text", b"display", b"name"}:
        return _of_text(record, path, parents, text)
    if name in {b"url", b"data"} and b"photo" in parents:
        return Kind.PHOTO
    if name == b"data" and (resource == b"Binary" or not _ATTACHED.isdisjoint(parents)):
        return Kind.BLOB
    return None


def _of_value(path: Path, resource: bytes, text: bytes, system: bytes) -> Kind | None:
    parents = frozenset(path[:-1])
    if b"telecom" in parents:
        if b"@" in text:
            return Kind.EMAIL
        return Kind.PHONE if digits(text) else Kind.URL
    if b"masterIdentifier" in parents:
        return Kind.OTHER_ID
    if b"identifier" in parents and resource in _OF_NOBODY:
        return None
    if b"identifier" in parents:
        found = _SYSTEMS.get(system.rpartition(b"/")[2].removeprefix(b"urn:oid:"))
        return found or Kind.MRN
    if b"class" in path[-3:-1] and digits(text) >= 3:
        return Kind.HEALTH_PLAN
    return None


def _of_text(record: Record, path: Path, parents: frozenset[bytes], text: bytes) -> Kind | None:
    """Judge `name.text`, `address.text`, and what a reference to somebody displays."""
    nearest = next((key for key in reversed(path[:-1]) if key), b"")
    if nearest == b"name" or (path[-1] == b"name" and nearest in {b"agent", b"entity"}):
        return Kind.NAME
    if nearest == b"address":
        return Kind.ADDRESS
    if nearest == b"coverage":
        return Kind.HEALTH_PLAN if digits(text) >= 5 else None
    if path[-1] == b"display" and nearest in _PEOPLE:
        words = text.split()
        if _is_machine(record, words):
            return None
        capital = sum(word[:1].isupper() for word in words)
        return Kind.NAME if capital and len(words) <= 6 else None
    del record, parents
    return None


_SERIAL = re.compile(rb"(?=(?:[^0-9]*[0-9]){3})(?=.*[A-Z])[A-Z0-9][A-Z0-9-]{5,24}")
_VERSION = re.compile(rb"v?\d{1,4}(?:\.\d{1,5}){1,3}")
_CALLED_SERIAL = frozenset({b"sn", b"s/n", b"serial", b"sn:", b"s/n:", b"serial:", b"#"})


def _is_machine(record: Record, words: list[bytes]) -> bool:
    """Whether a display is a make and a model with a serial number: `SOMATOM go.Top S8A7NX07`."""
    if any(_VERSION.fullmatch(word) for word in words):
        return True
    if _SERIAL.fullmatch(words[-1]) is None or len(words) < 2:
        return False
    flags, lists = record.lexicon.flags, record.lexicon.vocabulary
    called = [word.lower() for word in words[:-1]]
    if called[-1] in _CALLED_SERIAL or called[0] in lists["makers"] | lists["clinic"]:
        return True
    if any(word.strip(b".,") in lists["titles"] | lists["credentials"] for word in called):
        return False
    every = [flags(piece) for word in called for piece in word.translate(LETTERS).split()]
    return any(flag & WORD and not flag & SURE for flag in every) and not any(
        flag & FIRST and not flag & WORD for flag in every
    )


def _dicom(record: Record, tags: dict[bytes, Kind | None]) -> None:
    person = False
    for value in record.members:
        text = record.data[value.start : value.end]
        tag = next((key.lower() for key in reversed(value.path) if _TAG.match(key)), None)
        if tag is None:
            continue
        if value.path[-1] == b"vr":
            person = text == b"PN"
            continue
        kind = tags.get(tag[:4] + b"," + tag[4:])
        if kind is None and person and b"Value" in value.path:
            kind = Kind.NAME
        if kind is Kind.AGE90 and not (
            text[-1:] == b"Y" and text[:-1].isdigit() and int(text[:-1]) > AGE_TOLD_MAX
        ):
            continue
        if kind is not None and tag[:4] + b"," + tag[4:] != b"0008,0070":
            record.person = True
            record.hit(kind, value.start, value.end, "the tag says whose it is")
