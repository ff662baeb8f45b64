"""A box that looks like a CT scanner, and tells on whoever touches it.

It runs as PID 1 of its host, from text given to `python3 -c`, so it stands alone. On port 104 it
answers every DICOM association request with a rejection, as a device does that does not know the
caller. Each IP packet that reaches it and each connection is one line of JSON in `LOG`:
{"packet": "tcp", "to": 104, "from": "10.77.0.1"}, {"opened": N, "from": ...} and
{"closed": N, "received": bytes}. ARP is no IP packet: being found that way leaves no line.
"""

import json
import socket
import socketserver
import struct
import threading
from pathlib import Path

LOG = Path("/var/log/medical-box.jsonl")
PORT = 104
LINES_MAX = 20_000
READ_TIMEOUT_S = 10.0
ETH_P_IP = 0x0800
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp"}
WITH_PORTS = (6, 17)

PDU_HEADER = struct.Struct(">BxI")
ASSOCIATE_REQUEST = 1
ASSOCIATE_BYTES_MAX = 128 * 1024
# A-ASSOCIATE-RJ (PS3.8, 9.3.4): rejected for good, by the service user, called AE title unknown.
REJECTION = struct.pack(">BxIxBBB", 3, 4, 1, 1, 7)


class Diary:
    """The log: bounded, one line a time from any thread."""

    def __init__(self) -> None:
        """Begin an empty one."""
        self._lock = threading.Lock()
        self._lines = 0
        self._connections = 0
        self._file = LOG.open("w", buffering=1)

    def write(self, **what: object) -> None:
        """Add a line, unless there are `LINES_MAX` already."""
        with self._lock:
            self._lines += 1
            if self._lines <= LINES_MAX:
                self._file.write(json.dumps(what) + "\n")

    def number(self) -> int:
        """The number of a new connection."""
        with self._lock:
            self._connections += 1
            return self._connections


def open_tap() -> socket.socket:
    """See every IP packet of this box from now on: before anything can answer one."""
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    tap.bind(("eth0", ETH_P_IP))
    return tap


def sniff(tap: socket.socket, diary: Diary) -> None:
    """Write down every IP packet sent to this box, whatever its port."""
    while True:
        packet, (_, _, direction, *_) = tap.recvfrom(128)
        if direction != socket.PACKET_HOST:
            continue
        head = (packet[0] & 0x0F) * 4
        kind = packet[9]
        port = None
        if kind in WITH_PORTS and len(packet) >= head + 4:
            port = int.from_bytes(packet[head + 2 : head + 4])
        sender = socket.inet_ntoa(packet[12:16])
        diary.write(packet=PROTOCOLS.get(kind, str(kind)), to=port, **{"from": sender})


class Association(socketserver.BaseRequestHandler):
    """One connection: at most one association request, always rejected."""

    server: "Server"

    def handle(self) -> None:
        """Read a request, reject it, and write down what came."""
        diary = self.server.diary
        number = diary.number()
        diary.write(opened=number, **{"from": self.client_address[0]})
        self.request.settimeout(READ_TIMEOUT_S)
        self._received = 0
        try:
            kind, length = PDU_HEADER.unpack(self._read(PDU_HEADER.size))
            if kind == ASSOCIATE_REQUEST and length <= ASSOCIATE_BYTES_MAX:
                self._read(length)
                self.request.sendall(REJECTION)
        except (OSError, EOFError):
            pass  # the caller went away: the line below says how much it had sent
        finally:
            diary.write(closed=number, received=self._received)

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = self.request.recv(count - len(data))
            if not chunk:
                raise EOFError
            self._received += len(chunk)
            data += chunk
        return data


class Server(socketserver.ThreadingTCPServer):
    """The DICOM port."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, diary: Diary) -> None:
        """Listen on every address; connections are written down in `diary`."""
        super().__init__(("", PORT), Association)
        self.diary = diary


def main() -> None:
    """Be the box for ever."""
    diary = Diary()
    threading.Thread(target=sniff, args=(open_tap(), diary), daemon=True).start()
    Server(diary).serve_forever()


if __name__ == "__main__":
    main()
