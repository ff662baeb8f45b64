"""What codes are called on pages: every code a person can meet has a label and a plain sentence.

The catalogues are keyed by the enumerations of `proto`, so a new code without words fails a test.
Sentences are for the person at the front desk: no jargon, no blame, and what happens next.
"""

from dataclasses import dataclass
from enum import StrEnum

from proto.catalog.model import Disruption
from proto.evidence import Outcome, Result, Turn
from proto.findings import Reason, Vantage, Verdict
from proto.incidents import Cause, Severity, State
from proto.inventory import DeviceClass, Platform


class Tone(StrEnum):
    """The look of a badge; the text beside it always says the same thing in words."""

    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    INFO = "info"
    QUIET = "quiet"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Words:
    """How a code is shown: a label of a few words, a sentence, and the tone of its badge."""

    label: str
    sentence: str
    tone: Tone = Tone.QUIET


VERDICTS: dict[Verdict, Words] = {
    Verdict.COMPLIANT: Words("Compliant", "The device answered and meets this check.", Tone.GOOD),
    Verdict.DRIFTED: Words(
        "Drifted", "The device answered and does not meet this check.", Tone.BAD
    ),
    Verdict.NOT_APPLICABLE: Words(
        "Not applicable", "The device answered and this check does not concern it."
    ),
    Verdict.UNKNOWN: Words(
        "Unknown", "There is no answer we can rely on, so we do not say it is fine.", Tone.UNKNOWN
    ),
}

REASONS: dict[Reason, Words] = {
    Reason.UNREACHABLE: Words(
        "No answer", "The device did not answer. It may be switched off or unplugged."
    ),
    Reason.HOST_KEY_CHANGED: Words(
        "Identity changed",
        "The device showed another identity key than the one we were given, so we did not sign in.",
    ),
    Reason.AUTH_REFUSED: Words(
        "Sign-in refused", "The device refused our sign-in. We do not try the same one again."
    ),
    Reason.SUDO_REFUSED: Words(
        "Rights refused", "We could sign in, but were not given administrator rights."
    ),
    Reason.NO_CREDENTIAL: Words("No sign-in set", "Nobody has given us a sign-in for this device."),
    Reason.TIMEOUT: Words("Too slow", "The device did not finish answering in time."),
    Reason.PROBE_FAILED: Words(
        "Question failed", "The device could not carry out the question we asked."
    ),
    Reason.BAD_ANSWER: Words(
        "Unreadable answer", "The device answered with something we cannot read."
    ),
    Reason.STALE: Words(
        "Out of date", "The last answer is too old to rely on; a new one has not arrived."
    ),
}

DISRUPTIONS: dict[Disruption, Words] = {
    Disruption.NONE: Words("Nobody notices", "Nothing stops while it runs."),
    Disruption.SERVICE: Words(
        "A service restarts", "Whoever uses the service is interrupted for a moment.", Tone.WARN
    ),
    Disruption.REBOOT: Words(
        "The device restarts", "Whoever works at it loses what is not saved.", Tone.BAD
    ),
    Disruption.LOCKOUT: Words(
        "It may lock people out", "Somebody should stand at the device meanwhile.", Tone.BAD
    ),
}

SEVERITIES: dict[Severity, Words] = {
    Severity.CRITICAL: Words("Critical", "Deal with it today.", Tone.BAD),
    Severity.HIGH: Words("High", "Deal with it this week.", Tone.WARN),
    Severity.MEDIUM: Words("Medium", "Plan it in.", Tone.INFO),
    Severity.LOW: Words("Low", "When there is time.", Tone.QUIET),
}
"""From the most to the least severe: pages list findings in this order."""

