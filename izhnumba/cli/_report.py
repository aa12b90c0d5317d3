"""What `izhnumba run` tells of a run: in a few lines, and as a page of HTML that needs nothing beside itself."""

from __future__ import annotations

import base64
import io
import platform
from dataclasses import dataclass
from html import escape

import numpy as np

import izhnumba as iz
from izhnumba._base.words import counted
from izhnumba._input.current_file import Currents
from izhnumba.cli import _figures
from izhnumba.cli._neurons import Neurons

_FEW = 12  # neurons, whose table is open
_MOST_ROWS = 200  # of that table
_MOST_VALUES = 12  # of a parameter that differs between neurons

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 0.5rem; }
img { width: 100%; max-width: 50rem; background: white; border-radius: 4px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.15rem 1.2rem 0.15rem 0; text-align: left; vertical-align: top; }
td:first-child { white-space: nowrap; }
tr { border-bottom: 1px solid var(--line); }
td.n, th.n { text-align: right; }
pre { background: var(--soft); padding: 0.6rem 0.8rem; border-radius: 4px; white-space: pre-wrap; }
div.wide { overflow-x: auto; }
footer { margin-top: 2rem; opacity: 0.7; }
"""


@dataclass(frozen=True)
class Done:
    """A run of the command line, and all that is known of it.

    duration : ms. seconds : wall time. compiled : whether some of it went for that. source : of the currents.
    line : the command, as typed.
    """

    neurons: Neurons
    population: iz.Population
    current: Currents
    duration: float
    result: iz.Result
    seconds: float
    compiled: bool
    source: str
    line: str

    @property
    def title(self) -> str:
        return f"{self.population.n} x {self.neurons.title}, {self.duration:g} ms"

    @property
    def wall_time(self) -> str:
        return f"{self.seconds:.2f} s{' with compilation' * self.compiled}"

    @property
    def rates(self) -> str:
        """Spikes per second in words; "" for a run of no length."""
        if not self.duration:
            return ""
        rates = self.result.spikes.rates()
        if len(rates) == 1:
            return f"{rates[0]:.4g} Hz"
        span = f", from {rates.min():.4g} to {rates.max():.4g} Hz" if rates.min() < rates.max() else ""
        silent = int(np.sum(rates == 0))
        return f"{rates.mean():.4g} Hz on average{span}" + f", {counted(silent, 'neuron')} without spikes" * bool(
            silent
        )

    @property
    def summary(self) -> str:
        """The lines on standard output."""
        lines = [f"{self.title}: {counted(len(self.result.spikes), 'spike')}, {self.wall_time}"]
        lines += [f"rate     {self.rates}"] if self.rates else []
        lines += [f"time     {self.current.time}"] if self.current.time else []
        return "\n".join(lines)


def page(done: Done) -> str:
    """The page: picture, rates, parameters, the run and its command line."""
    picture = io.BytesIO()
    _figures.save(done.result, done.neurons.peak(done.population), picture, "png")
    image = base64.b64encode(picture.getvalue()).decode()
    rates = f", {done.rates}" if done.rates else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(done.title)}</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(done.title)}</h1>
<p>{counted(len(done.result.spikes), "spike")}{rates}</p>
<img alt="Raster of all neurons, their rate, and V of neuron 0" src="data:image/png;base64,{image}">
<h2>Parameters</h2>
{_table(("", "value", "unit", "meaning"), _of_parameters(done), first=1, last=2)}
<h2>Run</h2>
{_table(("", ""), _of_run(done), first=2)}
<h2>Command</h2>
<pre>{escape(done.line)}</pre>
<h2>Neurons</h2>
<details{" open" * (done.population.n <= _FEW)}><summary>{counted(done.population.n, "neuron")}</summary>
{_table(*_of_neurons(done), first=1)}
</details>
<footer>izhnumba {iz.__version__}, NumPy {np.__version__}, Python {platform.python_version()}</footer>
</body>
</html>
"""


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]], first: int, last: int = 1000) -> str:
    """A table in HTML. first, last: the columns of numbers, from the one to before the other."""

    def cells(tag: str, row: tuple[str, ...]) -> str:
        kinds = [' class="n"' * (first <= column < last) for column in range(len(row))]
        return "".join(f"<{tag}{kind}>{escape(text)}</{tag}>" for kind, text in zip(kinds, row, strict=True))

    lines = [f"<tr>{cells('td', row)}</tr>" for row in rows]
    if any(head):
        lines.insert(0, f"<tr>{cells('th', head)}</tr>")
    return '<div class="wide"><table>\n' + "\n".join(lines) + "\n</table></div>"


