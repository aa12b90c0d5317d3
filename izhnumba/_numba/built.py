"""Machine code that came with the package, or was made by `izhnumba compile`: where it is, and for which processors.

An entry is named by its key (`compile._DiskCache`), which holds source, versions and processor, so what is of other
versions is never found, and what is not found is compiled.
"""

from __future__ import annotations

from pathlib import Path

folder: Path | None = Path(__file__).parents[1] / "_built"  # None: as if there were none

# Levels of x86-64, the highest first, and LLVM's names of the features that a processor of each has.
_V3 = "+avx,+avx2,+bmi,+bmi2,+cmov,+cx16,+cx8,+f16c,+fma,+fxsr,+lzcnt,+mmx,+movbe,+popcnt,+sahf"
_V3 += ",+sse,+sse2,+sse3,+sse4.1,+sse4.2,+ssse3,+xsave"
LEVELS = {"x86-64-v4": _V3 + ",+avx512bw,+avx512cd,+avx512dq,+avx512f,+avx512vl", "x86-64-v3": _V3}


def level_of(features: frozenset[str]) -> str | None:
    """The highest level of a processor with these features, in LLVM's names; None if it has none."""
    needed = {level: frozenset(one[1:] for one in names.split(",")) for level, names in LEVELS.items()}
    return next((level for level, names in needed.items() if names <= features), None)
