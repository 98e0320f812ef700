"""Transformers in double precision: the truth that float32 results are judged against."""

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def double_precision() -> Iterator[None]:
    """Makes PyTorch's float32 mean float64 while models are built and run.

    Model code casts norms, attention weights and rotary angles to float32 by name, so that a model cast to float64 still
    rounds there. Within this context the names lead to float64.
    """
    names = {"float32": torch.float32, "float": torch.float}
    tensor_float = torch.Tensor.float
    default_type = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    for name in names:
        setattr(torch, name, torch.float64)
    torch.Tensor.float = torch.Tensor.double
    try:
        yield
    finally:
        torch.Tensor.float = tensor_float
        for name, value in names.items():
            setattr(torch, name, value)
        torch.set_default_dtype(default_type)