STATES: dict[State, Words] = {
    State.OPEN: Words("Open", "Found, and waiting for the next step.", Tone.WARN),
    State.PLANNED: Words("Repair chosen", "A repair was chosen and is about to start.", Tone.INFO),
    State.EXECUTING: Words("Being repaired", "The repair is running now.", Tone.INFO),
    State.VERIFYING: Words(
        "Being re-checked", "The repair has run; we are checking that it worked.", Tone.INFO
    ),
    State.UNDOING: Words(
        "Being undone", "The repair did not work and is being taken back.", Tone.WARN
    ),
    State.HEALED: Words("Healed", "Repaired, and an independent re-check passed.", Tone.GOOD),
    State.ESCALATED: Words("Needs a person", "Somebody has to look at this.", Tone.BAD),
    State.WAIVED: Words("Waived", "A person accepted this until a set date.", Tone.QUIET),
    State.CLOSED: Words("Closed", "This is over.", Tone.QUIET),
}

CAUSES: dict[Cause, Words] = {
    Cause.NO_RULE: Words(
        "No repair on file", "No approved repair fits what was seen, so a person has to decide."
    ),
    Cause.RULE_ESCALATES: Words(
        "Meant for a person", "The approved rule for this says that a person must handle it."
    ),
    Cause.RULE_IGNORES: Words(
        "Left alone by rule", "The approved rule for this says that it may stay as it is."
    ),
    Cause.OBSERVE_ONLY: Words(
        "Observe only", "This site is set to observe only: we look and report, and change nothing."
    ),
    Cause.ALERT_ONLY: Words(
        "Report only", "The repair for this is set to report only, so a person has to carry it out."
    ),
    Cause.APPROVAL_NEEDED: Words(
        "Waits for approval", "The repair is known, but a person has to approve it first."
    ),
    Cause.WINDOW_NEEDED: Words(
        "Waits for quiet hours", "The repair may run only in a maintenance window."
    ),
    Cause.WINDOW_CLOSED: Words(
        "Waits for its window", "The repair runs when the site's next maintenance window opens."
    ),
    Cause.HELD_BY_ORDER: Words(
        "Held by an order", "A signed order lets nothing be repaired here until its end date."
    ),
    Cause.PROTECTED_HOST: Words(
        "Protected host", "The site protects this device from every change, so we only look."
    ),
    Cause.NO_REVERT: Words(
        "Too risky unattended",
        "The repair could lock us out or restart the device, so we do not run it by ourselves.",
    ),
    Cause.REQUIREMENT_UNMET: Words(
        "Repair does not fit", "The repair's own conditions are not met on this device."
    ),
    Cause.PLAN_TOO_LARGE: Words(
        "Repair too large",
        "The repair is larger than we can write down before we start, so it was not started.",
    ),
    Cause.NOT_MANAGED: Words(
        "No sign-in", "We have no way to sign in to this device, so we cannot repair it."
    ),
    Cause.COOLDOWN: Words(
        "Pausing", "This repair ran a short while ago; we wait before we run it again."
    ),
    Cause.DAILY_LIMIT: Words(
        "Enough for today", "This repair has already run as often as it may in one day."
    ),
    Cause.HOURLY_BUDGET: Words(
        "Enough for this hour",
        "As many repairs began on this site within the hour as may; the rest follow.",
    ),
    Cause.BLAST_RADIUS: Words(
        "Enough devices for now",
        "As many devices were changed within the hour as may; this one follows when it is over.",
    ),
    Cause.BREAKER_OPEN: Words(
        "Paused after failures",
        "This repair failed on this device before, so it is paused until someone has looked.",
    ),
    Cause.TARGET_BUSY: Words(
        "Waiting its turn", "Another repair is running on this device; one at a time."
    ),
    Cause.STALE_FINDING: Words(
        "Waits for a fresh look", "What we saw is too old to act on; it is being checked again."
    ),
    Cause.ATTEMPTS_SPENT: Words(
        "Repair did not work", "We tried the repair as often as we may, and it did not hold."
    ),
    Cause.CAPTURE_FAILED: Words(
        "Nothing was changed",
        "We could not record how the device was set before, so we did not start the repair.",
    ),
    Cause.UNDO_FAILED: Words(
        "Could not be undone",
        "A repair did not work and taking it back failed too; the device may be half changed.",
    ),
    Cause.UNDO_UNKNOWN: Words(
        "Undo not confirmed",
        "A repair was being taken back when we lost contact, so we do not know how it ended.",
    ),
    Cause.OUTCOME_UNKNOWN: Words(
        "Outcome not known",
        "We lost contact during a repair, so we do not know how it ended. It is not run again.",
    ),
    Cause.CHECK_BLIND: Words(
        "No view for a day", "For 24 hours we could not get an answer to this check."
    ),
    Cause.WAIVER: Words("Waived", "A waiver covers this until its end date."),
    Cause.PASSED: Words("Passed again", "A later check passed."),
    Cause.RECURRED: Words("Came back", "It was repaired, and the same drift came back."),
    Cause.NOT_APPLICABLE: Words(
        "No longer concerns it", "The check does not concern this device any more."
    ),
    Cause.CHECK_GONE: Words(
        "Check gone", "The content no longer has this check, so nobody asks any more how it stands."
    ),
    Cause.TARGET_REMOVED: Words("Device removed", "The device is no longer looked after."),
    Cause.BY_PERSON: Words("Closed by a person", "A person closed this and gave a reason."),
}

