# ruff: noqa: E501 - examples stand unbroken
"""Accounts, cards and numbers that their place tells go; what machines have at such places stays."""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

GONE = [
    # Accounts that something is handed to, or that note something.
    ("task 88213 reassigned to 'tkowalcz' by rule 7; patient Delia Fontaine", "tkowalcz"),
    ("result for Delia Fontaine dispatched to clinician hjohansn at 10:22", "hjohansn"),
    ("NOTIFY=bwilkins rule=7 host=LAB-03", "bwilkins"),
    ("audit note (hjohansn, 2025-03-01 10:22): opened the safe", "hjohansn"),
    ("validated_by=hjohansn caused_by=watchdog", "hjohansn"),
    ('"wheeled_by": "Fontaine, Delia"', "Fontaine"),
    # Owners of files, who asks a database, who signs in by hand.
    ("-rw-r--r-- 1 bwilkins users 88213 Mar 14 10:22 /srv/charts/a.pdf", "bwilkins"),
    ("# User@Host: bwilkins[bwilkins] @  [10.2.3.4]", "bwilkins"),
    ("sshd[811]: Accepted password for okonkwoj from 71.12.44.9 port 50022 ssh2", "71.12.44.9"),
    ("sudo:  tkowalcz : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls", "tkowalcz"),
    ("C:\\Users\\amanda.cross\\AppData\\Local", "amanda"),
    ("join?uname=Delia+Rivers&x=1", "Rivers"),
    ('job queued by "tkowalcz" for patient 4417203', "tkowalcz"),
    ("GET /x - 443 tkowalcz 71.12.44.9 Mozilla patient=4417203", "tkowalcz"),
    ('dn="uid=bwilkins,ou=people,dc=clinic"', "bwilkins"),
    ("cannot log in as bwilkins any more", "bwilkins"),
    # The card of a driver, raw and as members.
    ("DLDAQD12345678\nDCSFONTAINE\nDACDELIA\nDBB02111967\nDAG2570 ELM ST\nDAIBERN", "FONTAINE"),
    ('"DAQ": "F4417203", "DCS": "Stone", "DBB": "02111967", "DAI": "New Bern"', "New Bern"),
    ("DAQ=F4417203 DCS=FONTAINE DAC=DELIA DBB=02111967", "DELIA"),
    # Parts of names, whose device it is, whom somebody looks for.
    ('guest="Bo T." visit=3 for patient 4417203', "Bo T"),
    ("mother's maiden name Banks, verified", "Banks"),
    ("op 2: Stone, B. #5517203 / chart 4417203", "Stone"),
    ('chart 4417203 ("Summer") closed', "Summer"),
    ("Workstation Name: thuyanh-LAPTOP", "thuyanh"),
    ('findstr /i "Rosa Case" visits.log', "Rosa Case"),
    ("cannot parse chart for patient 'stone, delia' at line 4", "stone"),
    ('from="Art Head <gp44@example.org>" deferred', "Art Head"),
    ("Wojciech Park from hygiene cannot open the schedule", "Park"),
    ("/var/www/uploads/Price_Nkofeqaski_20231114.pdf", "Price"),
    ("Chart export for Delia Fontaine finished 2025-03-14, exit 0", "2025-03-14"),
    # Days and numbers under short keys, beside people.
    ("patient in op 2 (F/02/11/1967)", "02/11/1967"),
    ("viewer.exe /bd:02/11/1967", "02/11/1967"),
    ("vis_id: 88213441 pt=Delia Fontaine", "88213441"),
]
STAYS = [
    "job forwarded to spooler on PRINT-02, 3 pages; queued for delivery to mx1.clinic.example",
    "Started provision of agent madison-03; ticket escalated to tier2 queue; delivered to INBOX",
    'caused_by=watchdog triggered_by=cron "generated_by":"terraform"',
    "backup (nightly, 2025-03-01 02:00) finished",
    "drwxr-x---. 2 www-data www-data 4096 Jan  3  2024 /var/www/uploads",
    "# User@Host: chartsvc[chartsvc] @ LAB-03 [10.2.3.4]  Query_time: 2.1",
    "sshd[811]: Accepted publickey for deploybot from 10.0.0.3 port 50022 ssh2",
    "sudo:  nrpe : TTY=unknown ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
    "airflow dag=etl_nightly DAC ok; DAQ 88213 frames, DCS ready",
    "host acme-laptop joined; kiosk-tablet ok; frontdesk-ipad; dock-surface; lobby-tablet",
    'grep -i "Error Code" app.log; grep "Access Denied" /var/log/x; grep "Crystal Reports" y',
    "session for user e310dbb9-b0d3-be37-6fb4-be1abecd8464 refreshed; enc=utf-8",
    "POST /login 302 -> /login next e310dbb9-b0d3-be37-6fb4-be1abecd8464",
    "started by \"systemd\"; by 'default'; uid=ldapsync,ou=services,dc=clinic",
    "patient \"not found\"; patient 'read, only'; users log in as guest",
    "Power Failure from radiology UPS; Print Queue from billing is stuck",
    "Price_List_20231114.pdf, Monthly_Summary_20231114.xlsx, scan_batch_20240101.tif saved",
    # Days on which a machine did something, where nothing is known of anybody.
    "Patient portal load test: 500 virtual users, 0 errors, run 2025-03-11 02:00, branch main",
    "Chart export job nightly finished 2025-03-14, 88123 rows, 412 MB, exit 0",
    "ICD code set effective 10/01/2025 loaded, dental CDT 2025 effective 01/01/2025",
    'Fax cover sheet template "Referral v3" changed 2025-01-12, dpi 204x196, tray 2',
    "Amazon order 112-4471820-3312207 for gloves M, 10 boxes, delivered 03/14/2025",
    "S3 sync s3://clinic-backups/charts/2025/03/14/part-0007.parquet 412 MB 38 s",
    # Files that machines keep of themselves, invoices that the site pays.
    "/var/backups/patients-20241103.sql.gz 812 MB; rotated appointment-2025-03-01.log.1.gz",
    "restic: /srv/charts/daily_2025-02-01.tgz saved; E:\\Backup\\PatientDB_20250211.bak copied",
    "Invoice 20391 from vendor CDW, PO 88213, 4 x ThinkPad, due 04/22/2025",
    'invoice_no=INV-20391 vendor="Henry Schein" po=4500118273 ship_date=2025-04-22',
]
KEPT = [
    (
        '{"log":"{\\"pt_name\\":\\"Delia Fontaine\\",\\"dob\\":\\"02/11/1967\\",\\"mrn\\":\\"4417203\\"}\\n","stream":"stdout","node":"k8s-02"}',
        '"stream":"stdout","node":"k8s-02"',
    ),
    (
        '{"resourceType":"Encounter","id":"3f6f1c2e-1111-4222-8333-944455556666","subject":{"display":"Delia Fontaine"}}',
        "3f6f1c2e-1111-4222-8333-944455556666",
    ),
    ("-rw-r--r-- 1 bwilkins users 88213 Mar 14 10:22 /srv/charts/fontaine_delia.pdf", "Mar 14"),
    ("FROM +1 503 555 0187 DEST +1 503 555 0100 for patient Delia Fontaine", "DEST"),
]


@pytest.mark.parametrize(("text", "value"), GONE)
def test_what_its_place_tells_goes(text: str, value: str) -> None:
    assert value in text
    assert value not in scrub_text(text)


@pytest.mark.parametrize("text", STAYS)
def test_what_machines_have_at_such_places_stays(text: str) -> None:
    assert scrub_text(text) == text


@pytest.mark.parametrize(("text", "fact"), KEPT)
def test_a_fact_beside_people_stays(text: str, fact: str) -> None:
    scrubbed = scrub_text(text)
    assert fact in scrubbed
    assert "Fontaine" not in scrubbed
    assert "fontaine" not in scrubbed
