"""Checkpoints and recordings with good checksums that tell of what cannot be: each is an error that names the file."""

from __future__ import annotations

import copy
import json
import os
import re
import struct
import subprocess
import sys
import warnings
import zipfile
import zlib

import crafted
import numpy as np
import pytest
from processes import PACKAGE

import izhnumba as iz
from izhnumba._base import npz
from izhnumba._checkpoint import check_synapses
from izhnumba._checkpoint import format as checkpoint_format
from izhnumba._checkpoint.check_network import check
from izhnumba._exact.kernels.layout import EVENT
from izhnumba._record import blocks as block_format

SHARE = 151  # of all ways to be wrong, one in so many is tried here


# --- checkpoints: every field in turn ---------------------------------------------------------------------------------


def test_what_cannot_be_is_refused_and_the_rest_runs(tmp_path):
    """In a process of its own, which nothing may end. What is not refused is a number of another size, which may lead
    to numbers that are none, or a name."""
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    command = [sys.executable, crafted.__file__, str(tmp_path), str(SHARE), "7"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (lines[-1:], done.stderr[-2000:])
    found = list(zip(lines[::2], lines[1::2], strict=True))
    good = ("refused", "loaded", "ran into")
    assert [one for one in found if not one[1].startswith(good)] == []
    assert len(found) > 120
    free = (
        r"/(V|u|last|spikes|windows|y|x|ring|weights|first_weights|rows|memory|fields|value|source|section|ports)\d*\b"
    )
    free += r"|/(arguments|options|state)/|/(upto|born|began) |/states/every |/ordinal = |/what/list = |/key \d+ = "
    free += "|network/synapses = |/states/neurons -> u?int"
    assert [what for (_, _, what), end in found if end != "refused" and not re.search(free, what)] == []
    assert sum(end == "refused" for _, end in found) > 0.85 * len(found)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Of each network and population what its checkpoint says, and its arrays."""
    folder = tmp_path_factory.mktemp("saved")
    for name, make in crafted.ALL.items():
        make(folder).save(folder / f"{name}.npz")
    return {name: crafted.parts_of(folder / f"{name}.npz") for name in crafted.ALL}


def put(index, value):
    def change(array):
        array[index] = value

    return change


def event(column, value):
    def change(array):
        array.view(EVENT)[column][0] = value

    return change


def of_no_synapse(array):
    events = array.view(EVENT)
    events["key"][np.flatnonzero(events["rule"] == 1)[0]] += 10**6


def of_another_target(array):
    events = array.view(EVENT)
    events["target"][:] = (events["target"] + 1) % 6


def first_under_way(array):
    """The cursor of the first spike under way."""
    array[array > 0] -= 1


def swap(array):
    """Two offsets of one row."""
    array[:] = array[::-1]


WRONG_ARRAYS = {
    "static/synapses/cut/rows/starts": (put(3, 2**40), "be at most 4000, got 1099511627776 at index 3"),
    "static/synapses/cut/rows/starts ": (put(0, 1), "be from 0 to 4000, got from 1 to 4000"),
    "static/synapses/exc to inh/rows/starts": (put(5, 0), "ascend, got 0 at index 4"),
    "static/synapses/exc to inh/rows/offsets": (put(0, 2**32 - 1), "have delays of at most 3355443. steps, got 42"),
    "static/synapses/exc to inh/rows/offsets ": (put(0, 3 * 64 + 63), "lead to neurons from 0 to 59, got 255"),
    "static/synapses/pulses/rows/offsets": (put(0, 5), "have delays of at least 1 step, got 5 at index 0"),
    "static/synapses/cut/rows/offsets ": (swap, "lead to|ascend in"),
    "static/synapses/gaps/rows/offsets": (put(0, 64 + 5), "have delays of at most 0 steps, got 69"),
    "static/synapses/whole/rows/starts": (put(5, 301), "leave room for a weight of every target, got 301 at index 4"),
    "static/synapses/holes/rows/starts": (put(5, 276), "leave room for a weight of every target, got 276 at index 4"),
    "static/synapses/whole/rows/weights": (put(7, np.nan), "be finite, got nan at index 7"),
    "static/populations/exc/state/last": (put(2, 80), "be at most 79, got 80 at index 2"),
    "static/populations/exc/state/count": (put(0, 81), "be at most 80"),
    "static/populations/exc/state/until": (put(0, 2**31 - 1), "be at most"),
    "static/recorders/spikes/position/rows/0": (put(0, 70), "be at most 69, got 70 at index 0"),
    "static/recorders/spikes/position/rows/1": (put(-1, 80), "not be later than 40 ms, got 80"),
    "static/recorders/spikes/position/windows": (put(0, 7), "ascend, got 7"),
    "static/recorders/rate/position/rows/0": (put(0, 2**50), "be at most 5, got"),
    "static/recorders/rate/position/before": (None, "be int64 of shape"),
    "plastic/synapses/st/state/counts": (put(1, 99), "be at most 50, got 99 at index 1"),
    "plastic/synapses/st/state/cursors": (first_under_way, "be within their rows|not be before what has been"),
    "plastic/synapses/st/state/ends": (put((slice(None), 0), 299), "be ends of rows, got 299"),
    "plastic/synapses/st/state/spiked": (put(0, 2**40), "be at most 41"),
    "plastic/synapses/da/state/modulator": (put(1, 2.0), "decay by 0.99"),
    "plastic/synapses/st/state/memory": (None, r"be \[\('arrival', '<u4'\), \('x1', '<f8'\)\] of shape"),
    "exact/populations/exc/state/events": (event("target", 520), "have a target from 0 to 519, got 520 at index 0"),
    "exact/populations/exc/state/events ": (event("inlet", 9), "have a inlet from 0 to"),
    "exact/populations/exc/state/events  ": (event("rule", 0), "have a rule from -1 to -1, got 0"),
    "exact/populations/exc/state/events   ": (event("t", 1e13), "be later than 23.7 and at most at 1e.12, got"),
    "exact/populations/exc/state/events    ": (event("w", np.inf), "have finite weights, got inf"),
    "exact/populations/few/state/events": (of_no_synapse, "be of synapses that are there, got"),
    "exact/populations/few/state/events ": (of_another_target, "be of their synapses, got"),
    "exact/populations/few/state/next": (put(0, np.nan), "be numbers, got nan at index 0"),
    "exact/populations/few/state/cells": (put((1, 0), -1e300), "have times from 0 to 23.7, got -1e.300 at index 1"),
    "exact/populations/few/state/cells ": (put((0, 7), 5.0), "follow from the parameters, got 5.0 at index 7"),
    "exact/populations/few/state/form": (put((0, 1), 5.0), "follow from the parameters, got 5.0 at index 1"),
    "exact/synapses/st/rows/times": (put(0, 0.0), "be at least 1e-06, got 0.0 at index 0"),
    "exact/synapses/few to exc/rows/offsets": (put(0, 519), "lead to the part of the targets"),
}


def test_rows_are_looked_at_in_pieces(tmp_path, saved, monkeypatch):
    monkeypatch.setattr(check_synapses, "_PIECE", 7)
    path, name = tmp_path / "x.npz", "network/synapses/exc to inh/rows/offsets"
    for network in crafted.NETWORKS:
        about, arrays = saved[network]
        crafted.write(path, about, arrays)
        check(checkpoint_format.load(path, checkpoint_format.NETWORK, ()))
    about, arrays = saved["static"]
    for place in (0, 6, 7, 13, 14, arrays[name].size - 1):
        wrong = arrays[name].copy()
        wrong[place] = 3 * 64 + 63
        crafted.write(path, about, arrays | {name: wrong})
        with pytest.raises(
            ValueError, match=f"whose {name} must lead to neurons from 0 to 59, got 255 at index {place}"
        ):
            iz.load(path)


@pytest.mark.parametrize("which", WRONG_ARRAYS)
def test_arrays_that_do_not_fit(tmp_path, saved, which):
    change, must = WRONG_ARRAYS[which]
    network, _, place = which.strip().partition("/")
    about, arrays = saved[network]
    name = f"network/{place}"
    wrong = arrays[name].copy() if change else np.zeros(3)
    if change:
        change(wrong)
    crafted.write(tmp_path / "x.npz", about, arrays | {name: wrong})
    place = re.sub(r"rows/\d$", "rows/", place)  # columns are named
    with pytest.raises(ValueError, match=rf"got '{tmp_path}/x.npz', whose network/{place}\w* must ({must})"):
        iz.load(tmp_path / "x.npz")


class Fields(dict):
    """A dict of what a network is made of, and no form of JSON."""


def fields(value):
    """Dicts by name."""
    if isinstance(value, dict) and "dict" in value:
        return Fields((key, fields(one)) for key, one in zip(*value["dict"], strict=True))
    return value


def packed(value):
    """As a checkpoint stores them."""
    return {"dict": [list(value), [packed(one) for one in value.values()]]} if isinstance(value, Fields) else value


WRONG_VALUES = {
    "arguments/dt": (np.nan, "be finite and from"),
    "arguments/scheme": ("steps", "be one of"),
    "arguments/seed": (-1, "be from 0 to"),
    "arguments/threads": (True, "be a whole number, got True"),
    "now": (10**30, "be from 0 to"),
    "now ": (79, "be at most 79"),
    "bound": (0, "be True or False"),
    "populations/exc/arguments/size": ({"tuple": [10**7, 10**7]}, "be a tuple of whole numbers >= 1, less than"),
    "populations/exc/arguments/size ": ({"tuple": [70]}, "be float64 of shape .70,., got float64 of shape"),
    "populations/exc/arguments/dtype": ("float16", "be one of"),
    "populations/exc/arguments/model": (5, "be a model, got 5"),
    "populations/exc/arguments/model ": (
        {"object": "Sine", "ours": True, "fields": {"dict": [[], []]}},
        "be the field",
    ),
    "populations/exc/arguments/model  ": ({"model": "Sine", "ours": True}, "be a model of izhnumba, got 'Sine'"),
    "populations/exc/state/ring_steps": (2**40, "be from 1 to"),
    "populations/exc/state/ring_steps ": (1, "be float64 of shape"),
    "populations/exc/state/receptors": ({"list": []}, "be a dict with .* got one with"),
    "populations/exc/warned": (0, "be True or False"),
    "synapses/whole/source": ({"list": ["inh", 0, 61]}, "be neurons of a population of the network"),
    "synapses/whole/target": ({"list": ["nobody", 0, 60]}, "be neurons of a population of the network"),
    "synapses/whole/rule": (None, "be AllToAll if there are no offsets"),
    "synapses/whole/rows/delay": (2**40, "be from 1 to"),
    "synapses/cut/rows/parts": (3, "be one of .1, 2, 4, 8."),
    "synapses/cut/rows/parts ": (4, "be int64 of shape .17,., got int64 of shape .5,"),
    "synapses/cut/rows": (5, "be a dict, got 5"),
    "synapses/cut/receptor": ({"object": "Pulse", "ours": True, "fields": {"dict": [[], []]}}, "be one of its target"),
    "drives/ou/section": ({"list": ["exc", 20, 60]}, "be states of 40 neurons"),
    "drives/ou/value": (5, "be of the random streams"),
    "drives/light/value": ("bright", "be a number, an array or an input"),
    "recorders/weights/source": ("nothing", "be synapses of the network"),
    "recorders/file/to": ("a\0b", "be a path"),
    "recorders/file/position/end": (-1, "be from 1 to"),
    "recorders/spikes/position/upto": (81, "be from 0 to 80"),
    "recorders/rate/position/born": (0.5, "be a whole number"),
}


@pytest.mark.parametrize("place", WRONG_VALUES)
def test_values_that_do_not_fit(tmp_path, saved, place):
    value, must = WRONG_VALUES[place]
    about, arrays = saved["static"]
    network = fields(about["network"])
    *folders, name = place.strip().split("/")
    part = network
    for folder in folders:
        part = part[folder]
    assert name in part
    part[name] = value
    crafted.write(tmp_path / "x.npz", {"format": 2, "network": packed(network)}, arrays)
    with pytest.raises(ValueError, match=rf"got '{tmp_path}/x.npz', whose (network/|arrays).* must .*({must}|in use)"):
        iz.load(tmp_path / "x.npz")


def nested(form, depth=100_000):
    return f'{{"format": 2, "network": {form[0] * depth}5{form[1] * depth}}}'.encode()


ABOUT = {
    "is no JSON": (b"{", "which cannot be read: "),
    "is deep": (nested(('{"list": [', "]}")), "which cannot be read: "),
    "is rather deep": (nested(('{"list": [', "]}"), 100), "must be nested at most 64 deep"),
    "is a number": (b"5", "whose about must be a dict, got 5"),
    "has no network": (b'{"format": 2}', "whose about must be a dict with"),
    "has a strange format": (b'{"format": "2", "network": 5}', "whose about/format must be a whole number"),
    "is a network of nothing": (b'{"format": 2, "network": {}}', "whose network must be a value that a checkpoint"),
    "has keys without values": (b'{"format": 2, "network": {"dict": [["a"], []]}}', "must be as many keys as values"),
    "has a key twice": (b'{"format": 2, "network": {"dict": [["a", "a"], [1, 2]]}}', "be a dict with different keys"),
    "has a list as key": (b'{"format": 2, "network": {"dict": [[["a"]], [1]]}}', "be a dict with different keys"),
    "has an array that is not there": (b'{"format": 2, "network": {"array": "a"}}', "be an array of its own, got 'a'"),
}


@pytest.mark.parametrize("what", ABOUT)
def test_a_file_that_does_not_say_what_it_is(tmp_path, what):
    text, message = ABOUT[what]
    crafted.write(tmp_path / "x.npz", text, {})
    with pytest.raises(ValueError, match=f"must be a checkpoint of izhnumba, got '{tmp_path}/x.npz', .*{message}"):
        iz.load(tmp_path / "x.npz")


def test_an_array_has_one_owner(tmp_path, saved):
    about, arrays = saved["static"]
    text = json.dumps(about).replace("exc to inh/rows/weights", "exc to inh/rows/starts")
    crafted.write(tmp_path / "x.npz", text.encode(), arrays)
    with pytest.raises(ValueError, match="rows/(starts|weights) must be an array of its own"):
        iz.load(tmp_path / "x.npz")
    crafted.write(tmp_path / "x.npz", about, arrays | {"more": np.zeros(3)})
    with pytest.raises(ValueError, match="whose arrays must be in use, got 'more' as well"):
        iz.load(tmp_path / "x.npz")


def archive(path, members, method=zipfile.ZIP_STORED):
    """A sealed zip file."""
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path, "w", method) as file:
        for name, data in members:
            file.writestr(name, data)
    with open(path, "r+b") as file:
        checkpoint_format._seal(file)


def npy(dtype, shape, data=b""):
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}".ljust(118) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + data


ARCHIVES = {
    "x.npy": (npy("<f8", (10**13,)), "whose x declares 80000000000000 bytes and holds 0"),
    "x.npy ": (npy("<f8", (1,), bytes(16)), "whose x declares 8 bytes and holds 16"),
    "x.npy  ": (npy("|O", (1,), bytes(8)), "whose x has elements object in shape"),
    "x.npy   ": (npy("<f8", (-1,), bytes(8)), "whose x has elements float64 in shape"),
    "x.npy    ": (npy("<M8[s]", (1,), bytes(8)), "whose x has elements datetime64"),
    "x.npy     ": (npy("<f8", "(" * 3000), "whose x is no npy file"),
    "x.txt": (b"text", "whose member 'x.txt' is no array as it was saved"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_that_declare_what_they_do_not_hold(tmp_path, name):
    data, message = ARCHIVES[name]
    archive(tmp_path / "x.npz", [("about.npy", npy("|u1", (1,), b"5")), (name.strip(), data)])
    with pytest.raises(ValueError, match=f"got '{tmp_path}/x.npz', {message}"):
        iz.load(tmp_path / "x.npz")


def test_archives_of_another_make(tmp_path):
    path, one = tmp_path / "x.npz", ("about.npy", npy("|u1", (1000,), bytes(1000)))
    archive(path, [one, one])
    with pytest.raises(ValueError, match="which holds two arrays of one name"):
        iz.load(path)
    archive(path, [one], zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="whose member 'about.npy' is no array as it was saved"):
        iz.load(path)
    archive(path, [one])
    data = path.read_bytes().replace(struct.pack("<II", 1129, 1129), struct.pack("<II", 2**31, 2**31))
    assert data != path.read_bytes()
    path.write_bytes(data[:-66])
    with open(path, "r+b") as file:
        file.seek(0, 2)
        file.write(bytes(2))
        checkpoint_format._seal(file)
    with pytest.raises(ValueError, match="whose arrays are declared to be longer than the file"):
        iz.load(path)


@pytest.mark.parametrize("array", [np.zeros((2, 3)), np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.array(5),
                                   np.zeros(4, []), np.zeros((3, 0)), np.array(["text"])])  # fmt: skip
def test_arrays_come_back_as_they_were(tmp_path, array):
    np.savez(tmp_path / "x.npz", x=array)
    with open(tmp_path / "x.npz", "rb") as file:
        found = npz.arrays(file)["x"]
    np.testing.assert_array_equal(found, array)
    assert (found.dtype, found.flags.writeable) == (array.dtype, True)


# --- recordings -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """(about, index, blocks of rows) of recordings."""
    folder = tmp_path_factory.mktemp("recordings")
    net = iz.Network(dt=0.5, seed=3)
    cells = net.add(iz.Population(6, **iz.presets["RS"]), name="cells")
    net.drive(cells, 15.0)
    syn = net.connect(cells, cells, iz.OneToOne())
    wanted = {"spikes": (cells, "spikes"), "states": (cells[2:], ["V", "u"]), "weights": (syn, "weight")}
    for name, what in wanted.items():
        net.record(*what, name=name, to=folder / name)
    net.run(30.0)
    net.run(30.0)
    found = {}
    for name in wanted:
        data, blocks = (folder / name).read_bytes()[len(block_format.MAGIC) + 1 :], []
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            blocks.append(data[16 : 16 + length])
            data = data[16 + length :]
        found[name] = json.loads(blocks[0]), blocks[1], blocks[2:]
    return found


def write_recording(path, about, *blocks):
    head = about if isinstance(about, bytes) else json.dumps(about).encode()
    packed = [block_format.packed(np.frombuffer(block, np.uint8)) for block in (head, *blocks)]
    path.write_bytes(block_format.MAGIC + block_format.VERSION + b"".join(block_format.in_turn(packed)))


def read_error(path):
    """The message of the ValueError that reading ends in, if it does."""
    try:
        repr(iz.io.read(path))
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", ["spikes", "states", "weights"])
def test_every_field_of_a_recording_is_checked(tmp_path, recordings, kind):
    """A wrong one is refused, or is a name or a number that nothing else tells of."""
    about, index, rows = recordings[kind]
    path, accepted = tmp_path / "x.rec", []
    for place in crafted.leaves(about):
        for wrong in crafted.wrong_values(crafted.at(about, place)):
            other = copy.deepcopy(about)
            if place:
                crafted.at(other, place[:-1])[place[-1]] = wrong
            else:
                other = wrong
            write_recording(path, other, index, *rows)
            message = read_error(path)
            if not message:
                accepted.append((place, wrong, crafted.at(about, place)))
            owned = message.startswith(f"read.path ('{path}') must be a recording of izhnumba, got ")
            assert owned or not message, (place, wrong)
    for place, wrong, value in accepted:
        more = place == () and wrong.items() > value.items()  # what a later izhnumba adds
        own = value == "u" and str(wrong).isidentifier()  # a state of a model has any name
        assert more or own or place in (("name",), ("dt",), ("n",), ("seed",)) or wrong == value, (place, wrong)
    for blocks, message in (
        ((index + b"x", *rows), "of indices for"),
        ((index, rows[0] + b"x", *rows[1:]), "no whole rows"),
        ((index, b""), "0 bytes of rows up to byte"),
        ((index, *rows, rows[0]), "times that do not ascend"),
    ):
        write_recording(path, about, *blocks)
        with pytest.raises(ValueError, match=rf"'{path}'\) must be a recording of izhnumba, got one with .*{message}"):
            iz.io.read(path)
        write_recording(path, about, index, *rows, b"")
        assert len(iz.io.read(path, until_damage=True)) > 0
    write_recording(path, b"[" * 100_000, index)
    with pytest.raises(ValueError, match="got one whose head is no JSON object"):
        iz.io.read(path)


def test_rows_of_a_recording_are_checked(tmp_path, recordings):
    path = tmp_path / "x.rec"
    about, index, rows = recordings["spikes"]
    for place, value, message in ((0, 6, "neurons that are not from 0 to 5"), (-1, -5, "times that do not ascend")):
        wrong = np.frombuffer(rows[0], np.int64).copy()
        wrong[place] = value
        write_recording(path, about, index, wrong.tobytes(), *rows[1:])
        with pytest.raises(ValueError, match=f"must be a recording of izhnumba, got one with {message}"):
            iz.io.read(path)
    about, index, rows = recordings["states"]
    write_recording(path, about, np.array([2, 3, 4, 6]).tobytes(), *rows)
    with pytest.raises(ValueError, match="got one with an index that is not from 0 to 5"):
        iz.io.read(path)


def test_a_block_that_declares_too_much_is_one_that_was_cut_short(tmp_path, recordings):
    about, index, rows = recordings["spikes"]
    path = tmp_path / "x.rec"
    write_recording(path, about, index, rows[0])
    whole = len(iz.io.read(path))
    head = struct.pack("<QI", 2**62, 0)
    with path.open("ab") as file:
        file.write(head + struct.pack("<I", zlib.crc32(head)) + bytes(100))
    assert len(iz.io.read(path)) == whole
