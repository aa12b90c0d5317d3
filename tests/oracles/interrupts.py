"""KeyboardInterrupt at a chosen one of the lines of the package that a call passes."""

from __future__ import annotations

import sys

from processes import PACKAGE

CHECKS = str(PACKAGE / "_base" / "checks.py")  # which changes nothing: an interrupt in it is one where it is called


class Lines:
    """Watches the lines of the package that a call passes, and raises KeyboardInterrupt at number `at`, from 1."""

    def __init__(self, at=None):
        self.at, self.passed = at, []

    def run(self, call):
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            call()
        finally:
            sys.settrace(before)

    def _enter(self, frame, event, argument):
        file = frame.f_code.co_filename
        return self._line if file.startswith(str(PACKAGE)) and file != CHECKS else None

    def _line(self, frame, event, argument):
        if event == "line":
            self.passed.append((frame.f_code.co_filename, frame.f_lineno))
            if len(self.passed) == self.at:
                raise KeyboardInterrupt
        return self._line


def passed(call):
    """The lines that a call passes, in their order."""
    lines = Lines()
    lines.run(call)
    return lines.passed


def moments(lines, known=frozenset()):
    """When each of the lines of a call comes first, counted from 1; of `known` lines, which other calls are stopped at,
    one in 16. And one in 16 of when they come last."""
    numbered = list(enumerate(lines, 1))
    first, last = {line: k for k, line in reversed(numbered)}, {line: k for k, line in numbered}
    new = {k for line, k in first.items() if line not in known}
    return sorted({*new, *sorted({*first.values()} - new)[::16], *sorted(last.values())[::16]})


def interrupted(call, at):
    """Whether the call was stopped at this moment."""
    try:
        Lines(at).run(call)
    except KeyboardInterrupt:
        return True
    return False
