"""Commands: filled in, run, read back; whatever goes wrong is one line."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

import enhance
from enhance.errors import ParameterError
from enhance.operators import registry
from enhance.operators.base import Parameter
from enhance.operators.blackbox import BlackBoxError
from enhance.operators.command import Command, command

GREY = {"grey": Parameter(0, 255, 0, "level"), "turns": Parameter(1, 4, 1, "", integer=True)}
PYTHON = f"{shlex.quote(sys.executable)} -IS"  # starts at once, with the standard library only
PAINTER = """
import struct, sys, zlib

def chunk(kind, body):
    check = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + check

given, wanted, grey, turns = sys.argv[1:]
header = open(given, "rb").read(24)[16:]
width, height = struct.unpack(">II", header)
rows = (b"\\0" + bytes([int(grey)] * 3 * width)) * height
with open(wanted, "wb") as file:
    file.write(b"\\x89PNG\\r\\n\\x1a\\n")
    file.write(chunk(b"IHDR", header + bytes([8, 2, 0, 0, 0])))
    file.write(chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
print(turns, file=sys.stderr)
sys.exit(int(turns) - 1)
"""


@pytest.fixture(scope="module")
def painter(tmp_path_factory: pytest.TempPathFactory) -> type[Command]:
    """A program that paints grey, and ends with a status of its own choice."""
    script = tmp_path_factory.mktemp("bin") / "paint it.py"
    script.write_text(PAINTER)
    line = f"{PYTHON} {shlex.quote(str(script))} {{input}} {{output}} {{grey:.0f}} {{turns}}"
    return command(line, GREY, name="painter", reach=0)


def one_of(line: str, **options: float | str) -> Command:
    return command(line, {}, name="one", **options)()  # type: ignore[arg-type]


def test_settings_reach_the_program_and_its_file_comes_back(painter: type[Command]) -> None:
    rendered = painter()(torch.rand(2, 3, 3, 5), grey=torch.tensor([51.0, 204.0]))
    expected = torch.tensor([0.2, 0.8]).reshape(2, 1, 1, 1).expand(2, 3, 3, 5)
    torch.testing.assert_close(rendered, expected, atol=1e-6, rtol=0)


def test_a_file_keeps_sixteen_bits() -> None:
    photo = torch.rand(1, 3, 6, 7, dtype=torch.float64)
    copied = one_of("cp {input} {output}")(photo)
    assert (copied - photo).abs().max() <= 0.5 / 65535 + 1e-7
    assert one_of("cp {input} {output}").halo((30, 40)) == 40


@pytest.mark.parametrize(
    ("line", "options", "message"),
    [
        ("no-such-program {input} {output}", {}, "cannot run no-such-program: no such program"),
        ("true {input} {output}", {}, "true must write {output}, but wrote nothing"),
        ("cp /dev/null {output} -T --suffix={input}", {}, "cp must write an image: .*{output}"),
        ("cp {input} {output}/deeper", {}, "cp ended with status 1: cp: .*"),
        ("sleep 9 {input} {output}", {}, "sleep ended with status 1: "),
        (f"{PYTHON} -c 'while 1: 0' {{input}} {{output}}", {"timeout": 0.3}, "within 0.3 s"),
    ],
)
def test_failures_are_one_line(line: str, options: dict[str, float], message: str) -> None:
    with pytest.raises(BlackBoxError, match=message) as caught:
        one_of(line, **options)(torch.rand(1, 3, 4, 5))
    assert isinstance(caught.value, enhance.EnhanceError)
    assert "\n" not in str(caught.value)


def test_a_status_is_told_with_the_last_line_of_stderr(painter: type[Command]) -> None:
    with pytest.raises(BlackBoxError, match=r"ended with status 2: 3$"):
        painter()(torch.rand(1, 3, 4, 5), turns=3)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "must name a program"),
        ("cp {input} {grey} {turns}", r"\{output\} must be used"),
        ("cp {output} {grey} {turns}", r"\{input\} must be used"),
        ("cp {input} {output} {turns}", r"\{grey\} must be used"),
        ("cp {input} {output} {grey} {turns} {gray}", r"\{gray\} must be a parameter"),
        ("cp {input} {output} {grey} {turns} {", "braces of a command must be paired"),
    ],
)
def test_placeholders_are_checked_when_it_is_made(line: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        command(line, GREY, name="wrong")


@pytest.mark.parametrize("line", [["cp", 3, "{input}", "{output}"], 3, None, b"cp"])
def test_what_is_no_text_is_named(line: Any) -> None:
    with pytest.raises(ParameterError, match="must be a text, or a list of texts, got "):
        command(line, {}, name="wrong")


@pytest.mark.parametrize("name", ["input", "output", "extent", "image", "value"])
def test_parameters_leave_names_to_what_needs_them(name: str) -> None:
    with pytest.raises(ParameterError, match=f"a parameter must not be called {name}: "):
        command(f"cp {{input}} {{output}} {{{name}}}", {name: GREY["grey"]}, name="wrong")


def test_light_beyond_the_range_is_clipped() -> None:
    photo = torch.tensor([-0.02, 0.5, 1.02]).reshape(1, 3, 1, 1)
    copied = one_of("cp {input} {output}")(photo).flatten()
    torch.testing.assert_close(copied, torch.tensor([0.0, 0.5, 1.0]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("end", ["wait", "exit 0"])  # with the program itself still there, or not
def test_what_a_late_program_has_started_ends_with_it(tmp_path: Path, end: str) -> None:
    log = tmp_path / "log"
    script = f"while :; do echo alive >> {shlex.quote(str(log))}; sleep 0.02; done & {end}"
    late = one_of(f"sh -c {shlex.quote(script)} {{input}} {{output}}", timeout=0.5)
    with pytest.raises(BlackBoxError, match=r"sh must end within 0\.5 s"):
        late(torch.rand(1, 3, 4, 5))
    said = log.read_text()
    assert "alive" in said
    time.sleep(0.3)
    assert log.read_text() == said


def test_commands_of_one_name_belong_to_the_module_that_made_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "_registered", {})
    code = "made = command('cp {input} {output}', {}, name='copy')"
    one, again, other = (
        {"__name__": name, "command": command} for name in ("first", "first", "second")
    )
    for module in (one, again, other):
        exec(code, module)
    enhance.register(one["made"])  # type: ignore[type-var]
    enhance.register(again["made"])  # type: ignore[type-var]
    with pytest.raises(ParameterError, match=r"'copy' is first:Command_copy"):
        enhance.register(other["made"])  # type: ignore[type-var]


def test_double_braces_stand_for_braces() -> None:
    script = "import shutil, sys; assert sys.argv[3] == '{x}'; shutil.copy(*sys.argv[1:3])"
    arguments = [sys.executable, "-ISc", script.replace("{x}", "{{x}}"), "{input}", "{output}"]
    copied = command([*arguments, "{{x}}"], {}, name="braces")()(torch.zeros(1, 3, 2, 2))
    assert not copied.any()


def test_a_quotation_mark_without_its_pair_is_named() -> None:
    with pytest.raises(ParameterError, match="quotes of a command must be paired"):
        command('convert "{input} {output}', {}, name="x")
