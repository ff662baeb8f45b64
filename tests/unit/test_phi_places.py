"""What stands at the fixed places of HL7 and FHIR, and what at these places is nobody's."""

import pytest

from proto.phi import scrub_text

MSH = "MSH|^~\\&|RIS|IMG|PACS|ORTHANC|20080122134501||ORM^O01|RIS631657382|P|2.3\r"
PID = "PID|1||28167205||SPARKS^WENDY||19470208|M\r"
GONE = {
    f"{MSH}{PID}OBX|8|CX|ALTID^State case id^L||369364196453^^^DOH||||||F": "369364196453",
    f"{MSH}{PID}PRB|AD|20190527|250.00^Diabetes^I9|617280498538|||20200510": "617280498538",
    f"{MSH}{PID}AUT|AET|60054||20200310|20200608|1278149312": "1278149312",
    f"{MSH}PRA|2521981565|CARDIO|AT|||2521981565^NPI~FW1711616^DEA~93686668^SL^GA": "FW1711616",
    '{"resourceType":"DocumentReference","masterIdentifier":{"system":"urn:ietf:rfc:3986",'
    '"value":"urn:oid:1.2.276.0.7230010.3.1.2.97.4544"}}': "97.4544",
    '{"resourceType":"Task","note":[{"authorString":"N.O.","text":"left vm"}]}': "N.O.",
    '{"resourceType":"MedicationRequest","extension":[{"url":"http://x.example/dea",'
    '"valueString":"BH7426871"}]}': "BH7426871",
    "GET /fhir/r4/Patient?birthdate=eq1952-01-08&_count=20": "1952-01-08",
    "GET /fhir/r4/Patient?birthdate=ge1952-01-08": "1952-01-08",
}
STAYS = {
    f"{MSH}{PID}": "RIS631657382",
    f"{MSH}{PID}ZPM|1|B2:E3:34:9C:65:B5|192.168.70.155|FW 10.9.12": "B2:E3:34:9C:65:B5",
    f"{MSH}{PID}ZPM|2|B2:E3:34:9C:65:B5|192.168.70.155|FW 10.9.12": "192.168.70.155|FW 10.9.12",
    '{"resourceType":"PractitionerRole","contained":[{"resourceType":"Practitioner","id":"p1",'
    '"name":[{"family":"Mohamud"}]},{"resourceType":"Organization","id":"o1","identifier":'
    '[{"value":"urn:oid:1.2.840.113619.2.55.8775.1679"}]}]}': "1.2.840.113619.2.55.8775.1679",
    '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Practitioner","id":"p1",'
    '"name":[{"family":"Mohamud"}]}}]}': '"id":"p1"',
    '{"resourceType":"Provenance","agent":[{"who":{"display":"ccda-exporter 3.1.29 on DC-08"}}],'
    '"reason":[{"text":"asked by patient"}]}': "ccda-exporter 3.1.29 on DC-08",
    '{"@timestamp":"2025-03-03T03:03:03.303Z","payload":"{\\"resourceType\\":\\"Patient\\",'
    '\\"birthDate\\":\\"1952-01-08\\"}"}': "2025-03-03T03:03:03.303Z",
}


@pytest.mark.parametrize(("text", "value"), GONE.items())
def test_what_its_place_tells_goes(text: str, value: str) -> None:
    assert value not in scrub_text(text)


@pytest.mark.parametrize(("text", "fact"), STAYS.items())
def test_what_is_nobodys_at_such_places_stays(text: str, fact: str) -> None:
    assert fact in scrub_text(text)
