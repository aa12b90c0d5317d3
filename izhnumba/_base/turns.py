"""Turns: calls that must not overlap, from one thread or several."""

from __future__ import annotations

import sys
import threading
from types import FrameType
from typing import Any


class Turn:
    """One call at a time: `with turn:` in a method, or a RuntimeError for whoever comes second.

    The turn belongs to a frame of the stack, the one that entered it. When that frame has ended, however it ended, the
    turn is free: no interrupt can leave it taken.

    `with turn as kept` gives what the call before has left in `turn.kept` for the next one, and takes it away: what was
    made ready for a call like the last is over as soon as there is another.

    Parameters
    ----------
    owner : str
        Whose turn it is, for the message to another thread.
    within : str
        The message to a call from within another one.

    Examples
    --------
    >>> turn = Turn("Network", "Network.run has not ended.")
    >>> with turn:
    ...     turn.taken
    True
    >>> turn.taken
    False
    """

    def __init__(self, owner: str, within: str) -> None:
        self.elsewhere = (
            f"{owner} must be used by one thread at a time, got a call while that of another has not ended."
        )
        self._within = within
        self.kept: object = None
        self._frames: list[FrameType] = []  # in the order in which they came: the first that still runs has the turn

    def __enter__(self) -> Any:
        mine, frames = sys._getframe(1), self._frames
        frames.append(mine)
        while frames[0] is not mine:
            frame = frames[0]
            thread = _thread_of(frame)
            if thread is not None:
                self._forget(mine)
                raise self._refusal(thread)
            self._forget(frame)
        kept, self.kept = self.kept, None
        return kept

    def __exit__(self, *_: object) -> None:
        try:  # noqa: SIM105 - as `_forget` does, without another call
            self._frames.remove(sys._getframe(1))
        except ValueError:
            pass

    @property
    def taken(self) -> bool:
        """Whether a call runs."""
        return bool(self._frames and self._threads())

    @property
    def taken_elsewhere(self) -> bool:
        """Whether a call runs in another thread than this."""
        return any(thread != threading.get_ident() for thread in self._threads())

    def must_be_free(self) -> None:
        """RuntimeError if a call runs, for operations that must not happen during one."""
        for thread in self._threads():
            raise self._refusal(thread)

    def _threads(self) -> list[int]:
        """Identifiers of the threads whose calls run."""
        found = [_thread_of(frame) for frame in self._frames[:]]
        return [thread for thread in found if thread is not None]

    def _refusal(self, thread: int) -> RuntimeError:
        return RuntimeError(self._within if thread == threading.get_ident() else self.elsewhere)

    def _forget(self, frame: FrameType) -> None:
        try:  # noqa: SIM105 - which would take three times as long
            self._frames.remove(frame)
        except ValueError:  # another thread has seen that it has ended
            pass


def _thread_of(frame: FrameType) -> int | None:
    """The identifier of the thread on whose stack a frame is; None if the frame has ended."""
    for thread, top in sys._current_frames().items():
        here: FrameType | None = top
        while here is not None:
            if here is frame:
                return thread
            here = here.f_back
    return None
