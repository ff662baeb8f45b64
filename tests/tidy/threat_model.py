"""The page of threats: what a hub that was taken can do, each line tried when the page is made."""

from contextlib import redirect_stdout
from io import StringIO

from tests.unit.taken_clock_rows import CLOCK_CAN, CLOCK_CANNOT
from tests.unit.taken_hub import CAN, CANNOT, Attempt
from tests.unit.taken_key_rows import AUDIT, KEYS_CAN, KEYS_CANNOT
from tests.unit.taken_web import WEB

PAGE = "docs/threat-model.md"
HEAD = """# Threat model: the hub was taken

Made from `tests/unit/taken_*.py` by `make proto`; do not edit. Somebody holds the whole hub: its
database, its web process, and every key that is online there (order, heads, logs, snapshot,
timestamp, and its half of promoted rules). They write what they like to the order log and to the
content repository. They hold no person's key: those of root, release and operators are kept offline
on people's own machines. Each line is tried against the code that an appliance runs.

## What they cannot do

| they try | the appliance answers | because |
|---|---|---|"""
CAN_DO = """
## What they can do, and what bounds it

| they try | the appliance answers | bounded by |
|---|---|---|"""
SIGNER = """
## What they cannot do with the web process alone

All keys lie with the signer, a process of its own, also that of the hub's half of promoted rules.
Whoever holds the web process and the database only asks it, within its rates an hour. A key of its
own that it writes into the file for the next ceremony is refused at the people's desk, as the key
before it has not signed for it. To what it asks, the signer answers:

| they try | the signer answers | because |
|---|---|---|"""
CLOCK = """
## With the network's clock as well

Whoever also answers an appliance's NTP sets its clock on the wall as they like. By that clock
nothing comes back that has ended (the floor holds that) and nothing is waited for (the appliance's
own clock does that), but hours of the day and dates that people name are read from it.

| they try | the appliance answers | because, or bounded by |
|---|---|---|"""
AUDITOR = """
## What they cannot show an auditor

An auditor has the public keys of appliances from their own pages, and authority and grants from the
people. What such a hub then shows of an order, `osiris order verify` sees so:

| they try | what is seen | because |
|---|---|---|"""
REST = """
They also see what sites have sent, which was scrubbed on the site, and can withhold everything:
sites go on discovering, healing and collecting evidence by themselves, and say since when they are
alone. What they asked for stands in each site's copy of the order log. Recovery: the root people
sign root N + 1 with new online keys and operators new grants; no clinic is enrolled again.

A disk of an appliance that was copied or stolen, and its backups, give nobody its keys or the
logins of its targets where a TPM seals them; `osiris appliance keys list` says whether one does.

Not covered here: an appliance or a person's machine that was taken, and the clinic's network."""


def page() -> bytes:
    """Return the page; every answer in it was just given."""
    with redirect_stdout(StringIO()):  # what an attacked appliance logs
        return _page()


def _page() -> bytes:
    lines = [HEAD, *map(_row, (*CANNOT, *KEYS_CANNOT)), CAN_DO, *map(_row, (*CAN, *KEYS_CAN))]
    lines += [CLOCK, *map(_row, (*CLOCK_CANNOT, *CLOCK_CAN))]
    lines += [AUDITOR, *map(_row, AUDIT), SIGNER, *map(_row, WEB), REST]
    return ("\n".join(lines) + "\n").encode()


def _row(attempt: Attempt) -> str:
    return f"| {attempt.what} | `{attempt.try_it()}` | {attempt.because} |"