OUTCOMES: dict[Outcome, Words] = {
    Outcome.DONE: Words("Done", "Every step ran to its end.", Tone.GOOD),
    Outcome.FAILED: Words("Failed", "A step failed.", Tone.BAD),
    Outcome.UNKNOWN: Words("Unknown", "We lost contact before the end.", Tone.UNKNOWN),
    Outcome.NOT_RUN: Words("Not run", "The repair was not started.", Tone.QUIET),
}

RESULTS: dict[Result, Words] = {
    Result.HEALED: Words("Healed", "Repaired, and an independent re-check passed.", Tone.GOOD),
    Result.UNDONE: Words(
        "Undone", "The repair did not work; the device is as it was before.", Tone.WARN
    ),
    Result.FAILED: Words("Failed", "The repair failed and could not be taken back.", Tone.BAD),
    Result.UNKNOWN: Words("Unknown", "We do not know how the repair ended.", Tone.UNKNOWN),
}

TURNS: dict[Turn, Words] = {
    Turn.OPENED: Words("Found", "The drift was first seen.", Tone.WARN),
    Turn.WAITING: Words("Waiting", "Something holds the repair back for now.", Tone.INFO),
    Turn.ESCALATED: Words("Handed to a person", "Somebody has to look at this.", Tone.BAD),
    Turn.WAIVED: Words("Waived", "A person accepted this until a set date.", Tone.QUIET),
    Turn.CLOSED: Words("Closed", "This is over.", Tone.GOOD),
}

OPENED_AGAIN = Words(
    "Opened again", "What held it back is over, or what it was decided on has changed.", Tone.WARN
)
"""For an incident that was found before."""

NEXT: dict[Cause, str] = {
    Cause.NO_RULE: "Put it right on the device itself; the next check closes this.",
    Cause.RULE_ESCALATES: (
        "Put it right on the device itself, or waive it with the reason. The next check that passes"
        " closes this."
    ),
    Cause.ALERT_ONLY: "Carry the repair out by hand; the next check closes this.",
    Cause.APPROVAL_NEEDED: (
        "Decide whether the repair may run on this device: it does not start by itself. A person"
        " at the site approves it on the portal."
    ),
    Cause.WINDOW_NEEDED: (
        "Set a maintenance window for this site, or let a person at the site approve the repair"
        " for now."
    ),
    Cause.NO_REVERT: (
        "Carry the repair out while somebody is at the device; the next check closes this."
    ),
    Cause.REQUIREMENT_UNMET: (
        "Meet the repair's conditions on this device, or put it right by hand; both close this."
    ),
    Cause.PLAN_TOO_LARGE: "Tell whoever writes the content, and put it right by hand meanwhile.",
    Cause.NOT_MANAGED: (
        "Give the appliance a sign-in for this device, or put it right on the device itself."
    ),
    Cause.ATTEMPTS_SPENT: (
        "The device is as it was before. Find out what the repair ran into, and put it right by"
        " hand."
    ),
    Cause.CAPTURE_FAILED: (
        "Nothing was changed. Look at the device's own configuration, and put it right by hand."
    ),
    Cause.UNDO_FAILED: (
        "Look at the device today: it may be half changed. Compare it with what was seen before the"
        " repair, put it right, then close this with what was done."
    ),
    Cause.UNDO_UNKNOWN: (
        "Look at the device today: nobody knows how the undo ended. Put it right, then close this"
        " with what was done."
    ),
    Cause.OUTCOME_UNKNOWN: (
        "Look at the device: nobody knows how the repair ended. Check it again from the appliance,"
        " and put right what is still wrong."
    ),
    Cause.CHECK_BLIND: (
        "Find out why the check gets no answer: is the device on, does its sign-in still work?"
    ),
}
"""What a person does about an incident that was handed over, by why it was."""


