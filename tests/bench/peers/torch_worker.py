"""usage: torch_worker.py play|train MODEL FORM [frozen]: a worker, as tests/bench/worker.c, over torch.

"frozen": the module is traced, frozen and optimised for inference."""
import sys
import time

import denoiser_torch
import network
import numpy
import torch


class Player:
    def __init__(self, module, frozen):
        self.module, self.frozen = module.eval(), frozen

    def open(self, inputs):
        self.inputs, self.run_module = inputs, self.module
        if self.frozen:
            with torch.no_grad():
                traced = torch.jit.trace(self.module, inputs, check_trace=False)
                self.run_module = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
                # Its first runs measure, compile and fuse.
                for _ in range(3):
                    self.run_module(*inputs)
        return self.run().reshape(-1)

    @torch.no_grad()
    def run(self):
        return self.run_module(*self.inputs)


class Trainer:
    """Forward, loss, backward, clipping, AdamW and average, with the settings of models/texture_trainer.c."""

    def __init__(self, module, names):
        self.module, self.names = module, names
        self.parameters = list(module.parameters())
        groups = [
            {"params": [p for p in self.parameters if p.dim() > 1], "weight_decay": 1e-3},
            {"params": [p for p in self.parameters if p.dim() == 1], "weight_decay": 0.0},
        ]
        self.adam = torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.99), foreach=True)
        self.average = [p.detach().clone() for p in self.parameters]

    def open(self, inputs):
        self.inputs, self.target = inputs[:-1], inputs[-1]
        loss = self.find_gradients()
        return torch.cat((loss.reshape(1), denoiser_torch.gradients(self.module, self.names)))

    def find_gradients(self):
        self.adam.zero_grad(set_to_none=True)
        loss = torch.nn.functional.mse_loss(self.module(*self.inputs), self.target)
        loss.backward()
        return loss.detach()

    def run(self):
        self.find_gradients()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.adam.step()
        with torch.no_grad():
            torch._foreach_mul_(self.average, 0.999)
            torch._foreach_add_(self.average, [p.detach() for p in self.parameters], alpha=0.001)


def shape_inputs(net, values, windows, frames):
    """DenoiserInput's arrays, and the target if there is one."""
    shapes = [(windows, frames, net.bands), (windows, frames, 1), (windows, 1), (windows, net.classes)]
    shapes += [(windows, net.bands), (windows, net.past), (windows, frames, net.bands)]
    tensors = []
    for shape in shapes:
        size = int(numpy.prod(shape))
        if size <= len(values):
            tensors.append(torch.from_numpy(values[:size].copy()).reshape(shape))
            values = values[size:]
    return tuple(tensors)


def main():
    way, model, form = sys.argv[1:4]
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    net = network.Network(model)
    module = denoiser_torch.open_model(model, form)
    worker = Trainer(module, net.trained()) if way == "train" else Player(module, sys.argv[4:] == ["frozen"])
    for line in sys.stdin:
        words = line.split()
        if words[0] == "open":
            inputs = shape_inputs(net, numpy.fromfile(words[3], "float32"), int(words[1]), int(words[2]))
            worker.open(inputs).detach().numpy().tofile(words[4])
            answer = "ok"
        else:
            start, took, runs = time.process_time(), 0.0, 0
            while took < float(words[1]) or runs == 0:
                worker.run()
                took, runs = time.process_time() - start, runs + 1
            answer = f"{took / runs:.9f} {runs}"
        print(answer, flush=True)


main()
