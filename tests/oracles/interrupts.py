"""KeyboardInterrupt at a chosen one of the lines of the package that a call passes."""

from __future__ import annotations

import sys

from processes import PACKAGE


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
        return self._line if frame.f_code.co_filename.startswith(str(PACKAGE)) else None

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


def moments(lines, *, last=False, known=frozenset()):
    """When each of the lines of a call comes first, counted from 1, and if wanted when it comes last. Of `known` lines,
    which other calls are stopped at, one in 16 is enough."""
    numbered = list(enumerate(lines, 1))
    first, latest = {line: k for k, line in reversed(numbered)}, {line: k for k, line in numbered}
    new = {k for line, k in first.items() if line not in known}
    old = sorted({*first.values()} - new)
    return sorted({*new, *old[::16], *(latest.values() if last else ())})


def interrupted(call, at):
    """Whether the call was stopped at this moment."""
    try:
        Lines(at).run(call)
    except KeyboardInterrupt:
        return True
    return False
