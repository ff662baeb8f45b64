"""Sentences that systems of clinics print about people, and places of identifiers and secrets."""

import re

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

SENTENCES = tuple(
    r"""
Patient N checked in at kiosk 2
N arrived for 10:30 appointment
Appointment reminder sent to N via SMS
Appt: N 10:30 Dr. Patel room 4
Rx refill request for N - lisinopril 10mg
eRx sent for N to CVS #4412
Lab order 4412 for N rejected: missing diagnosis
Lab result available: N, CBC with diff
Result for N reviewed by Dr Patel
Fax received for N (3 pages)
Faxed referral for N to Harbor Cardiology
Duplicate patient N found
Portal message from N: "please call me"
Portal: N signed consent form
User opened chart of N
Break-glass: chart N accessed
Cannot open chart for N, record locked by jdoe
Printing wristband for N
Label printed: N 1 of 2
Document scanned: N insurance card front
File N.pdf uploaded
\\FS01\scans\N\card.jpg
/data/dicom/N/CT/IM0001.dcm
"N - MRI brain.pdf" moved to archive
Subject: RE: N lab results
Subject: Referral - N
From: "N" <x@gmail.com>
To: N <x@gmail.com>
voicemail from N (00:41)
Incoming call: N 617-555-0142
Caller: N
CID: N
caller id "N" <6175550142>
sms to N failed: invalid number
insert into patients (name) values ('N')
select * from patients where name = 'N'
UPDATE pt SET nm='N' WHERE id=4
key (name)=(N) already exists
DETAIL: Failing row contains (44, N, null, 12).
[N] balance due $44.12
Statement mailed to N
Payment posted: N $40.00 check 4412
Claim 4412 for N denied CO-16
835: N paid 44.12 adj 12.00
Guarantor N sent to collections
Insurance verified for N (Aetna)
Prior auth approved: N, MRI lumbar
Referral from Dr. Patel for N
Transfer N from ER to room 12
Bed 12: N, fall risk
Room 4 - N - waiting 22 min
Admit N to ICU
Discharge summary for N completed
Transcription job 4412: N H&P
Dictation: patient N seen today
Study for N sent to PACS
Worklist: N, CT CHEST, 10:30
Implant N right knee, serial X
Allergy added for N: penicillin
Immunization record N exported to IIS
Interpreter requested for N (Somali)
Mother of N called
N's mother called
wife of N called back
left vm for N
spoke w/ N re: copay
pt N no-show
NO SHOW: N
Cancelled: N 2:15p
Task assigned: call N back
Reminder: N due for A1c
Birthday today: N
Deceased: N
Emergency contact for N updated
Address changed for N
Record request by attorney for N
N requests records
N DOB 3/4/75
MRN 4412 N
4412 - N
N (4412)
N <4412>
{"patient":{"name":"N"}}
{"name":[{"text":"N"}]}
{"to":"N","template":"reminder"}
{"msg":"Hello N, your appointment is tomorrow"}
Hi N, your results are ready
Dear N:
Thank you, N
signed: N
/s/ N
Sincerely, N
cc: N
Attn: N
c/o N
deliver to N, front desk
Package for N at reception
Visitor N signed in to see Dr Patel
Employee N badge deactivated
New hire: N starts Monday
Contractor N (HVAC) on site
Interview with N at 3
On call: N
N on PTO today
ticket opened by N: printer jam
Reported by N, front desk
assigned technician N
Zoom meeting "N's Personal Meeting Room"
Teams call from N
Device name: N's iPhone
Wi-Fi client N-iPhone joined
Outlook: calendar of N not found
mailbox N over quota
AD display name: N
GECOS: N,,,
wilsonh:x:1001:1001:N,,,:/home/wilsonh:/bin/bash
Full Name: N
git commit by N
Signed-off-by: N <x@x.org>
Author: N
Created by N on 11/22
Modified by: N
Owner: N
Approved by N
Performed by: N
Read by N, MD
Electronically signed by N, MD
Ordering provider: N
PCP N notified
Nurse N paged
Dr. N on call
N, RN
N MD
Attending: N
""".strip("\n").split("\n")
)
"""As they print, with N for the name."""
WRITTEN = ("Haruto Wilson", "Wilson, Haruto", "WILSON, HARUTO", "Amina Warsame")
SMALL = ("haruto wilson", "warsame amina", "maria smith")
CAPITALS_TELL = frozenset({"Wi-Fi client N-iPhone joined"})
"""Where small letters are taken for a thing's."""
VALUES = tuple(
    r"""
4471902|chart 4471902 locked by another user
4471902|opening patient 4471902
4471902|pt#4471902 no-show
4471902|Pt: 4471902
4471902|MRN#4471902
4471902|mrn:4471902;dob:1975-03-04
4471902|med rec 4471902 merged
4471902|loading record for patient id 4471902
4471902|/patients/4471902/chart
4471902|GET /api/v2/patient/4471902 200
4471902|?patientId=4471902&tab=labs
4471902|patient:4471902:lock acquired
4471902|cache miss key=pt:4471902
4471902|SELECT * FROM patient WHERE pat_id = 4471902
4471902|WHERE mrn IN ('4471902','4471903')
4471902|EXEC usp_GetPatient @PatID=4471902
4471902|PID-3=4471902
4471902|(0010,0020) LO [4471902]
4471902|0010,0020 Patient ID: 4471902
4471902|PatientID=4471902 StudyDate=20240102
4471902|Accession 4471902 completed
4471902|ACC# 4471902
4471902|order# 4471902 for pt
4471902|encounter 4471902 closed
4471902|visit# 4471902
4471902|FIN: 4471902
4471902|HAR 4471902 balance
4471902|CSN 4471902
4471902|acct# 4471902 sent to collections
4471902|claim 4471902 rejected CO-16 for subscriber
4471902|Rx# 4471902 refilled
4471902|specimen 4471902 hemolyzed
4471902|case 4471902 scheduled OR 3
4471902|badge 4471902 used at door 3
4471902|member 4471902 ineligible
4471902|subscriber id 4471902 not found
XQJ884201937|Aetna ID XQJ884201937 inactive
XQJ884201937|policy XQJ884201937 terminated
XQJ884201937|NM1*IL*1*WILSON*HARUTO****MI*XQJ884201937~
XQJ884201937|271 response for member XQJ884201937: active
1EG4-TE5-MK73|MBI 1EG4-TE5-MK73
1EG4TE5MK73|medicare 1EG4TE5MK73 eligible
531-48-2210|ssn 531-48-2210
531-48-2210|SSN: 531-48-2210 mismatch
531482210|ssn=531482210
2210|last 4 of ssn 2210
2210|SSN ending in 2210
617-555-0142|callback 617-555-0142
(617) 489-0142|call (617) 489-0142 after 5
6174890142|dialing 6174890142
+16174890142|SMS to +16174890142 delivered
1-617-489-0142|fax 1-617-489-0142 busy
617.489.0142|ph 617.489.0142
1402 Harbor View Rd|lives at 1402 Harbor View Rd
1402 Harbor View Rd|delivery to 1402 Harbor View Rd Apt 4, Worcester MA 01605
01605|Worcester, MA 01605
PO Box 4412|mail to PO Box 4412
3/4/75|born 3/4/75
03/04/1975|DOB 03/04/1975
4-Mar-1975|dob 4-Mar-1975
March 4, 1975|born March 4, 1975
1975-03-04|birthdate 1975-03-04
19750304|dob=19750304
04MAR75|DOB 04MAR75
101|101 yo male
94|age 94
97-year-old|97-year-old female
11/20/2025|admitted 11/20/2025
2025-11-20|date of service 2025-11-20
20251120|DTP*472*D8*20251120~
20251120|DOS 20251120
Nov 20|patient discharged Nov 20
awilson@gmail.com|emailed awilson@gmail.com
a.wilson@gmail.com|login a.wilson@gmail.com failed
4J8K221|MA plate 4J8K221 in patient lot
1HGCM82633A004352|VIN 1HGCM82633A004352
SN12345678|pacemaker serial SN12345678 implanted
PJN441202H|implant serial PJN441202H patient
FW4471902|DEA FW4471902
1234567893|NPI 1234567893 prescriber
S12345678|driver license S12345678
A12345678|passport A12345678
https://facebook.com/haruto.wilson|profile https://facebook.com/haruto.wilson
Hunter2!x|password Hunter2!x rejected for wilsonh
Hunter2!x|net use \\fs01\c /user:wilsonh Hunter2!x
Hunter2!x|mysql -u root -pHunter2!x ehr
Hunter2!x|sqlcmd -S db -U sa -P Hunter2!x
Hunter2!x|curl -u admin:Hunter2!x https://x
Hunter2!x|Server=db;User Id=sa;Password=Hunter2!x;
Hunter2!x|PGPASSWORD=Hunter2!x psql
Hunter2!x|sshpass -p Hunter2!x ssh root@10.0.0.4
Hunter2!x|echo Hunter2!x | sudo -S reboot
Hunter2!x|ConvertTo-SecureString "Hunter2!x" -AsPlainText -Force
Hunter2!x|snmpwalk -v3 -A Hunter2!x -u mon
Hunter2!x|smbclient //fs/x -U wilsonh%Hunter2!x
Hunter2!x|mount -o username=svc,password=Hunter2!x //fs/x
Hunter2!x|ftp://svc:Hunter2!x@ftp.vendor.example/
Hunter2!x|wifi psk Hunter2!x
Hunter2!x|the pw is Hunter2!x
Hunter2!x|xfreerdp /u:wilsonh /p:Hunter2!x /v:10.0.0.4
Hunter2!x|psexec \\pc -u admin -p Hunter2!x cmd
Hunter2!x|schtasks /create /ru svc /rp Hunter2!x
Hunter2!x|ldapsearch -D cn=admin -w Hunter2!x
Hunter2!x|redis-cli -a Hunter2!x
Hunter2!x|7z x -pHunter2!x a.7z
Hunter2!x|keytool -storepass Hunter2!x
""".strip("\n").split("\n")
)
"""A value, a bar, and the line that it stands in."""


def said(sentence: str, name: str) -> str:
    return scrub_text(re.sub(r"(?<![A-Za-z0-9])N(?![A-Za-z0-9])", name, sentence)).lower()


@pytest.mark.parametrize("sentence", SENTENCES)
def test_whoever_is_spoken_of_goes(sentence: str) -> None:
    for name in WRITTEN if sentence in CAPITALS_TELL else (*WRITTEN, *SMALL):
        assert not [
            part for part in re.findall("[a-z]+", name.lower()) if part in said(sentence, name)
        ]


@pytest.mark.parametrize("row", VALUES)
def test_what_identifies_or_opens_goes(row: str) -> None:
    value, _, line = row.partition("|")
    assert value not in scrub_text(line)
