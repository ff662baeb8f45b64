"""The command line: every verb explains itself, and an error ends it with its family's status."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from osiris.cli import VERBS as LAZY
from osiris.cli import app, load, told
from proto.invariants import require

CONTENT = Path(__file__).resolve().parents[2] / "rules"


def verbs(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group, by the words that lead to it."""
    yield path
    for name, below in getattr(command, "commands", {}).items():
        yield from verbs(below, (*path, name))


VERBS = sorted(verbs(typer.main.get_command(app)))


def osiris(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the real command."""
    argv = [sys.executable, "-m", "osiris", *arguments]
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_teaches_what_it_does(verb: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*verb, "--help"])
    assert shown.exit_code == 0
    sentence = shown.output.split("\n\n")[1].strip()
    assert len(sentence) > len("  Do it.")


@pytest.mark.parametrize(
    "verb",
    [
        "demo", "doctor", "target add", "target list", "target test", "target remove", "waiver add",
        "order key new", "order desk", "order draft healing", "order approve", "order list",
        "order show", "order cancel", "order veto", "order verify",
        "device list", "device show", "device off-limits", "device release", "device conflicts",
        "device settle",
        "site status", "appliance run", "appliance enroll", "appliance status",
        "appliance user add", "hub init", "hub serve", "hub site add", "hub status",
        "hub user add", "rules lint", "rules test", "rules explain", "evidence verify",
        "phi scan", "phi test", "phi reveal", "phi forget", "phi disclosures",
    ],
)  # fmt: skip
def test_every_promised_verb_is_there(verb: str) -> None:
    assert tuple(verb.split()) in VERBS


def test_a_configuration_that_is_not_there_ends_with_the_operators_status(tmp_path: Path) -> None:
    done = osiris("appliance", "status", "--config", str(tmp_path / "none.toml"))
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "osiris appliance init" in done.stderr


def test_a_wrong_key_is_named_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("[site]\nautonmy = 'auto'\n")
    done = osiris("appliance", "status", "--config", str(path))
    assert done.returncode == 3
    assert f"{path}.site.autonmy" in done.stderr


def test_a_first_configuration_is_written_once_and_never_over_another(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "a.toml"
    arguments = ["appliance", "init", "--address", "192.0.2.5", "--network", "192.0.2.0/24"]
    first = osiris(*arguments, "--state-dir", str(tmp_path / "s"), "--config", str(path))
    assert first.returncode == 0, first.stderr
    text = path.read_text()
    again = osiris(*arguments, "--config", str(path))
    assert again.returncode == 4
    assert path.read_text() == text
    unenrolled = osiris("appliance", "status", "--config", str(path))
    assert unenrolled.returncode == 3
    assert "osiris appliance enroll" in unenrolled.stderr


def test_a_value_that_no_appliance_may_have_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    done = osiris("appliance", "init", "--address", "nowhere", "--config", str(path))
    assert done.returncode == 3
    assert not path.exists()


def test_a_claim_code_with_a_wrong_letter_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    osiris("appliance", "init", "--address", "192.0.2.5", "--state-dir", str(tmp_path), "--config",
           str(path))  # fmt: skip
    done = osiris("appliance", "enroll", "osiris1-aaaa", "--config", str(path))
    assert done.returncode == 4
    assert not (tmp_path / "enrolled.json").exists()


def test_a_broken_set_is_refused_with_file_and_line(tmp_path: Path) -> None:
    check = CONTENT / "checks" / "linux" / "lin.ssh.root_login.yaml"
    folder = tmp_path / "checks" / "linux"
    folder.mkdir(parents=True)
    (folder / check.name).write_text(check.read_text().replace("severity: high", "severity: yes"))
    done = osiris("rules", "lint", str(tmp_path))
    assert done.returncode == 3
    assert "checks/linux/lin.ssh.root_login.yaml:" in done.stderr


def test_explain_says_which_rule_acts_and_why() -> None:
    incident = json.dumps({"check": "lin.ssh.root_login", "seen": {"value": "yes"}})
    done = osiris("rules", "explain", "-", "-o", "json", stdin=incident)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["winner"]["rule"] == "l1.lin.ssh.root_login"


@pytest.mark.parametrize("text", ["", "[]", '{"check": 1}', '{"check": "no.such"}', "{"])
def test_an_incident_that_is_none_is_refused(text: str) -> None:
    done = osiris("rules", "explain", "-", stdin=text)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", LAZY)
def test_the_list_of_verbs_says_what_each_verb_says_of_itself(name: str) -> None:
    """The list is written down, so that showing it imports no program."""
    assert load(name).get_short_help_str(90) == LAZY[name].help


@pytest.mark.parametrize(
    ("arguments", "never"),
    [
        (["--help"], ("appliance", "central", "sqlalchemy", "httpx", "asyncssh", "osiris.demo")),
        (["target", "list", "--help"], ("central", "sqlalchemy", "osiris.demo")),
        (["hub", "status", "--help"], ("appliance", "asyncssh", "osiris.demo")),
    ],
    ids=["help", "the appliance's", "the hub's"],
)
def test_a_verb_imports_only_its_own_program(arguments: list[str], never: tuple[str, ...]) -> None:
    script = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from osiris.cli import app\n"
        f"assert CliRunner().invoke(app, {arguments!r}).exit_code == 0\n"
        f"print([one for one in {never!r} if one in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=CONTENT.parent,
    )
    assert done.stdout == "[]\n"


def test_a_verb_that_is_not_there_is_refused_with_the_nearest_one() -> None:
    done = osiris("targte", "list")
    assert done.returncode == 2
    assert "Did you mean 'target'" in done.stderr


def test_a_fault_of_the_program_itself_is_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1 is the answer no: a broken invariant must not look like one."""

    def breaks() -> None:
        require(condition=False, what="one row a target")

    with pytest.raises(SystemExit) as ended:
        told(breaks)
    assert ended.value.code == 70
    assert "one row a target" in capsys.readouterr().err
