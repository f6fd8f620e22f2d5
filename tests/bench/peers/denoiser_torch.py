"""models/torch/texture.py with convolutions written down as is fastest. FORM as in denoiser_onnx.py."""
import os
import sys

import torch
from torch import nn
from torch.nn import functional

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), *[".."] * 3, "models", "torch"))
import texture  # noqa: E402


class Kernel(nn.Module):
    """A texture.Convolution as torch's own, with the weight that torch keeps: (out, channels, taps[, positions])."""

    def __init__(self, layer):
        super().__init__()
        self.dilation, self.across = layer.dilation, layer.across
        shape = (len(layer.bias), 3, 3, -1) if self.across else (len(layer.bias), 3, -1)
        kernel = torch.movedim(layer.weight.data.reshape(shape), -1, 1)
        order = torch.channels_last if self.across else torch.contiguous_format
        self.weight, self.bias = nn.Parameter(kernel.contiguous(memory_format=order)), layer.bias

    def forward(self, x):
        d, w, b = self.dilation, self.weight, self.bias
        if self.across:
            # Channels come last in x: to torch this is only another order of the same memory.
            return functional.conv2d(x.permute(0, 3, 1, 2), w, b, dilation=(d, 1), padding=(d, 1)).permute(0, 2, 3, 1)
        return functional.conv1d(x.transpose(1, 2), w, b, dilation=d, padding=d).transpose(1, 2)


def replace_convolutions(module, form):
    for name, child in module.named_children():
        if isinstance(child, texture.Convolution):
            if form[1 if child.across else 0] == "convolutions":
                module.add_module(name, Kernel(child))
        else:
            replace_convolutions(child, form)


def open_model(path, form):
    module = texture.load(path)
    replace_convolutions(module, form.split("-"))
    return module


def gradients(module, names):
    """Of tensors of these names, one after the other, laid out as in the file."""
    parameters = dict(module.named_parameters())
    values = [parameters[name].grad for name in names]
    return torch.cat([(torch.movedim(v, 1, -1) if v.dim() > 2 else v).reshape(-1) for v in values])
