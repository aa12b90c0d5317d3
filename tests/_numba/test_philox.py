"""Counter-based random numbers: the published answers, a slow oracle, independence of chunks, statistics, assembly."""

import math
import platform
import re

import numpy as np
import pytest
from normals import LOW, normals, slow_philox
from scipy import stats

from izhnumba._numba import philox
from izhnumba._numba.compile import compiled

LIBM = re.compile(r"\b(logf?|sinf?|cosf?|sincosf?|expf?)\b")  # not sqrt, which is exact: old LLVM ends rows with it
PACKED = {
    "x86_64": (
        r"pmuludq.*[xyz]mm",
        r"sqrtps.*[xyz]mm",
        r"mulps.*[xyz]mm",
        r"fmadd\d+ps.*[xyz]mm",
        r"fmadd\d+pd.*[xyz]mm",
    ),
    "aarch64": (r"umull.*v\d+\.|mul.*z\d+", r"fsqrt\s+[vz]\d+", r"fml[as]\s+[vz]\d+"),
}


def slow_normal(step, lane, seed, stream):
    """One normal number in double precision, from the definition in `to_normals`."""
    words = slow_philox((step // 4 & LOW, step // 4 >> 32, lane & LOW, lane >> 32), (seed, stream))
    first, second = words[0:2] if step % 4 < 2 else words[2:4]
    radius = math.sqrt(-2 * math.log((first | 1) / 2**32))
    tilt = second << 2 & LOW
    angle = math.pi / 4 * (1 + (tilt - 2**32 if tilt >= 2**31 else tilt) / 2**31)
    sign, part = (second >> 31, math.sin(angle)) if step % 2 == 0 else (second >> 30 & 1, math.cos(angle))
    return (-1) ** sign * radius * part


def table(first_step, count, columns, seed=1, stream=2, first_column=0):
    return normals(first_step, count, columns, seed, stream, first_column)


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((LOW, LOW, LOW, LOW), (LOW, LOW), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_published_answers_of_random123(counter, key, answer):
    rows = np.zeros((4, 1), np.uint32)
    group, lane = np.uint64(counter[0] | counter[1] << 32), np.uint64(counter[2] | counter[3] << 32)
    compiled(philox.fill_words)(*rows, group, lane, (np.uint64(key[0]), np.uint64(key[1])))
    assert tuple(rows[:, 0]) == answer
    assert tuple(slow_philox(counter, key)) == answer


@pytest.mark.parametrize("first_step", [0, 3, 2**32 + 1, 2**34 - 2, 2**40])
@pytest.mark.parametrize("first_column", [0, 2**32 - 40])
def test_normals_are_those_of_the_slow_oracle(first_step, first_column):
    fast = table(first_step, 6, 40, seed=0xDEADBEEF, stream=77, first_column=first_column)
    slow = [[slow_normal(first_step + k, first_column + i, 0xDEADBEEF, 77) for i in range(40)] for k in range(6)]
    np.testing.assert_allclose(fast, slow, rtol=3e-7, atol=1e-6)


@pytest.mark.parametrize("first", [0, 1, 2, 3, 2**32 - 5, 2**34 - 1])
def test_any_piece_has_the_bits_of_the_whole(first):
    whole = table(first, 23, 67)
    for start in range(9):
        for count in range(14):
            np.testing.assert_array_equal(table(first + start, count, 67), whole[start : start + count])
    for lane, columns in ((0, 1), (1, 16), (5, 62), (66, 1)):
        np.testing.assert_array_equal(table(first, 23, columns, first_column=lane), whole[:, lane : lane + columns])


def test_extreme_words_give_finite_normals():
    words = np.array([0, 1, 2, LOW, 0x80000000, 0x7FFFFFFF, 0xB504F334, 0x1FFFFFFF, 0x20000000], np.uint32)
    first, second = (x.ravel() for x in np.meshgrid(words, words))
    both = np.zeros((2, philox.WIDTH), np.uint32)
    both[:, : first.size] = first, second
    even, odd = np.empty((2, first.size), np.float32)
    compiled(philox.to_normals)(both.ravel(), even, odd, np.ones_like(even), np.zeros_like(even))
    found = np.concatenate([even, odd])
    assert np.isfinite(found).all()
    assert 6.5 < np.abs(found).max() < 6.67


def test_normals_are_within_4e_7_of_their_radius():
    rng, one, none = np.random.default_rng(1), np.ones(philox.WIDTH, np.float32), np.zeros(philox.WIDTH, np.float32)
    kernel = compiled(philox.to_normals)
    for shift in range(0, 32, 2):  # small first words are the tails
        both = rng.integers(2**32, size=(2, philox.WIDTH), dtype=np.uint32)
        both[0] >>= np.uint32(shift)
        even, odd = np.empty((2, philox.WIDTH), np.float32)
        kernel(both.ravel(), even, odd, one, none)
        radius = np.sqrt(-2 * np.log((both[0] | 1).astype(np.float32).astype(float) / 2**32))
        angle = math.pi / 4 * (1 + (both[1] << np.uint32(2)).view(np.int32) / 2**31)
        for found, part, bit in ((even, np.sin(angle), 31), (odd, np.cos(angle), 30)):
            exact = np.where(both[1] >> np.uint32(bit) & 1, -1, 1) * radius * part
            assert (np.abs(found - exact) <= 4e-7 * radius).all()


@pytest.mark.parametrize("other", [dict(seed=2), dict(stream=3), dict(first_step=4), dict(first_column=500)])
def test_other_keys_and_places_give_unrelated_numbers(other):
    place = dict(first_step=0, count=400, columns=500)
    a, b = table(**place).ravel(), table(**{**place, **other}).ravel()
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / math.sqrt(a.size)
    assert not (a == b).any()


def test_words_of_seed_and_stream_above_31_bits_matter():
    assert not np.array_equal(table(0, 4, 8, seed=1), table(0, 4, 8, seed=1 + 2**31))
    assert not np.array_equal(table(0, 4, 8, stream=1), table(0, 4, 8, stream=1 + 2**31))


@pytest.fixture(scope="module")
def sample():
    return table(12, 512, 4096, seed=2024, stream=5).astype(np.float64)


def test_moments(sample):
    x, n = sample.ravel(), sample.size
    assert abs(x.mean()) < 4 * math.sqrt(1 / n)
    assert abs(x.var() - 1) < 4 * math.sqrt(2 / n)
    assert abs(stats.skew(x)) < 4 * math.sqrt(6 / n)
    assert abs(stats.kurtosis(x)) < 4 * math.sqrt(24 / n)


def test_each_step_of_a_group_and_each_sign_is_standard_normal(sample):
    for step in range(4):
        x = sample[step::4].ravel()
        assert stats.kstest(x, "norm").pvalue > 1e-3
        assert stats.kstest(-np.log(2 * stats.norm.sf(np.abs(x))), "expon").pvalue > 1e-3  # weighs the tail


def test_tails(sample):
    for bound in (3.0, 4.0, 4.5):
        expected = sample.size * stats.norm.sf(bound)
        for tail in (sample > bound, sample < -bound):
            assert abs(tail.sum() - expected) < 4 * math.sqrt(expected)


@pytest.mark.parametrize("lag", [(1, 0), (2, 0), (3, 0), (4, 0), (0, 1), (0, 16), (1, 1)])
@pytest.mark.parametrize("transform", [lambda x: x, np.abs, np.sign])
def test_steps_and_lanes_are_independent(sample, lag, transform):
    x = transform(sample)
    steps, columns = lag
    a, b = x[: len(x) - steps, : x.shape[1] - columns], x[steps:, columns:]
    assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4 / math.sqrt(a.size)


def test_sums_over_steps_have_the_right_spread(sample):
    sums = sample.sum(axis=0) / math.sqrt(len(sample))
    assert stats.kstest(sums, "norm").pvalue > 1e-3


def test_kernels_are_packed_instructions_without_libm(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))  # code read from disk has no assembly to look at
    row, key = np.zeros(2 * philox.WIDTH, np.uint32), (np.uint64(1), np.uint64(2))
    columns, numbers = np.zeros(64), np.zeros((2, 64), np.float32)
    assembly = ""
    for function, arguments in (
        (philox.fill_words, (row, row, row, row, np.uint64(0), np.uint64(0), key)),
        (philox.to_normals, (row, *numbers, *numbers)),
        (philox.relax_row, (numbers[0], columns, 0.5)),
    ):
        kernel = compiled(function)
        kernel(*arguments)
        assembly += "\n".join(kernel.inspect_asm().values())
    assert not LIBM.search(assembly)
    for pattern in PACKED.get(platform.machine(), ()):
        assert re.search(pattern, assembly), pattern
