"""Machine code of a kernel as lines of text, and what to look for in them."""

from __future__ import annotations

import platform
import re

from izhnumba._numba.compile import target_features

ARM = platform.machine().lower() in ("arm64", "aarch64")
PACKED = r"\b(?:fml[as]|fmul)\s+v\d+\.(?:4s|2d)" if ARM else r"\b(?:vfn?m(?:add|sub)\d+|v?mul)p[sd]\s.*%[xyz]mm"
FUSED = r"\b(?:vfn?m(?:add|sub)\w*|fn?m(?:add|sub)|fml[as])\b"
MATHEMATICS = r"\b_?(?:exp|exp2|exp10|expm1|pow|log|log1p|ldexp|fmod|__svml_\w+|_ZGV\w+)[fl]?\b"


def lines_of(dispatcher):
    """The instructions and labels of the kernel itself, without the wrapper that takes Python objects."""
    text = next(iter(dispatcher.inspect_asm().values()))
    start = re.search(r"^_?_ZN(?!7cpython)\w+:", text, re.MULTILINE).end()
    return text[start : text.index("func_end", start)].splitlines()


def widest_vectors():
    """The registers of the target."""
    return "%zmm" if "avx512f" in target_features() else "%ymm" if "avx2" in target_features() else ""


def innermost_loops(lines):
    """Pieces of code between a label and a jump back to it that hold no smaller such piece."""
    at = {line.split(":")[0]: k for k, line in enumerate(lines) if re.match(r"\.?LBB\w+:", line)}
    jumps = ((k, re.search(r"\.?LBB\w+$", line.split("#")[0].strip())) for k, line in enumerate(lines))
    loops = [(at[jump[0]], k) for k, jump in jumps if jump and at[jump[0]] < k]
    inner = [(a, b) for a, b in loops if not any((c, d) != (a, b) and a <= c and d <= b for c, d in loops)]
    return [lines[a : b + 1] for a, b in inner]


def count(pattern, lines):
    return sum(bool(re.search(pattern, line)) for line in lines)
