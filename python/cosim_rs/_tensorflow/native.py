"""The native operations: registered at first use, called eagerly and in graphs, with gradients.

TensorFlow's public way to an operation of another library is a library file of its own, loaded by
`tf.load_op_library`. These lie in the extension module and are called as TensorFlow's generated
wrappers call its own: by parts that are private to it. So the versions are those that were tried,
and with any other nothing is registered.
"""

from __future__ import annotations

import re
import struct
import threading
from typing import Any

import tensorflow as tf

from cosim_rs import _cosim_rs
from cosim_rs._arrays import MOST_FLOAT32
from cosim_rs._tensorflow.arguments import Form

# The versions that the native operations were tried with; others compute without them.
OLDEST = (2, 16)
NEWEST = (2, 21)

NO_SECOND_DERIVATIVES = (
    "cosim_rs.tensorflow: the gradient of a gradient of cosine scores was asked for, and there are"
    " no second derivatives of them"
)

_lock = threading.Lock()
_parts: Any = None  # what is used of TensorFlow's private parts, once all is registered
_reason: str | None = None  # why nothing is registered, once that is known


class _Parts:
    """What is used of TensorFlow's private parts; an ImportError or AttributeError if not there."""

    def __init__(self) -> None:
        from tensorflow.python import pywrap_tfe
        from tensorflow.python.eager import context, core, execute
        from tensorflow.python.framework import op_def_library, op_def_registry, ops
        from tensorflow.python.ops import control_flow_util

        self.context = context.context  # makes it, where there is none yet
        self.eager_tensor = ops.EagerTensor
        self.error = core._NotOkStatusException
        self.execute = execute
        self.fast_path = pywrap_tfe.TFE_Py_FastPathExecute
        self.in_xla = control_flow_util.GraphOrParentsInXlaContext
        self.node = op_def_library._apply_op_helper
        self.raise_error = ops.raise_from_not_ok_status
        self.registered = op_def_registry.get
        # Whether tensors may be anywhere else than on the CPU.
        kinds = {device.device_type for device in tf.config.list_physical_devices()}
        self.only_cpu = kinds <= {"CPU"}
        # What every call asks for; an AttributeError now rather than then.
        _ = context.context()._thread_local_data.is_eager, ops.EagerTensor._datatype_enum


def missing() -> str | None:
    """Register the operations, once; or say why that cannot be done."""
    global _parts, _reason
    if _parts is None and _reason is None:
        with _lock:
            if _parts is None and _reason is None:
                try:
                    parts = _Parts()
                    _reason = _register(parts)
                    _parts = parts if _reason is None else None
                except (AttributeError, ImportError) as error:
                    _reason = f"a part of TensorFlow {tf.__version__} is missing: {error}"
    return _reason


def _register(parts: _Parts) -> str | None:
    version = re.match(r"(\d+)\.(\d+)", tf.__version__)
    if not version or not OLDEST <= (int(version[1]), int(version[2])) <= NEWEST:
        tried = " to ".join(".".join(map(str, one)) for one in (OLDEST, NEWEST))
        return f"TensorFlow {tf.__version__} was not tried, {tried} were"
    if parts.registered("CosimRsBatchedScores") is not None:
        return "operations of these names are registered already, by another copy of cosim_rs"
    reason = _cosim_rs.register_tensorflow()
    if reason is not None:
        return f"TensorFlow {tf.__version__} cannot be extended: {reason}"
    for number, name in enumerate(("Batched", "Paired", "Matrix")):
        tf.RegisterGradient(f"CosimRs{name}Scores")(_ScoresGradient(number))
    for name in ("Gradients", "FirstGradient", "SecondGradient"):
        tf.RegisterGradient(f"CosimRs{name}")(refuse_second_derivatives)
    return None


