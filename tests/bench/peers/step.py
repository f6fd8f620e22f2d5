"""usage: step.py MODEL BUILD: a training step of Brume's, repeated by torch from the same weights, moments and batch;
prints how far they are apart, as Markdown. Exit code 1 if that is more than 1e-4 anywhere."""
import math
import os
import re
import subprocess
import sys
import tempfile

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), *[".."] * 3, "models", "torch"))
import texture  # noqa: E402

MOST, RATE, WARM_UP, CLIP, AVERAGE, DECAY = 1e-4, 1e-3, 200, 1.0, 0.999, 1e-3


def read(path):
    metadata, tensors = texture.read_file(path)
    return metadata, {name: torch.from_numpy(array.copy()) for name, array in tensors.items()}


def cut(vector, parameters):
    """A checkpoint's vector as tensors of the parameters' shapes."""
    pieces = vector.flatten().split([p.numel() for p in parameters])
    return [piece.reshape(p.shape).clone() for piece, p in zip(pieces, parameters)]


def loss_of(model, batch, windows):
    """As models/texture_batch.c has it: of bands as ears count them, of what is not known alone."""
    x, clean, noise = (batch[name].unflatten(0, (windows, -1)) for name in ("x", "clean", "noise"))
    known = batch["known"].unflatten(0, (windows, -1))
    level = batch["half_log_snr"][:, None]
    alpha, sigma = torch.sigmoid(2 * level).sqrt(), torch.sigmoid(-2 * level).sqrt()
    noised = torch.where(known > 0, clean, alpha * clean + sigma * noise)
    drawn = difference(noised, x)
    target = alpha * noise - sigma * clean if model.config["prediction"] == "v" else noise
    out = model(x, known, batch["half_log_snr"], batch["mix"], batch["memory"], batch["past"])
    square = (out - target).square() * batch["counts"][:, None] * (1 - known)
    return square.sum() / out.numel(), square.sum() / ((1 - known).sum() * out.shape[-1]), drawn


def difference(ours, theirs):
    """The largest, relative to the largest value."""
    return ((ours - theirs).abs().max() / ours.abs().max().clamp_min(1e-30)).item()


def optimiser(parameters, first, second, step, rate):
    """torch's AdamW as if it had made so many steps."""
    groups = [{"params": [p for p in parameters if (p.dim() > 1) == many], "weight_decay": DECAY if many else 0.0}
              for many in (True, False)]
    adam = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99), eps=1e-8)
    for p, m, v in zip(parameters, first, second):
        adam.state[p] = {"step": torch.tensor(float(step)), "exp_avg": m, "exp_avg_sq": v}
    return adam


def main(path, build):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([f"{build}/tests/bench/bench", "step", path, folder], check=True)
        model = texture.load(f"{folder}/network.safetensors")
        (state, before), (_, after) = (read(f"{folder}/{name}.safetensors") for name in ("before", "after"))
        batch = read(f"{folder}/batch.safetensors")[1]
    numbers = dict(re.findall(r"(\w+)=(\S+)", state["state"]))
    step, steps = int(numbers["step"]), int(numbers["steps"])
    names, parameters = zip(*model.named_parameters())
    assert list(names) == [name for name in model.kinds if name not in model.others]
    vectors = (before[name] for name in ("values", "first", "second", "average"))
    values, first, second, average = (cut(vector, parameters) for vector in vectors)
    for p, value in zip(parameters, values):
        p.data = value
    rate = RATE * min(1, (step + 1) / min(WARM_UP, 1 + 0.1 * steps)) * 0.5 * (1 + math.cos(math.pi * step / steps))
    scaled, loss, drawn = loss_of(model, batch, int(numbers["batch"]))
    scaled.backward()
    found = [p.grad.clone() for p in parameters]
    length = torch.nn.utils.clip_grad_norm_(parameters, CLIP).item()
    optimiser(parameters, first, second, step, rate).step()
    decay = min(AVERAGE, (1 + step) / (10 + step))
    average = [a + (1 - decay) * (p.detach() - a) for a, p in zip(average, parameters)]

    def largest(ours, theirs):
        return max(difference(a, b) for a, b in zip(cut(ours, parameters), theirs))

    rows = {
        "the noised windows": drawn,
        "the loss": difference(batch["loss"].flatten(), loss.detach().reshape(1)),
        "gradients": largest(batch["gradients"], found),
        "AdamW's first moments": largest(after["first"], first),
        "AdamW's second moments": largest(after["second"], second),
        "weights": largest(after["values"], [p.detach() for p in parameters]),
        "averaged weights": largest(after["average"], average),
    }
    print(f"torch {torch.__version__}; {sum(p.numel() for p in parameters)} weights in {len(parameters)} tensors, "
          f"{numbers['batch']} windows; step {step + 1}, loss {loss.item():.4f}, gradients of length {length:.3f}"
          f"{', clipped' if length > CLIP else ''}, learning rate {rate:.2e}\n")
    print("| | largest difference, relative to the largest value of its tensor |\n|---|---|")
    for what, value in rows.items():
        print(f"| {what} | {value:.1e} |")
    return 0 if max(rows.values()) <= MOST else 1


sys.exit(main(*sys.argv[1:]))
