"""Matrices of weights: entry (i, j) leads from i to j, whatever the form in which it comes in or goes out."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy import sparse
from test_weights import SCHEMES, network, refused

import izhnumba as iz


def pairs_of(syn):
    return sorted(
        zip(syn.pre.tolist(), syn.post.tolist(), syn.weight.tolist(), syn.delay.round(6).tolist(), strict=True)
    )


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("plasticity", [None, iz.STDP()])
def test_entry_i_j_is_the_weight_from_i_to_j(scheme, plasticity):
    W, D = 1.0 + np.arange(12.0).reshape(3, 4), 0.5 + np.arange(12.0).reshape(4, 3).T
    for weight, delay in ((W, 1.0), (W.copy("F"), D), (W.tolist(), D[::1]), (2.0, D), (W.ravel(), D.ravel())):
        net, a, b = network(scheme=scheme)
        syn = net.connect(a, b, iz.AllToAll(), weight=weight, delay=delay, plasticity=plasticity)
        w, d = (np.broadcast_to(np.reshape(x, (3, 4)) if np.size(x) > 1 else x, (3, 4)) for x in (weight, delay))
        assert pairs_of(syn) == [(i, j, w[i, j], d[i, j]) for i in range(3) for j in range(4)]
        np.testing.assert_array_equal(syn.to_scipy().toarray(), w)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_matrix_without_autapses_leaves_its_diagonal(scheme):
    net, a, b = network((4, 4), scheme)
    W = 1.0 + np.arange(16.0).reshape(4, 4)
    holes = W.copy()
    np.fill_diagonal(holes, np.nan)  # nobody looks there
    rule = iz.AllToAll(autapses=False)
    for delay in (1.0, W):
        syn = net.connect(a, a, rule, weight=holes, delay=delay)
        np.testing.assert_array_equal(syn.to_scipy().toarray(), W - np.diag(np.diag(W)))
        assert len(syn) == 12
    part = net.connect(a[1:], a[:3], rule, weight=W[1:, :3])
    expected = [(i, j, W[i, j]) for i in range(1, 4) for j in range(3) if i != j]
    assert [one[:3] for one in pairs_of(part)] == expected
    assert len(net.connect(a, b, rule, weight=W)) == 16  # of other neurons there is no diagonal


SHAPES = [
    ((4, 3), "must have shape (), (12,) or (3, 4) (sources, targets), got (4, 3). Transpose it."),
    ((6, 2), "must have shape (), (12,) or (3, 4) (sources, targets), got (6, 2). Pass one value for all synapses"),
    ((3, 2, 2), "must have shape (), (12,) or (3, 4) (sources, targets), got (3, 2, 2). Pass one value for all"),
    ((11,), "must have shape (), (12,) or (3, 4) (sources, targets), got (11,). Pass one value for all synapses"),
]


@pytest.mark.parametrize(("shape", "message"), SHAPES)
@pytest.mark.parametrize("argument", ["weight", "delay"])
def test_other_matrices_are_refused(shape, message, argument):
    net, a, b = network()
    refused(f"Network.connect.{argument} {message}", net.connect, a, b, iz.AllToAll(), **{argument: np.ones(shape)})
    assert not net.synapses


def test_shapes_of_other_rules():
    net, a, b = network()
    each = "Pass one value for all synapses or one per synapse, in their order."
    refused(f"Network.connect.weight must have shape () or (6,), got (3, 2). {each}", net.connect, a, b,
            iz.FixedOutDegree(2), weight=np.ones((3, 2)))  # fmt: skip
    refused("Network.connect.delay must have shape (), (2,) or (3, 4) (sources, targets), got (2, 1). Pass one value "
            "for all synapses or one per synapse, or a matrix.", net.connect, a, b, ([0, 1], [1, 2]),
            delay=np.ones((2, 1)))  # fmt: skip
    refused("Network.connect.weight must have shape (), got (3,). FixedProbability draws how many synapses there are",
            net.connect, a, b, iz.FixedProbability(0.5), weight=np.ones(3))  # fmt: skip
    refused(f"Network.connect.weight must have shape () or (12,), got (5,). {each}", net.connect, a, b, iz.AllToAll(),
            weight=lambda rng, size: np.ones(5))  # fmt: skip
    refused(f"Synapses.weight must have shape () or (12,), got (2,). {each}", setattr,
            net.connect(a, b, iz.AllToAll()), "weight", [1.0, 2.0])  # fmt: skip
    sheet = net.add(iz.Population((2, 3)))
    W = np.arange(6.0).reshape(2, 3)
    assert net.connect(sheet, sheet, iz.OneToOne(), weight=W).weight.tolist() == W.ravel().tolist()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_dense_matrix_connects_its_nonzero_entries(scheme):
    rng = np.random.default_rng(3)
    W = np.where(rng.random((3, 4)) < 0.5, rng.normal(size=(3, 4)), 0.0)
    net, a, b = network(scheme=scheme)
    dense, thin = net.connect(a, b, W, delay=1.0), net.connect(a, b, sparse.csr_array(W), delay=1.0)
    assert pairs_of(dense) == pairs_of(thin) == [(i, j, W[i, j], 1.0) for i, j in zip(*np.nonzero(W), strict=True)]
    assert set(net.connect(a, b, W != 0, weight=0.5).weight) == {0.5}
    assert net.connect(a, b, W, weight=np.arange(dense.weight.size)).weight.tolist() == list(range(len(dense)))
    assert len(net.connect(a, b, np.zeros((3, 4), int))) == 0
    two = net.connect(a[:2], b, W[:2])  # not a pair of lists
    np.testing.assert_array_equal(two.to_scipy().toarray(), W[:2])
    shape = "Network.connect.rule must be a matrix of shape (3, 4) (sources, targets), got "
    for wrong, got in ((W.T, "(4, 3). Transpose it."), (np.ones((2, 7)), "(2, 7). Pass pairs as (pre, post)."),
                       (np.ones(3), "(3,)."), (np.ones((2, 3, 2)), "(2, 3, 2). Pass it as matrix.reshape(3, 4)."),
                       (np.ones((2, 2, 2)), "(2, 2, 2).")):  # fmt: skip
        refused(shape + got, net.connect, a, b, wrong)
    refused(shape + "(4, 3). Transpose it.", net.connect, a, b, sparse.csr_array(W.T))
    refused("Network.connect.rule must be finite, got nan at index (0, 0).", net.connect, a, b, np.full((3, 4), np.nan))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, sparse.csr_array, sparse.coo_matrix])
def test_a_mask_says_where_and_weight_how_much(scheme, form):
    W, mask = 1.0 + np.arange(12.0).reshape(3, 4), np.arange(12).reshape(3, 4) % 3 == 1
    net, a, b = network(scheme=scheme)
    where = list(zip(*np.nonzero(mask), strict=True))
    for weight, delay in ((2.0, 1.0), (W, W), (np.where(mask, W, np.nan).tolist(), 1.0), (W[mask], W[mask])):
        syn = net.connect(a, b, form(mask), weight=weight, delay=delay, plasticity=iz.STDP())
        w, d = (W if np.size(x) > 1 else np.full((3, 4), x) for x in (weight, delay))
        assert pairs_of(syn) == [(i, j, w[i, j], d[i, j]) for i, j in where]
    refused("Network.connect.rule must be a matrix of numbers without weight=, got one of True and False. Give the "
            "weights with weight=, one for all synapses or a matrix of them.", net.connect, a, b, form(mask),
            kind=TypeError)  # fmt: skip
    shapes = "must have shape (), (4,) or (3, 4) (sources, targets), got (4, 3). Transpose it."
    refused(f"Network.connect.weight {shapes}", net.connect, a, b, form(mask), weight=W.T)


def test_a_matrix_picks_the_entries_of_pairs_in_their_order():
    net, a, b = network()
    W = np.arange(12.0).reshape(3, 4)
    syn = net.connect(a, b, ([2, 0, 2], [1, 3, 1]), weight=W, delay=1.0 + W)
    assert pairs_of(syn) == [(0, 3, 3.0, 4.0), (2, 1, 9.0, 10.0), (2, 1, 9.0, 10.0)]


def test_what_to_do_with_a_matrix_is_said_where_none_is_taken():
    net, a, b = network()
    W = np.arange(12.0).reshape(3, 4)
    cure = "Of a matrix W of both populations use syn.weight = W[syn.pre, syn.post]."
    for rule in (iz.FixedProbability(0.9), iz.FixedOutDegree(2)):
        with pytest.raises(ValueError, match="Network.connect.weight must have shape") as caught:
            net.connect(a, b, rule, weight=W)
        assert str(caught.value).endswith(f" {cure}")
    syn = net.connect(a, b, iz.FixedProbability(0.9))
    with pytest.raises(ValueError, match="Synapses.weight must have shape") as caught:
        syn.weight = W
    assert str(caught.value).endswith(f" {cure}")
    syn.weight = W[syn.pre, syn.post]
    assert [one[2] for one in pairs_of(syn)] == [W[i, j] for i, j, *_ in pairs_of(syn)]


MASKED = np.ma.masked_array(np.ones((3, 4)), np.eye(3, 4) > 0)
FORMS = {
    "rows": (np.ones((3, 4)).tolist(), {}, "Pass a matrix as an array: np.array(rows)."),
    "transposed rows": (np.ones((4, 3)).tolist(), {}, "Pass a matrix as an array: np.array(rows)."),
    "masked": (MASKED, {}, "Fill the masked elements with .filled(value)."),
    "masked mask": (MASKED > 0, {"weight": 2.0}, "Fill the masked elements with .filled(value)."),
    "objects": (np.ones((3, 4), object), {}, "Convert it with .astype(float)."),
}


@pytest.mark.parametrize("form", FORMS)
def test_other_forms_of_a_matrix_are_refused_with_a_cure(form):
    matrix, options, cure = FORMS[form]
    net, a, b = network()
    with pytest.raises(TypeError, match=r"Network.connect.rule must be") as caught:
        net.connect(a, b, matrix, **options)
    assert str(caught.value).endswith(f" {cure}")
    net, a, b = network((2, 2))
    refused("Network.connect.pre indices must be whole numbers from 0 to 1, got 0.5 for synapse 1. Pass a matrix as an "
            "array: np.array(rows).", net.connect, a, b, [[0.0, 0.5], [0.2, 0.3]])  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES)
def test_matrices_lead_to_the_spikes_of_their_pairs(scheme):
    """Whole rows, sparse rows and pairs, one by one."""
    W = np.random.default_rng(5).normal(3.0, 4.0, (8, 8))
    i, j = np.indices(W.shape).reshape(2, -1)
    found = []
    for rule, weight in ((iz.AllToAll(), W), (W, None), ((i, j), W.ravel()), (iz.AllToAll(), W[i, j])):
        net, a = network((8,), scheme, **iz.presets["RS"])
        net.connect(a, a, rule, weight=weight, delay=1.0)
        net.drive(a, np.linspace(5.0, 15.0, 8))
        spikes = net.record(a)
        net.run(200.0)
        found.append((spikes.i, spikes.t))
    assert len(found[0][0]) > 30
    for i, t in found[1:]:
        np.testing.assert_array_equal(i, found[0][0])
        np.testing.assert_array_equal(t, found[0][1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scipy_gives_synapses_back(dtype):
    net, a, b = network(dtype=dtype)
    pre, post, weight = [2, 0, 2, 2, 1], [3, 1, 3, 0, 2], [1.0, 2.0, 4.0, 0.0, -8.0]
    syn = net.connect(a, b[0:4], (pre, post), weight=weight)
    matrix = syn.to_scipy()
    assert isinstance(matrix, sparse.coo_array)
    assert (matrix.shape, matrix.nnz, matrix.dtype) == ((3, 4), 5, np.dtype(dtype))
    assert matrix.toarray()[2, 3] == 5.0  # of two synapses
    again = net.connect(a, b, matrix)
    assert pairs_of(again) == pairs_of(syn)
    part = net.connect(a[1:], b[2:], matrix.tocsr()[1:, 2:]).to_scipy()
    np.testing.assert_array_equal(part.toarray(), matrix.toarray()[1:, 2:])
    matrix.data[:] = 7.0
    assert 7.0 not in syn.weight


def test_scipy_is_needed_for_it_alone(monkeypatch):
    net, a, b = network()
    syn = net.connect(a, b, iz.AllToAll())
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    refused("Synapses.to_scipy needs scipy. Install it with: pip install scipy", syn.to_scipy, kind=ImportError)
