"""What has an at sign and dots: mail addresses of people, and what only is written like one.

Algorithms of SSH, units of systemd, principals of services (RFC 4120), releases of packages, objects
of Java and parts of messages are written so too; nobody reads mail at any of them.
"""

import re

from proto.phi.record import Record
from proto.phi.values import Kind

MACHINE = frozenset(
    b"noreply no-reply donotreply postmaster abuse root support info admin administrator mailer-daemon hostmaster"
    b" webmaster alerts alert notifications notification security helpdesk it billing-noreply git daemon"
    b" monitoring backup nagios cron www-data system sales contact service orthanc test user".split()
)
_PRIVATE = frozenset(
    b"gmail.com googlemail.com yahoo.com ymail.com hotmail.com outlook.com live.com msn.com aol.com"
    b" icloud.com me.com mac.com comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net"
    b" charter.net earthlink.net proton.me protonmail.com gmx.com mail.com zoho.com".split()
)
_AFTER_LOGIN = frozenset({b"/", b":"})
_MESSAGE_ID = re.compile(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{24,64}")
_OF_ALGORITHMS = frozenset({b"openssh.com", b"libssh.org", b"libssh2.org", b"lysator.liu.se"})
"""Who names algorithms and requests of SSH after a domain (RFC 4251, 6)."""
_OF_PROGRAMS = (b".gserviceaccount.com", b".core.windows.net")
"""Accounts that programs have, and containers of a store."""
_INTERNAL = re.compile(
    rb"\.(?:local|lan|internal|corp|intranet|localdomain|localnet|home\.arpa|invalid|ad|priv)\Z"
)
_UNIT = re.compile(
    rb"\.(?:service|socket|timer|mount|automount|swap|target|path|slice|scope|device)(?:\.d)?\Z"
)
_RELEASE = re.compile(rb"v?[0-9]{1,4}\.(?:[0-9x][0-9a-z-]*)(?:\.[0-9a-z-]+){0,4}\Z")
"""`@angular/core@17.2.1-rc.0`, `react@18.x`; a domain of digits goes on with letters."""
_PICTURE = re.compile(rb"[1-4]x\.(?:png|jpe?g|gif|webp|svg|pdf)\Z")
_PART = re.compile(rb"[0-9a-f]{8}\.[0-9a-f]{8}\Z")
"""Of a message that Outlook wrote: `image001.png@01DA2B3C.4D5E6F70`."""
_OBJECT = re.compile(rb"(?=[a-f]*[0-9])[0-9a-f]{5,8}\.")
_CLASS = re.compile(rb"(?:[a-z][a-z0-9]*\.)+[A-Z]|[A-Z][a-z]+[A-Z][A-Za-z]*\Z")
_PRINCIPAL = re.compile(
    rb"(?:^|[^a-z0-9_])(?:host|http|cifs|ldap|nfs|krbtgt|termsrv|mssqlsvc|imap|smtp|pop|dns|ftp|rpc|wsman|gc|rpcss"
    rb"|restrictedkrbhost|mongodb|postgres|oracle|kafka|zookeeper|hdfs|yarn|hive|spark|kadmin|changepw|ipp|vnc|sip|xmpp|exchangeab|exchangemdb)"
    rb"/(?:[a-z0-9.-]{1,63}:)?\Z"
)
PRINCIPAL_CHARS_MAX = 90
_CALLED = re.compile(rb"(?:message-id|in-reply-to|references|msgid|cid|esmtps?a? id)\W{1,5}\Z")
_SYSTEM_OWN = re.compile(rb"(?:svc|service|sa|srv|sys)[._-][a-z0-9._-]+|healthmailbox[0-9a-f]+")
EXTENSION_DIGITS_MAX = 5
MESSAGE_DIGITS_MIN = 5


def read_one(record: Record, start: int, end: int) -> None:
    """Take a mail address, unless a program has it or it is none."""
    data = record.lower
    if data[start - 1 : start] in _AFTER_LOGIN and record.covered(start, start + 1):
        return  # a password before `@host`
    start += data[start : start + 1] == b"'"  # email='ann@…
    local = data[start:end].partition(b"@")[0]
    if local in MACHINE or local.endswith(b"-noreply"):
        return
    domain = data[start:end].rpartition(b"@")[2]
    if _of_a_program(record, start, local=local, domain=domain):
        return
    if _is_none(record.data[start : start + len(local)], domain):
        return
    if (local.isdigit() and len(local) > 12) or (
        data[start - 1 : start] == b"<" and _MESSAGE_ID.fullmatch(local) is not None
    ):
        return
    record.hit(Kind.EMAIL, start, end, "a mail address")
    if domain in _PRIVATE:
        record.person = True


def _of_a_program(record: Record, start: int, *, local: bytes, domain: bytes) -> bool:
    """Whether an address is a message's own, a list's, a service's, or a telephone's on a desk."""
    data = record.lower
    if domain.startswith(b"lists.") or domain in _OF_ALGORITHMS or domain.endswith(_OF_PROGRAMS):
        return True
    if _PRINCIPAL.search(data, max(0, start - PRINCIPAL_CHARS_MAX), start) is not None:
        return True
    internal = _INTERNAL.search(domain) is not None
    if local.isdigit():
        return len(local) <= EXTENSION_DIGITS_MAX and (
            internal or data[start - 4 : start] == b"sip:"
        )
    if not internal:
        return data[start - 12 : start] == b"message-id=<" and local[:4].isdigit()
    return (
        local in record.lexicon.vocabulary["accounts"]
        or _SYSTEM_OWN.fullmatch(local) is not None
        or _is_message(data, start, local)
    )


def _is_message(data: bytes, start: int, local: bytes) -> bool:
    """Whether what stands behind a header of messages is a number that a server gave."""
    figures = sum(48 <= byte <= 57 for byte in local)
    return figures >= MESSAGE_DIGITS_MIN and (
        _CALLED.search(data, max(0, start - 20), start) is not None
    )


def _is_none(local: bytes, domain: bytes) -> bool:
    """Whether nothing can be sent there: a unit, a release, a picture, an object of a program."""
    last = domain.rpartition(b".")[2]
    if b"." in domain and (len(last) < 2 or not re.search(rb"[a-z]", last[-3:])):
        return True
    return (
        _UNIT.search(domain) is not None
        or _RELEASE.match(domain) is not None
        or _PICTURE.match(domain) is not None
        or (_PART.match(domain) is not None and b"." in local)
        or (_OBJECT.match(domain) is not None and _CLASS.search(local) is not None)
    )
