"""The two things we need of ONNX: the constants of a file we know, and a graph written anew.

It is no general reader: whose bytes they are is verified by the caller, and what a known file does
not have is not understood. Field numbers are those of onnx.proto3 (ONNX 1.15, IR version 9).
"""

import enum
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Constant = Floats | NDArray[np.int64]
Attribute = int | float | str | list[int]


class _Model(enum.IntEnum):
    IR = 1
    GRAPH = 7
    OPSET = 8


class _Graph(enum.IntEnum):
    NODE = 1
    NAME = 2
    CONSTANT = 5
    INPUT = 11
    OUTPUT = 12


class _Node(enum.IntEnum):
    INPUT = 1
    OUTPUT = 2
    KIND = 4
    ATTRIBUTE = 5
    DOMAIN = 7


class _Tensor(enum.IntEnum):
    SIDE = 1
    TYPE = 2
    NAME = 8
    DATA = 9


_FLOAT, _INT64 = 1, 7
_TYPES: Final = {np.dtype(np.float32): _FLOAT, np.dtype(np.int64): _INT64}
_IR, _OPSET, _CONTRIBUTED = 9, 18, "com.microsoft"
_VARINT, _BYTES, _FOUR = 0, 2, 5
_MORE: Final = 128
"""A byte of a number that others follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What a known file holds.

    Attributes:
        constants: float tensors by name.
        inputs: by the name of a node's first output, the names of its inputs.
    """

    constants: Mapping[str, Floats]
    inputs: Mapping[str, tuple[str, ...]]

    def given(self, output: str) -> list[Floats]:
        """Return the constants that the node with this output is given, in their order.

        Raises:
            KeyError: there is no such node.
        """
        return [self.constants[name] for name in self.inputs[output] if name in self.constants]


def read(data: bytes) -> Weights:
    """Return the float constants and the wiring of a model's file."""
    graph = next(value for field, value in _fields(data) if field == _Model.GRAPH)
    constants, inputs = dict[str, Floats](), dict[str, tuple[str, ...]]()
    for field, value in _fields(graph):
        if field == _Graph.CONSTANT:
            constants |= _tensor(value)
        elif field == _Graph.NODE:
            names = [(number, bytes(each)) for number, each in _fields(value)]
            output = next(name for number, name in names if number == _Node.OUTPUT)
            inputs[output.decode()] = tuple(
                name.decode() for number, name in names if number == _Node.INPUT
            )
    return Weights(constants=constants, inputs=inputs)


class Graph:
    """Nodes in the order in which they were asked for, and their constants."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []
        self._count = 0

    def node(self, kind: str, *inputs: str | Constant, **attributes: Attribute) -> str:
        """Add a node of one output and return that output's name."""
        return self.nodes(kind, *inputs, outputs=1, **attributes)[0]

    def nodes(
        self, kind: str, *inputs: str | Constant, outputs: int, **attributes: Attribute
    ) -> tuple[str, ...]:
        """Add a node of several outputs and return their names."""
        given = [each if isinstance(each, str) else self._constant(each) for each in inputs]
        names = tuple(self._name() for _ in range(outputs))
        domain = _CONTRIBUTED if kind in _OF_THE_RUN_TIME else ""
        self._nodes.append(
            b"".join(_text(_Node.INPUT, name) for name in given)
            + b"".join(_text(_Node.OUTPUT, name) for name in names)
            + _text(_Node.KIND, kind)
            + b"".join(_bytes(_Node.ATTRIBUTE, _attribute(*each)) for each in attributes.items())
            + _text(_Node.DOMAIN, domain)
        )
        return names

    def model(self, given: str, channels: int, wanted: tuple[str, ...]) -> bytes:
        """Return the file: one float input of 1 x `channels` x any height x any width."""
        sides = [_int(1, 1), _int(1, channels), _text(2, "height"), _text(2, "width")]
        shape = b"".join(_bytes(1, side) for side in sides)
        whole = (
            b"".join(_bytes(_Graph.NODE, node) for node in self._nodes)
            + _text(_Graph.NAME, "graph")
            + b"".join(_bytes(_Graph.CONSTANT, constant) for constant in self._constants)
            + _bytes(_Graph.INPUT, _value(given, _bytes(2, shape)))
            + b"".join(_bytes(_Graph.OUTPUT, _value(name, b"")) for name in wanted)
        )
        return (
            _int(_Model.IR, _IR)
            + _bytes(_Model.GRAPH, whole)
            + _bytes(_Model.OPSET, _text(1, "") + _int(2, _OPSET))
            + _bytes(_Model.OPSET, _text(1, _CONTRIBUTED) + _int(2, 1))
        )

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def _constant(self, values: Constant) -> str:
        name = self._name()
        kind = _TYPES[values.dtype]
        sides = b"".join(_int(_Tensor.SIDE, side) for side in values.shape)
        said = _int(_Tensor.TYPE, kind) + _text(_Tensor.NAME, name)
        data = np.ascontiguousarray(values).tobytes()
        self._constants.append(sides + said + _bytes(_Tensor.DATA, data))
        return name


_OF_THE_RUN_TIME: Final = frozenset({"FastGelu"})
"""Kinds of nodes that onnxruntime adds to the standard's."""


def _fields(data: bytes | memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield number and content of each field; a number's content is its eight bytes."""
    view, at = memoryview(data), 0
    while at < len(view):
        key, at = _varint(view, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(view, at)
            yield key >> 3, memoryview(value.to_bytes(8, "little"))
            continue
        size = 4 if kind == _FOUR else 8
        if kind == _BYTES:
            size, at = _varint(view, at)
        yield key >> 3, view[at : at + size]
        at += size


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[at]
        at += 1
        value |= (byte & ~_MORE) << shift
        shift += 7
        if byte < _MORE:
            return value, at


def _tensor(data: memoryview) -> dict[str, Floats]:
    """Return a tensor under its name, nothing where it holds no floats."""
    sides, said = list[int](), dict[int, memoryview]()
    for field, value in _fields(data):
        if field == _Tensor.SIDE:
            sides.append(int.from_bytes(value, "little"))
        said[field] = value
    if int.from_bytes(said[_Tensor.TYPE], "little") != _FLOAT:
        return {}
    values = np.frombuffer(said[_Tensor.DATA], "<f4").reshape(sides)
    return {bytes(said[_Tensor.NAME]).decode(): values}


def _number(value: int) -> bytes:
    data = bytearray()
    while value >= _MORE:
        data.append(value & ~_MORE & 255 | _MORE)
        value >>= 7
    data.append(value)
    return bytes(data)


def _int(field: int, value: int) -> bytes:
    return _number(field << 3) + _number(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _number(field << 3 | _BYTES) + _number(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _value(name: str, shape: bytes) -> bytes:
    return _text(1, name) + _bytes(2, _bytes(1, _int(1, _FLOAT) + shape))


def _attribute(name: str, value: Attribute) -> bytes:
    named = _text(1, name)
    if isinstance(value, str):
        return named + _text(4, value) + _int(20, 3)
    if isinstance(value, float):
        return named + _number(2 << 3 | _FOUR) + struct.pack("<f", value) + _int(20, 1)
    if isinstance(value, int):
        return named + _int(3, value) + _int(20, 2)
    return named + b"".join(_int(8, each) for each in value) + _int(20, 7)
