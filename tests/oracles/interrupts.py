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


def moments(call, *, last=True):
    """For each line that a call passes: when it comes first, and if wanted when it comes last."""
    lines = Lines()
    lines.run(call)
    numbered = list(enumerate(lines.passed, 1))
    found = {line: k for k, line in reversed(numbered)}, {line: k for k, line in numbered}
    return sorted({k for lines in found[: 1 + last] for k in lines.values()})


def interrupted(call, at):
    """Whether the call was stopped at this moment."""
    try:
        Lines(at).run(call)
    except KeyboardInterrupt:
        return True
    return False