def next_step(state: State, cause: Cause | None) -> str:
    """Return what a person should do next, "" when nobody has to do anything."""
    if state is not State.ESCALATED:
        return ""
    return NEXT.get(cause, "") if cause else ""


CLASSES: dict[DeviceClass, Words] = {
    DeviceClass.SERVER: Words("Server", "A computer that serves others."),
    DeviceClass.WORKSTATION: Words("Workstation", "A computer somebody works at."),
    DeviceClass.NETWORK: Words("Network device", "A router, a switch or an access point."),
    DeviceClass.PRINTER: Words("Printer", "A printer or a copier."),
    DeviceClass.MEDICAL: Words(
        "Medical device",
        "Never touched: we notice that it is there, and never connect to it or change it.",
        Tone.INFO,
    ),
    DeviceClass.UNKNOWN: Words("Not recognised", "We cannot tell yet what this is.", Tone.UNKNOWN),
}

PLATFORMS: dict[Platform, Words] = {
    Platform.LINUX: Words("Linux", "Linux computers."),
    Platform.NETWORK: Words("Network", "What can be seen from the network."),
}

VANTAGES: dict[Vantage, Words] = {
    Vantage.SSH: Words("Signed in", "We signed in to the device and asked it."),
    Vantage.SCAN: Words("From the network", "We looked from the network, without signing in."),
}

