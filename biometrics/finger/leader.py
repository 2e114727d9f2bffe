"""LEADER's layers as our run time does them fastest: the same weights and answers, half the time.

It reads and verifies no file. Architecture: Cappelli, arXiv 2602.15493, read off the pinned file.
What the file has as a dozen nodes each (GELU, layer norm, dilated and enlarged layers) is one node
here; a bottleneck's two last layers, linear both, are one where that is less work.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.finger.onnx_graph import Graph, Weights, read

Floats = NDArray[np.float32]

INPUT: Final = "picture"
_DEPTHS: Final = range(4)
_WIDER: Final = (3, 6)
"""Dilations of the layers that look further around, beside the plain one."""


def rebuilt(data: bytes) -> bytes:
    """Return a model of the four outputs a minutia is read from.

    It takes `INPUT`, 1 x 1 x height x width grey levels, sides multiples of 32, and gives for each
    pixel how surely a minutia lies there, its direction (x and y), how surely it is an ending, and
    the first smoothed, whose peaks are the minutiae.

    Args:
        data: of the pinned file.
    """
    return _Network(read(data)).model()


class _Network:
    """The layers; what they pass on is 1 x channels x height x width."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._graph = Graph()

    def model(self) -> bytes:
        node = self._graph.node
        seen = self._attended()
        shallow = self._coded(
            node("Concat", seen, self._average(self._stem("stem1")), axis=1), "1", self._bottleneck
        )
        surely = node("Sigmoid", self._head(shallow, 0, "Conv__3172:0"))
        direction = self._head(shallow, 1, f"{_AT}head_conv_dir_1/BiasAdd:0")
        ending = node("Sigmoid", self._head(shallow, 2, "Conv__3000:0"))
        peaks = self._convolved(surely, f"{_AT}nms_Gaussian_blur_1/convolution:0")
        return self._graph.model(INPUT, 1, (surely, direction, ending, peaks))

    def _attended(self) -> str:
        """A first look at all scales, and what of it is worth a second one."""
        node = self._graph.node
        first = self._coded(self._greatest(self._stem("stem0")), "0", self._separable)
        around = [self._convolved(first, f"{_AT}attention_conv_d1_1/BiasAdd:0")]
        around += [self._dilated(first, f"attention_conv_d{wide}_1", wide) for wide in _WIDER]
        looked = node("FastGelu", node("Concat", *around, axis=1))
        share = node("Sigmoid", self._convolved(looked, f"{_AT}attention_s_1/BiasAdd:0"))
        return node("Mul", first, share)

    def _coded(self, seen: str, name: str, layer: "_Layer") -> str:
        """Down four scales and up again, what was seen on the way down beside it."""
        kept = list[str]()
        for depth in _DEPTHS:
            seen, channels = layer(seen, f"enc{name}_{depth}")
            kept.append(seen)
            seen = self._halved(seen, channels)
        for depth in reversed(_DEPTHS):
            seen, _ = layer(seen, f"dec{name}_{depth}")
            seen = self._graph.node("Concat", self._doubled(seen), kept[depth], axis=1)
        return seen

    def _stem(self, name: str) -> str:
        near = self._convolved(INPUT, f"{_AT}{name}_conv_1/BiasAdd:0")
        wide = self._dilated(INPUT, f"{name}_dilated_conv_1", 2)
        both = self._normed(self._graph.node("Concat", near, wide, axis=1), f"{name}_ln_1")
        return self._first(self._graph.node("FastGelu", both))

    def _separable(self, seen: str, name: str) -> tuple[str, int]:
        layers = f"{_AT}{name}_conv_1"
        seen = self._convolved(seen, f"{layers}/separable_conv2d/depthwise:0", apart=True)
        seen = self._convolved(seen, f"{layers}/BiasAdd:0")
        channels = len(self._weights.given(f"{layers}/BiasAdd:0")[0])
        normed = self._normed(seen, f"{name}_ln_1")
        return self._first(self._graph.node("FastGelu", normed)), channels

    def _bottleneck(self, seen: str, name: str) -> tuple[str, int]:
        node = self._graph.node
        wide, reduced, out = (
            self._weights.given(f"{_AT}{name}_conv_{part}_1/BiasAdd:0")
            for part in ("exp", "red", "adj")
        )
        near = self._convolved(seen, f"{_AT}{name}_depthwise_conv_1/depthwise:0", apart=True)
        normed = node("MatMul", self._normed(near, f"{name}_ln_1"), _matrix(wide[0]))
        inner = node("FastGelu", normed, wide[1])
        channels, through = out[0].shape[:2]
        if channels > through:
            narrow = node("Add", node("MatMul", inner, _matrix(reduced[0])), reduced[1])
            return self._layer(node("Add", self._first(narrow), seen), *out), channels
        # out(seen + reduced(inner)) is out(seen) + out(reduced(inner)), and that is one matrix.
        both = _matrix(reduced[0]).astype(np.float64) @ _matrix(out[0])
        bias = reduced[1] @ _matrix(out[0]).astype(np.float64) + out[1]
        folded = node("MatMul", inner, both.astype(np.float32))
        narrow = self._first(node("Add", folded, bias.astype(np.float32)))
        return node("Add", narrow, self._layer(seen, out[0])), channels

    def _head(self, seen: str, number: int, last: str) -> str:
        name = f"head_{number}"
        seen, _ = self._bottleneck(seen, f"{name}_ibc")
        seen = self._convolved(seen, f"{_AT}{name}_conv1_1/BiasAdd:0")
        # Layers of single pixels come before the enlarging: they give the same four times.
        seen = self._doubled(self._first(self._normed(seen, f"{name}_ln_1")))
        seen = self._graph.node("FastGelu", self._convolved(seen, f"{_AT}{name}_conv2_1/BiasAdd:0"))
        return self._convolved(seen, last)

    def _normed(self, seen: str, name: str) -> str:
        """Normed over the channels; gives height x width x channels."""
        scale, shift, least = (
            self._weights.given(f"{_AT}{name}/{part}:0")[-1].ravel()
            for part in ("mul", "add_1", "add")
        )
        last = self._graph.node("Transpose", seen, perm=[0, 2, 3, 1])
        return self._graph.node(
            "LayerNormalization", last, scale, shift, axis=3, epsilon=float(least[0])
        )

    def _first(self, seen: str) -> str:
        return self._graph.node("Transpose", seen, perm=[0, 3, 1, 2])

    def _convolved(self, seen: str, output: str, *, apart: bool = False) -> str:
        return self._layer(seen, *self._weights.given(output), apart=apart)

    def _dilated(self, seen: str, name: str, wide: int) -> str:
        (weight,) = self._weights.given(f"{_AT}{name}/convolution:0")
        (bias,) = self._weights.given(f"{_AT}{name}/BiasAdd:0")
        return self._layer(seen, weight, bias.ravel(), wide=wide)

    def _layer(
        self,
        seen: str,
        weight: Floats,
        bias: Floats | None = None,
        *,
        wide: int = 1,
        apart: bool = False,
    ) -> str:
        side = weight.shape[2]
        given = (seen, weight) if bias is None else (seen, weight, bias)
        return self._graph.node(
            "Conv",
            *given,
            kernel_shape=[side, side],
            pads=[wide * (side - 1) // 2] * 4,
            dilations=[wide, wide],
            group=len(weight) if apart else 1,
        )

    def _halved(self, seen: str, channels: int) -> str:
        """The first half of the channels by their greatest, the second by their mean."""
        parts = np.array([channels // 2, channels - channels // 2], np.int64)
        first, second = self._graph.nodes("Split", seen, parts, outputs=2, axis=1)
        return self._graph.node("Concat", self._greatest(first), self._average(second), axis=1)

    def _greatest(self, seen: str) -> str:
        return self._graph.node("MaxPool", seen, kernel_shape=[2, 2], strides=[2, 2])

    def _average(self, seen: str) -> str:
        return self._graph.node("AveragePool", seen, kernel_shape=[2, 2], strides=[2, 2])

    def _doubled(self, seen: str) -> str:
        return self._graph.node(
            "Resize",
            seen,
            "",
            np.array([1, 1, 2, 2], np.float32),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )


_Layer = Callable[[str, str], tuple[str, int]]
_AT: Final = "functional_1/"
"""What the file's names of layers begin with."""


def _matrix(weight: Floats) -> Floats:
    """Return a layer of single pixels as the matrix that the channels are multiplied by."""
    return np.ascontiguousarray(weight[:, :, 0, 0].T)