def impossible(x: Any, y: Any) -> str | None:
    """Say why the scores of these tensors cannot be native; None if they can."""
    reason = missing()
    if reason is not None:
        return reason
    if not tf.executing_eagerly() and _parts.in_xla(tf.compat.v1.get_default_graph()):
        return "XLA compiles this function (jit_compile=True), and has no kernels of cosim_rs"
    if not _parts.only_cpu and not ("CPU" in x.device and "CPU" in y.device):
        return "a tensor is, or may be, on another device than the CPU"
    return None


def eager_scores(form: Form, x: Any, y: Any, epsilon: Any) -> Any:
    """Score two eager tensors that fit; None, with nothing done, for any other arguments.

    All that a call does before it is in native code, which looks at dtypes and shapes: what it
    refuses comes back as None too, for someone who has the words.
    """
    parts = _parts
    if parts is None or type(x) is not parts.eager_tensor or type(y) is not parts.eager_tensor:
        return None
    context = parts.context()
    if not context._thread_local_data.is_eager or not parts.only_cpu:
        return None
    if type(epsilon) is not float or not 0.0 <= epsilon <= MOST_FLOAT32:
        return None
    dtype = 2 if x._datatype_enum() == 2 or y._datatype_enum() == 2 else 1
    try:
        return parts.fast_path(
            context, _SCORES[form.number], None, x, y,
            "T", dtype, "epsilon_bits", bits(epsilon) if epsilon else 0,
        )  # fmt: skip
    except parts.error:
        return None


_SCORES = ("CosimRsBatchedScores", "CosimRsPairedScores", "CosimRsMatrixScores")


def scores(form: Form, x: Any, y: Any, epsilon: float) -> Any:
    """Score two tensors that were looked at, eagerly or in a graph."""
    dtype = tf.float64 if tf.float64 in (x.dtype, y.dtype) else tf.float32
    attributes = {"T": dtype.as_datatype_enum, "epsilon_bits": bits(epsilon)}
    return _call(_SCORES[form.number], {"x": x, "y": y}, attributes)[0]


def bits(epsilon: float) -> int:
    """Tell the bits of a float64, as an integer: TensorFlow's own float attributes have 32."""
    # Adding +0 turns -0 into +0.
    return int.from_bytes(struct.pack("<d", epsilon + 0.0), "little", signed=True)


class _ScoresGradient:
    """The gradient of an operation that scores, as TensorFlow asks for it."""

    def __init__(self, form: int) -> None:
        self.form = form

    def __call__(self, op: Any, scores_gradient: Any) -> list[Any]:
        x, y = op.inputs
        skipped = getattr(op, "skip_input_indices", None) or ()
        inputs = {"x": x, "y": y, "scores_gradient": scores_gradient}
        attributes = {
            "form": self.form,
            "epsilon_bits": op.get_attr("epsilon_bits"),
        }
        if 0 in skipped:
            return [None, *_call("CosimRsSecondGradient", inputs, attributes)]
        if 1 in skipped:
            return [*_call("CosimRsFirstGradient", inputs, attributes), None]
        return list(_call("CosimRsGradients", inputs, attributes))


def refuse_second_derivatives(*_: Any) -> Any:
    """Raise: this is the gradient of gradients."""
    raise NotImplementedError(NO_SECOND_DERIVATIVES)


def _call(name: str, inputs: dict[str, Any], attributes: dict[str, int]) -> list[Any]:
    """Call an operation as TensorFlow's generated wrappers do."""
    flat = [part for attribute in attributes.items() for part in attribute]
    context = _parts.context()
    if context._thread_local_data.is_eager:
        try:
            outputs = _parts.fast_path(context, name, None, *inputs.values(), *flat)
        except _parts.error as error:
            _parts.raise_error(error, None)
        return outputs if isinstance(outputs, list) else [outputs]
    *_, node, outputs = _parts.node(name, **inputs, **attributes)
    if _parts.execute.must_record_gradient():
        for kind in ("Tx", "Ty"):
            flat += [kind, node._get_attr_type(kind)]
        _parts.execute.record_gradient(name, node.inputs, tuple(flat), outputs)
    return list(outputs)
