"""Commands as operators: a program that reads one image file and writes another."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import string
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from enhance.errors import EnhanceError, ParameterError, shown
from enhance.operators.base import Parameter, check_names
from enhance.operators.blackbox import BlackBox, BlackBoxError, Pixels

FILES = dict.fromkeys(("input", "output"), "a file of the command takes that name")


class Command(BlackBox):
    """Writes a 16-bit PNG, runs a program on it, and reads what the program wrote.

    A subclass, which `command` makes, sets `arguments`: program and arguments, in which
    ``{input}``, ``{output}`` and ``{parameter}`` are filled in, with a format if need be
    (``{sigma:.2f}``). No shell is involved.
    """

    arguments: ClassVar[Sequence[str]]
    suffix: ClassVar[str] = ".png"
    timeout: ClassVar[float] = 300.0

    def process(self, pixels: Pixels, settings: Mapping[str, float]) -> Pixels:
        """Run the program on files in a temporary folder.

        Raises:
            BlackBoxError: no such program, it failed, took too long, or wrote no image.
        """
        from enhance.imaging.deep import encode_png
        from enhance.imaging.files import read

        with tempfile.TemporaryDirectory() as folder:
            given, wanted = Path(folder) / "input.png", Path(folder) / f"output{self.suffix}"
            given.write_bytes(encode_png(np.rint(pixels.clip(0, 1) * 65535).astype(np.uint16)))
            values = {"input": str(given), "output": str(wanted), **settings}
            self._run([argument.format_map(values) for argument in self.arguments])
            if not wanted.is_file():
                raise BlackBoxError(f"{self.arguments[0]} must write {{output}}, but wrote nothing")
            try:
                written = read(wanted).pixels
            except EnhanceError as error:
                reason = str(error).replace(str(wanted), "{output}")
                raise BlackBoxError(f"{self.arguments[0]} must write an image: {reason}") from error
        array: Pixels = written[0].permute(1, 2, 0).numpy()
        return array

    def _run(self, arguments: list[str]) -> None:
        program = arguments[0]
        if shutil.which(program) is None:
            raise BlackBoxError(f"cannot run {program}: no such program")
        try:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise BlackBoxError(f"cannot run {program}: {error.strerror}") from error
        with process:
            try:
                out, err = process.communicate(timeout=self.timeout)
            except subprocess.TimeoutExpired as error:
                _end(process)
                raise BlackBoxError(f"{program} must end within {self.timeout:g} s") from error
            except BaseException:  # such as an interruption
                _end(process)
                raise
        if process.returncode:
            said = (err.strip() or out.strip()).splitlines()
            last = f": {said[-1].strip()}" if said else ""
            raise BlackBoxError(f"{program} ended with status {process.returncode}{last}")


def _end(process: subprocess.Popen[str]) -> None:
    """End a program and all that it has started, which may outlive it."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):  # none of them is left
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        process.kill()


def command(
    line: str | Sequence[str],
    parameters: Mapping[str, Parameter],
    *,
    name: str,
    summary: str = "",
    views: Literal["whole", "native"] = "whole",
    reach: int | None = None,
    identity: Mapping[str, float] | None = None,
    suffix: str = ".png",
    timeout: float = 300.0,
) -> type[Command]:
    """An operator class from a command line; `enhance.register` makes it known by its name.

    Args:
        line: a text as one would type it, or program and arguments. It must name ``{input}``,
            ``{output}`` and every parameter; ``{{`` and ``}}`` stand for braces.
        parameters: what is filled in, with bounds.
        name: of the operator.
        summary: one line on what it does; the command line itself if empty.
        views, reach, identity: see `black_box`.
        suffix: of the file that the program writes: ``.png``, ``.tif``, ``.jpg``.
        timeout: seconds that one run may take.

    Raises:
        ParameterError: a placeholder that is missing, or that no parameter has; a quotation mark
            or a brace without its pair; an argument that is no text; a parameter called ``input``
            or ``output``, or as in `RESERVED`.

    >>> Blur = command("convert {input} -blur 0x{sigma:.2f} {output}",
    ...                {"sigma": Parameter(0.1, 5, 1, "width", unit="px")}, name="blur", reach=20)
    >>> Blur().name, Blur.arguments[2:4]
    ('blur', ('-blur', '0x{sigma:.2f}'))
    """
    check_names(parameters, FILES)
    if not isinstance(line, Sequence) or not all(isinstance(argument, str) for argument in line):
        raise ParameterError(f"a command must be a text, or a list of texts, got {shown(line)}")
    arguments = tuple(_split(line) if isinstance(line, str) else line)
    if not arguments:
        raise ParameterError("a command must name a program, got none")
    known, used = {*FILES, *parameters}, _placeholders(arguments)
    for odd, rule in ((used - known, "must be a parameter"), (known - used, "must be used")):
        if odd:
            raise ParameterError(f"{{{min(odd)}}} {rule} of the command, got {arguments!r}")
    attributes = {
        "__doc__": f"``{shlex.join(arguments)}`` as an operator.",
        # that of the caller, so that no other package's command of this name is taken for it
        "__module__": sys._getframe(1).f_globals.get("__name__", __name__),
        "name": name,
        "summary": summary or shlex.join(arguments),
        "parameters_spec": dict(parameters),
        "views": views,
        "reach": reach,
        "identity": identity,
        "arguments": arguments,
        "suffix": suffix,
        "timeout": timeout,
    }
    return type(f"Command_{re.sub(r'[^0-9A-Za-z]', '_', name)}", (Command,), attributes)


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:  # a quotation mark alone
        raise ParameterError(f"quotes of a command must be paired, got {line!r}: {error}") from None


def _placeholders(arguments: Sequence[str]) -> set[str]:
    try:
        return {
            field
            for argument in arguments
            for _, field, _, _ in string.Formatter().parse(argument)
            if field is not None
        }
    except ValueError as error:  # a brace alone
        raise ParameterError(
            f"braces of a command must be paired, got {arguments!r}: {error}"
        ) from error
