"""How kernels read and write the traces x1, x2, ... and y1, y2, ... in the record of a synapse.

The records are those of `_engine.plastic_state`. a: anything with `memory`, the records; s: a synapse.
"""

from __future__ import annotations


def _get_x1(a, s):
    return a.memory[s].x1


def _get_x2(a, s):
    return a.memory[s].x2


def _get_x3(a, s):
    return a.memory[s].x3


def _get_x4(a, s):
    return a.memory[s].x4


def _put_x1(a, s, target, value):
    a.memory[s].x1 = value


def _put_x2(a, s, target, value):
    a.memory[s].x2 = value


def _put_x3(a, s, target, value):
    a.memory[s].x3 = value


def _put_x4(a, s, target, value):
    a.memory[s].x4 = value


def _get_y1(a, s):
    return a.memory[s].y1


def _get_y2(a, s):
    return a.memory[s].y2


def _get_y3(a, s):
    return a.memory[s].y3


def _get_y4(a, s):
    return a.memory[s].y4


def _put_y1(a, s, target, value):
    a.memory[s].y1 = value


def _put_y2(a, s, target, value):
    a.memory[s].y2 = value


def _put_y3(a, s, target, value):
    a.memory[s].y3 = value


def _put_y4(a, s, target, value):
    a.memory[s].y4 = value


GET_X, PUT_X = (_get_x1, _get_x2, _get_x3, _get_x4), (_put_x1, _put_x2, _put_x3, _put_x4)
GET_Y, PUT_Y = (_get_y1, _get_y2, _get_y3, _get_y4), (_put_y1, _put_y2, _put_y3, _put_y4)