def _of_neurons(done: Done) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Names of the columns, and a row per neuron: input, spikes, rate and the time of the first spike."""
    spikes, unit = done.result.spikes, done.population.model.I.unit
    first = np.full(done.population.n, np.nan)
    first[spikes.i[::-1]] = spikes.t[::-1]
    values = done.current.values
    columns = (values.mean(0), values.min(0), values.max(0))
    mean, low, high = ([f"{value:.4g}" for value in column[:_MOST_ROWS]] for column in columns)
    rows: list[tuple[str, ...]] = []
    counts = spikes.counts()
    rates = spikes.rates() if done.duration else counts
    for i, count in enumerate(counts[:_MOST_ROWS]):
        rate = f"{rates[i]:.4g}" if done.duration else ""
        start = f"{first[i]:.6g}" if count else "none"
        rows.append(
            (str(i), mean[i], low[i] if low[i] == high[i] else f"{low[i]} to {high[i]}", str(count), rate, start)
        )
    if done.population.n > _MOST_ROWS:
        rows.append((f"{_MOST_ROWS} of {done.population.n}", *[""] * 5))
    return ("neuron", f"mean input ({unit})", "range", "spikes", "rate (Hz)", "first spike (ms)"), rows


def _of_parameters(done: Done) -> list[tuple[str, ...]]:
    """Name, value, unit and meaning of where neurons start, and of each parameter."""
    population = done.population
    start = {name: population._start[name] for name in population.model.variables}
    rows = [
        (f"{name} at the start", _shown(start[name]), one.unit, one.meaning)
        for name, one in population.model.variables.items()
    ]
    rows += [
        (name, _shown(getattr(population, name)), one.unit, one.meaning)
        for name, one in population.model.parameters.items()
    ]
    return [
        *rows,
        ("tau_ref", _shown(population.tau_ref), "ms", "refractory time"),
        ("V_min", _shown(population.V_min), "mV", "floor of V"),
    ]


def _shown(values: np.ndarray[tuple[int, ...], np.dtype[np.floating]]) -> str:
    """One value, or those of all neurons, or between which they lie."""
    several = np.unique(values)
    if len(several) == 1:
        return f"{several[0]:g}"
    if values.size <= _MOST_VALUES:
        return ", ".join(f"{value:g}" for value in values.ravel())
    return f"{several[0]:g} to {several[-1]:g}"


def _of_run(done: Done) -> list[tuple[str, ...]]:
    """What the run was made of."""
    population, (rows, columns) = done.population, done.current.values.shape
    model, scheme = population.model, population.scheme
    preset = iz.presets.get(done.neurons.name)
    step = "rows and samples" if scheme.exact else "step"
    return [
        *([("preset", f"{preset.name}, {preset.title}. {preset.source}")] if preset else []),
        ("model", f"{model.name}. {model.source}"),
        ("scheme", f"{scheme.name}. {scheme.source}"),
        ("dt", f"{population.dt:g} ms ({step})"),
        ("duration", f"{done.duration:g} ms"),
        ("numbers", population.dtype.name),
        ("input", f"{done.source}: {counted(rows, 'row')}, {counted(columns, 'neuron')}, in {model.I.unit}"),
        *([("time", done.current.time)] if done.current.time else []),
        ("wall time", done.wall_time),
    ]
