"""How much memory a process may still take."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path

_GROUP_FILES = {  # of a memory control group, by the name of its controller: version 2 has none
    "": ("memory.max", "memory.current", "inactive_file"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def free_memory(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that this process may still take, by the machine and by its control groups; None where that is unknown."""
    room = []
    with contextlib.suppress(OSError):
        words = (proc / "meminfo").read_text().split()
        room += [1024 * int(amount) for name, amount in itertools.pairwise(words) if name == "MemAvailable:"]
        for line in (proc / "self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            for controller in _GROUP_FILES.keys() & controllers.split(","):
                group = groups / controller / path.lstrip("/")
                for folder in (group, *group.parents):  # a limit of a parent binds too
                    room += _room(folder, *_GROUP_FILES[controller])
    return min(room, default=None)


def _room(folder: Path, limit: str, usage: str, cached: str) -> list[int]:
    """Bytes left in the control group of a folder, in a list; [] if it has no limit. The others: names of its files."""
    with contextlib.suppress(OSError, ValueError):  # no such file, or no limit: "max"
        words = (folder / "memory.stat").read_text().split()
        droppable = int(dict(zip(words[::2], words[1::2], strict=True))[cached])  # files kept in memory make way
        return [max(0, int((folder / limit).read_text()) - int((folder / usage).read_text()) + droppable)]
    return []
