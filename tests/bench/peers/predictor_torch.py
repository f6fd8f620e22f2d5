"""usage: predictor_torch.py MODEL: a worker, as tests/bench/predictor/worker.c, over torch: the loop over samples is
compiled (TorchScript), so that nothing of Python is in it."""
import sys
import time
from typing import List

import numpy
import predictor_net
import torch
from torch.nn.functional import linear, silu

Weights = List[torch.Tensor]
ORDER = """told.0.weight told.0.bias told.1.weight told.1.bias gru.input gru.recurrent gru.bias gru.recurrent_bias
state.weight notice.weight phase first.weight first.bias second.weight second.bias out.weight out.bias""".split()


@torch.jit.script
def play(weights: Weights, x: torch.Tensor, condition: torch.Tensor):
    told1, told1b, told2, told2b, w, u, b, c, of_state, notice, phase, first, firstb, second, secondb, last, lastb = weights
    h = torch.zeros(of_state.size(1))
    told, base = torch.zeros(0), torch.zeros(0)
    answers: List[torch.Tensor] = []
    for t in range(x.size(0)):
        now = x[t]
        if t % 64 == 0:
            told = silu(linear(silu(linear(condition[t // 64], told1, told1b)), told2, told2b))
        if t % 16 == 0:
            wr, wz, wn = linear(torch.cat((now, told)), w, b).chunk(3)
            ur, uz, un = linear(h, u).chunk(3)
            z = torch.sigmoid(wz + uz)
            new = torch.tanh(wn + torch.sigmoid(wr + ur) * (un + c))
            h = new + z * (h - new)
            base = linear(h, of_state, firstb) + linear(told, notice)
        hidden = silu(linear(now, first) + base + phase[t % 16])
        answers.append(linear(silu(linear(hidden, second, secondb)), last, lastb))
    return torch.stack(answers)


def main():
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    net = predictor_net.Net(sys.argv[1])
    weights = [torch.from_numpy(net.weights[name]) for name in ORDER]
    for line in sys.stdin:
        words = line.split()
        with torch.no_grad():
            if words[0] == "open":
                inputs = [torch.from_numpy(part.copy()) for part in net.split(numpy.fromfile(words[3], "float32"))]
                # Its first runs measure and compile.
                for _ in range(3):
                    out = play(weights, *inputs)
                out.numpy().tofile(words[4])
                answer = "ok"
            else:
                start, took, runs = time.process_time(), 0.0, 0
                while took < float(words[1]) or runs == 0:
                    play(weights, *inputs)
                    took, runs = time.process_time() - start, runs + 1
                answer = f"{took / runs:.9f} {runs}"
        print(answer, flush=True)


main()