CONDITIONS: dict[str, Words] = {
    "hub_unreachable": Words(
        "The hub does not answer",
        "Checks and repairs go on. Evidence is kept here and sent when the hub is back.",
        Tone.WARN,
    ),
    "hub_refused": Words(
        "The hub refuses us", "The hub answers but does not accept this appliance.", Tone.BAD
    ),
    "hub_went_back": Words(
        "The hub lost evidence that it had",
        "It was put back to an older copy of itself. What it lost is being sent again from here.",
        Tone.WARN,
    ),
    "evidence_refused": Words(
        "Evidence was refused",
        "The hub did not accept some evidence. It is kept here and nothing is deleted.",
        Tone.BAD,
    ),
    "breaker_open": Words(
        "A repair is paused",
        "A repair failed repeatedly and waits for somebody to look.",
        Tone.WARN,
    ),
    "disk_low": Words("Little disk space left", "Old records are being thinned out.", Tone.WARN),
    "disk_full": Words(
        "The disk is full",
        "No new repair starts. Evidence is the last thing to be given up.",
        Tone.BAD,
    ),
    "evidence_shed": Words(
        "Copies of evidence were given up",
        "The disk was full. What the hub already holds was removed here; nothing else was.",
        Tone.WARN,
    ),
    "scanner_failed": Words(
        "The network scan failed", "New devices are not being noticed at the moment.", Tone.WARN
    ),
    "content_refused": Words(
        "New content was refused",
        "New checks or repairs did not hold together; the earlier set stays in use.",
        Tone.WARN,
    ),
    "content_rolled_back": Words(
        "Older content was offered",
        "The hub offered content that is older than what was seen here, and it was not taken. The"
        " hub was put back to an earlier copy, or somebody has hold of it.",
        Tone.BAD,
    ),
    "content_mixed": Words(
        "Content that does not belong together was offered",
        "Files came that the signatures do not name; they were not taken. The earlier set stays in"
        " use.",
        Tone.BAD,
    ),
    "content_withheld": Words(
        "Content is withheld",
        "The hub does not give files that it should have. The earlier set stays in use.",
        Tone.WARN,
    ),
    "content_unsigned": Words(
        "Unsigned content was offered",
        "Too few of the people who must sign new content did. It was not taken.",
        Tone.BAD,
    ),
    "content_root_refused": Words(
        "False keys were offered",
        "The hub offered new keys that the people who held the old ones did not sign. They were not"
        " taken. Tell whoever looks after Osiris.",
        Tone.BAD,
    ),
    "content_frozen": Words(
        "Nobody says that the content is current",
        "The hub should renew its word every day. What runs goes on; no order that changes anything"
        " is accepted until it does.",
        Tone.WARN,
    ),
    "content_expired": Words(
        "Signatures have expired",
        "What people signed has to be signed again. What runs goes on; nothing new is taken, and no"
        " order that changes anything is accepted until then.",
        Tone.WARN,
    ),
    "content_damaged": Words(
        "The kept content was damaged",
        "The disk lost or changed it. What the program ships is in use until the hub gives the"
        " signed content again.",
        Tone.BAD,
    ),
    "observe_only": Words(
        "Repairs are switched off", "Somebody set this site to observe only.", Tone.WARN
    ),
    "text_held_back": Words(
        "Text was stopped at the door",
        "Something that looked like a patient's data or a secret was about to leave. It was not"
        " sent; it is kept here, sealed. Tell whoever looks after Osiris.",
        Tone.BAD,
    ),
    "text_at_hub": Words(
        "The hub set text aside",
        "The hub saw something in what this appliance sent that should not have left. It is locked"
        " away there and shown to nobody. Tell whoever looks after Osiris.",
        Tone.BAD,
    ),
    "names_missing": Words(
        "Text is withheld",
        "The list of names was not set up, so nothing that is free text leaves this appliance.",
        Tone.WARN,
    ),
    "known_people": Words(
        "The list of known people cannot be used",
        "Patients of this site are recognised less well, or no text leaves at all, until the list"
        " is put right.",
        Tone.WARN,
    ),
    "order_log_refused": Words(
        "The hub's list of orders was refused",
        "It does not go on from what this appliance holds, or nobody who may has signed it. No new"
        " order is taken. Tell whoever looks after Osiris.",
        Tone.BAD,
    ),
    "order_log_fork": Words(
        "The hub shows another history of its orders",
        "It signed one list of orders before and shows another now. What this appliance holds"
        " stays as it is, and no new order is taken. Call whoever looks after Osiris, by a number"
        " that you know: the hub may be in the wrong hands. Repairs by rules go on.",
        Tone.BAD,
    ),
    "orders_held": Words(
        "Orders are held back",
        "Several orders failed verification within ten minutes. Only orders that change nothing are"
        " taken until a person here, or two operators, end the hold. Repairs by rules go on.",
        Tone.BAD,
    ),
    "orders_recovering": Words(
        "Orders wait until the appliance has caught up",
        "The hub holds more of this appliance's evidence than the appliance itself: its disk was"
        " put back to an earlier day. No order is taken until that is repaired.",
        Tone.WARN,
    ),
    "device_conflict": Words(
        "Two devices look like one", "A person has to say which device is which.", Tone.WARN
    ),
}
"""Ways for an appliance to be unwell, by the code that it declares."""

DEVELOPMENT_TRUST = Words(
    "Development trust",
    "The hub's keys were made on one machine by one person. That is fine for a trial, and not"
    " for looking after patients' data.",
    Tone.INFO,
)
"""How much the keys of a hub are worth that one person made."""

UNNAMED = Words("Not described", "This code has no description here.", Tone.UNKNOWN)
"""For a code that came from a newer appliance than this program knows."""

FRAMEWORKS = {"hipaa": "45 CFR", "nist_800_53": "NIST SP 800-53"}
"""How the frameworks of control ids are called; another one is shown by its own id."""


def control_name(control: str) -> str:
    """Return how a control is called: `hipaa:164.312(b)` is `45 CFR 164.312(b)`."""
    framework, _, number = control.partition(":")
    return f"{FRAMEWORKS.get(framework, framework)} {number}" if number else control
