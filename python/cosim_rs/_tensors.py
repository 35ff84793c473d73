"""Tensors of torch, JAX and TensorFlow as NumPy arrays of the same memory.

A tensor on another device is refused, not moved: a copy of that size should be seen in the caller's
own code.
"""

import sys
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

# NumPy has no bfloat16. Where `ml_dtypes` brings one it is used; a tensor's own bits are passed on
# as they are, under this name.
BFLOAT16: Final = np.dtype([("bfloat16", np.uint16)], align=True)

# Memory that the CPU reads as its own, by DLPack's numbers: its own, and what CUDA and ROCm pin.
HOST_MEMORY = (1, 3, 11)


def from_torch(name: str, tensor: Any) -> NDArray[Any]:
    """A dense tensor on the CPU; what autograd knows of it is left behind."""
    try:
        array: NDArray[Any] = tensor.numpy()
    except (RuntimeError, TypeError):
        return _from_unusual_torch(name, tensor)
    return array


def _from_unusual_torch(name: str, tensor: Any) -> NDArray[Any]:
    if tensor.device.type != "cpu":
        _refuse(name, "a tensor", str(tensor.device))
    try:
        # Lazily conjugated or negated numbers are written out: the only copy.
        plain = tensor.detach().resolve_conj().resolve_neg()
        if str(plain.dtype) != "torch.bfloat16":
            array: NDArray[Any] = plain.numpy()
            return array
        bits: NDArray[Any] = plain.view(sys.modules["torch"].int16).numpy()
        return bits.view(BFLOAT16)
    except (RuntimeError, TypeError) as error:
        got = f"a tensor of {tensor.dtype}, {tensor.layout}"
        raise TypeError(f"{name}: got {got}, which NumPy cannot take: {error}") from None


def from_jax(name: str, array: Any) -> NDArray[Any]:
    """An array on the CPU, read-only; one that several devices share is put together."""
    if array.platform() != "cpu":
        _refuse(name, "an array", array.platform())
    return np.asarray(array)


def from_tensorflow(name: str, tensor: Any) -> NDArray[Any]:
    """An eager tensor on the CPU, read-only. Its ``numpy`` method would copy."""
    try:
        device = tensor.device
        if device and "CPU" not in device:
            _refuse(name, "a tensor", device)
        return np.asarray(tensor)
    except NotImplementedError as error:
        raise TypeError(f"{name}: got a symbolic tensor, expected an eager one: {error}") from None


def from_tensorflow_variable(name: str, variable: Any) -> NDArray[Any]:
    """What a variable holds now; TensorFlow copies it when it next assigns."""
    return from_tensorflow(name, variable.value())


def refuse_other_devices(name: str, argument: Any) -> None:
    """Raise if DLPack says that this is on another device."""
    device, number = argument.__dlpack_device__()
    if int(device) not in HOST_MEMORY:
        _refuse(name, type(argument).__name__, f"DLPack's device {int(device)}:{number}")


def refuse_cuda(name: str, argument: Any) -> NDArray[Any]:
    """Raise, for what offers CUDA's array interface alone."""
    _refuse(name, type(argument).__name__, "CUDA")


def _refuse(name: str, got: str, device: str) -> NoReturn:
    wanted = "memory of the CPU: move it there first, as by .cpu()"
    raise TypeError(f"{name}: got {got} on {device}, expected {wanted}")
