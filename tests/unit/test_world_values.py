"""What may become a world and a host is settled before anything is started."""

import os
import socket
from pathlib import Path

import pytest

from osiris.demo.hosts import LINUX_HOSTS, base_prepare, clinic
from osiris.demo.rootfs import cache, recipe
from osiris.demo.world import HostSpec, WorldError, fakeids, idmap, wire
from osiris.demo.world.fakeids import ALLOW, AUDIT_ARCH_X86_64, ERRNO_ZERO, PRETENDED

KEY = "ssh-ed25519 AAAA somebody's key"


@pytest.mark.parametrize(
    ("name", "address", "mac"),
    [
        ("Lab", "10.77.0.2", "02:00:00:00:00:01"),
        ("a b", "10.77.0.2", "02:00:00:00:00:01"),
        ("-a", "10.77.0.2", "02:00:00:00:00:01"),
        ("x" * 33, "10.77.0.2", "02:00:00:00:00:01"),
        ("lab", "10.77.0", "02:00:00:00:00:01"),
        ("lab", "10.77.0.2/8", "02:00:00:00:00:01"),
        ("lab", "10.77.0.2", "02:00:00:00:00:0G"),
        ("lab", "10.77.0.2", "02-00-00-00-00-01"),
    ],
)
def test_a_host_with_a_wrong_form_is_refused(name: str, address: str, mac: str) -> None:
    """These words become arguments of ip(8) and names of directories."""
    with pytest.raises(WorldError, match="is not a"):
        HostSpec(name, address, mac)


def _judged(architecture: int, number: int) -> int:
    """Run the classic BPF program as the kernel does, on one system call."""
    program = fakeids.filter_program()
    data = {fakeids.OFFSET_NUMBER: number, fakeids.OFFSET_ARCH: architecture}
    at, word = 0, 0
    while True:
        code, if_true, if_false, operand = program[at]
        if code == fakeids.RETURN:
            return operand
        if code == fakeids.LOAD_WORD:
            word = data[operand]
            at += 1
        else:
            at += 1 + (if_true if word == operand else if_false)


def test_only_id_changes_are_pretended() -> None:
    """Every listed call succeeds without being done; every other call is the kernel's."""
    for number in range(460):
        wanted = ERRNO_ZERO if number in PRETENDED.values() else ALLOW
        assert _judged(AUDIT_ARCH_X86_64, number) == wanted, number


def test_another_architecture_is_not_deceived() -> None:
    """The numbers mean other calls in the 32-bit table."""
    assert _judged(0x4000_0003, PRETENDED["chown"]) == ALLOW


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("{user}:100000:65536\n", 100_000),
        ("other:1:65536\n{user}:200000:65536\n", 200_000),
        ("{user}:100000:1000\n", None),
        ("{user}:100000\n\n# {user}\n", None),
        ("", None),
    ],
)
def test_subordinate_ids_count_only_when_they_suffice(
    tmp_path: Path, text: str, first: int | None
) -> None:
    """A range too small for Debian's own users is no range."""
    file = tmp_path / "subuid"
    file.write_text(text.format(user=os.getuid()))
    found = idmap.subordinate(file)
    assert (found.first if found else None) == first
    assert idmap.subordinate(tmp_path / "absent") is None


def test_messages_carry_descriptors_and_have_a_bound() -> None:
    """A descriptor arrives with its own message; a message too large is refused by its sender."""
    one, other = wire.pair()
    with one, other, Path("/proc/self/status").open("rb") as file:
        wire.send(one, {"a": 1})
        wire.send(one, {"b": 2}, [file.fileno()])
        assert wire.receive(other) == ({"a": 1}, [])
        received = wire.receive(other)
        assert received is not None
        message, [fd] = received
        assert message == {"b": 2}
        assert os.fstat(fd).st_ino == os.fstat(file.fileno()).st_ino
        assert not os.get_inheritable(fd)
        os.close(fd)
        with pytest.raises(WorldError, match="too large"):
            wire.send(one, {"x": "y" * wire.MESSAGE_BYTES_MAX})
        one.shutdown(socket.SHUT_RDWR)
        assert wire.receive(other) is None


def test_the_clinic_is_four_hosts_and_a_scanner() -> None:
    """Drift goes to the host it names, after everything else."""
    specs = {spec.name: spec for spec in clinic(KEY, {"emr": "echo drifted"}, network="10.9.8")}
    assert set(specs) == {*LINUX_HOSTS, "ct-scanner"}
    assert specs["emr"].prepare.endswith("echo drifted")
    assert "drifted" not in specs["lab"].prepare
    assert len({spec.address for spec in specs.values()}) == len(specs)
    assert all(spec.address.startswith("10.9.8.") for spec in specs.values())
    assert specs["ct-scanner"].argv is not None
    with pytest.raises(KeyError, match="pharmacy"):
        clinic(KEY, {"pharmacy": "true"})


def test_a_key_is_one_word_of_the_preparation() -> None:
    """A comment in a key cannot become shell text."""
    assert """'ssh-ed25519 AAAA somebody'"'"'s key'""" in base_prepare(KEY + "\n")


def test_a_changed_recipe_is_another_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache never serves what a changed recipe would not build."""
    before = cache.file_name(single_id=False)
    assert before == cache.file_name(single_id=False)
    assert before != cache.file_name(single_id=True)
    monkeypatch.setattr(recipe, "PACKAGES", (*recipe.PACKAGES, "aide"))
    assert cache.file_name(single_id=False) != before


def test_a_file_without_owners_serves_only_worlds_with_one_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything in it belongs to root, which a host with many ids would believe."""
    monkeypatch.setenv("OSIRIS_CACHE", str(tmp_path))
    (tmp_path / cache.file_name(single_id=True)).touch()
    assert cache.find("root") is None
    assert cache.find("subuid") is None
    assert cache.find("single") == tmp_path / cache.file_name(single_id=True)
    (tmp_path / cache.file_name(single_id=False)).touch()
    assert cache.find("root") == cache.find("single") == tmp_path / cache.file_name(single_id=False)


def test_only_the_newest_files_are_kept(tmp_path: Path) -> None:
    """The cache does not grow with every change of the recipe."""
    for age, name in enumerate(("clinic-c.tar.zst", "clinic-b.tar.zst", "clinic-a.tar.zst")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    cache.trim(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "clinic-b.tar.zst",
        "clinic-c.tar.zst",
    ]
