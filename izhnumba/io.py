"""Files that `Network.record(..., to=path)` wrote, read with NumPy alone."""

from __future__ import annotations

from pathlib import Path

from izhnumba._base import paths
from izhnumba._engine.timebase import timebase_of
from izhnumba._record.blocks import read as _read
from izhnumba._record.events import Spikes
from izhnumba._record.results import Samples

__all__ = ["read"]


def read(path: str | Path, *, until_damage: bool = False) -> Spikes | Samples:
    """Read the file of a recorder, also while it is written or after its process was killed: all complete blocks.

    Parameters
    ----------
    path : str or Path
    until_damage : bool
        Whether to return what lies before a damaged block instead of raising an error.

    Returns
    -------
    Spikes or Samples
        As the recorder itself gives them: spikes, or sampled states. A file does not tell until when spikes were
        recorded: `read(path)[0.0:1000.0].rates()`.

    Raises
    ------
    ValueError
        For a file that no recorder wrote, of a newer format, altered, or with impossible rows, such as neurons that do
        not exist.
    OSError
        For a path that is no file, or one that cannot be read.

    Examples
    --------
    >>> import tempfile, izhnumba as iz
    >>> net = iz.Network()
    >>> cells = net.add(iz.Population(2, **iz.presets["RS"]))
    >>> drive = net.drive(cells, 10.0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rec = net.record(cells, "spikes", to=f"{folder}/spikes.rec")
    ...     net.run(100.0)
    ...     iz.io.read(f"{folder}/spikes.rec")
    <6 spikes of 2 neurons, 3.2 to 71.7 ms>
    """
    about, index, rows = _read("read.path", paths.file("read.path", path), until_damage=until_damage)
    time = timebase_of(about)
    if about["kind"] == "spikes":
        return Spikes(rows[0], rows[1], time, about["n"], None, chosen=index if index.size else None)
    names = [column["name"] for column in about["columns"][1:]]
    return Samples(rows[0], time, dict(zip(names, rows[1:], strict=True)), index)
