"""Generated files: made anew and compared with what is committed, or written with --write."""

import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.tidy import order_reference, reference, threat_model  # noqa: E402 - found by the line above

PROTO = "proto/agent/v1/agent.proto"
OUTPUTS = (
    *(f"proto/agent/v1/agent_pb2{tail}" for tail in (".py", ".pyi", "_grpc.py")),
    reference.PAGE,
    order_reference.PAGE,
    threat_model.PAGE,
)


def generate(target: Path) -> None:
    """Make every generated file below a directory."""
    out = [f"--{kind}_out={target}" for kind in ("python", "pyi", "grpc_python")]
    if protoc.main(["protoc", f"-I{ROOT}", *out, str(ROOT / PROTO)]) != 0:
        sys.exit("protoc refused agent.proto")
    for made in (reference, order_reference, threat_model):
        page = target / made.PAGE
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_bytes(made.page())


def main() -> None:
    """Compare, or write."""
    if sys.argv[1:] == ["--write"]:
        generate(ROOT)
        return
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        stale = [
            name
            for name in OUTPUTS
            if not (ROOT / name).exists()
            or (ROOT / name).read_bytes() != (Path(scratch) / name).read_bytes()
        ]
    if stale:
        sys.exit(f"out of date, run `make proto`: {', '.join(stale)}")


if __name__ == "__main__":
    main()
