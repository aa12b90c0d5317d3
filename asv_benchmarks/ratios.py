"""Print the table of the README: python asv_benchmarks/ratios.py [--neurons N ...] [--dtype float32 ...]

The two programs of a row take turns; figures are the best of the repeats, and their median in brackets."""

from __future__ import annotations

import argparse
import statistics

from benchmarks.ratios import interleaved, steps_for
from benchmarks.references import OPTIONAL, RUNNERS, full_range_runner, izhnumba_runner


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neurons", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--dtype", nargs="+", default=["float32", "float64"], choices=["float32", "float64"])
    parser.add_argument("--tau-ref", type=float, default=2.0, help="refractory time of izhnumba, ms (default: 2)")
    parser.add_argument("--threads", type=int, default=1, help="threads of izhnumba (default: 1)")
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()

    print("| N | dtype | program | its G neuron-steps/s | izhnumba's in turn with it | izhnumba's time / its time |")
    print("|---|---|---|---|---|---|")
    for N in arguments.neurons:
        for dtype in arguments.dtype:
            ours = izhnumba_runner(N, dtype, threads=arguments.threads, tau_ref=arguments.tau_ref)
            for name, runner in ({"izhnumba, full range": full_range_runner} | RUNNERS | OPTIONAL).items():
                pair = {"izhnumba": ours, name: runner(N, dtype)}
                times = interleaved(pair, steps_for(N), arguments.repeats)
                best, median = ({key: f(x) for key, x in times.items()} for f in (min, statistics.median))
                rates = [N * steps_for(N) / x[key] / 1e9 for key in (name, "izhnumba") for x in (best, median)]
                ratios = [x["izhnumba"] / x[name] for x in (best, median)]
                row = "| {} | {} | {} | {:.3g} ({:.3g}) | {:.3g} ({:.3g}) | {:.3g} ({:.3g}) |"
                print(row.format(N, dtype, name, *rates, *ratios))


if __name__ == "__main__":
    main()
