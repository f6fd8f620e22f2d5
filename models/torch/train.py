"""usage: train.py MODEL SOUND CLASS OUT [STEPS]: goes on with the training of a class of a texture model in PyTorch.

SOUND: a file of six seconds or more at the model's rate. What a window is told here is the least that will do: no
prefix, nothing of the past, as its memory another window's mean; `brume train texture` does more, and validates."""
import sys

import soundfile
import texture
import torch


def draw(frames, windows, length):
    """Windows (windows, length, bands) and the means of others, (windows, bands)."""
    places = torch.randint(len(frames) - length + 1, (2, windows))
    own, others = (torch.stack([frames[at : at + length] for at in row.tolist()]) for row in places)
    return own, others.mean(1)


def noise_levels(windows):
    """Half-log-SNRs of the cosine schedule, spread evenly over its steps: (windows, 1)."""
    t = (torch.arange(windows) + torch.rand(windows)) / windows
    return -torch.log(torch.tan(0.5 * torch.pi * t.clamp(0.001, 0.999)))[:, None]


def loss_of(model, frames, class_index, windows=4):
    config = model.config
    clean, memory = draw(frames, windows, config["window"])
    noise, level = torch.randn_like(clean), noise_levels(windows)
    alpha, sigma = (torch.sigmoid(sign * 2 * level)[:, None].sqrt() for sign in (1, -1))
    mix = torch.zeros(windows, len(config["classes"]))
    mix[:, class_index] = 1
    known, past = torch.zeros(windows, config["window"], 1), torch.zeros(windows, config["past"])
    out = model(alpha * clean + sigma * noise, known, level, mix, memory, past)
    target = alpha * noise - sigma * clean if config["prediction"] == "v" else noise
    return (out - target).square().mean()


def main(path, sound, name, out, steps=20):
    model = texture.load(path)
    class_index = model.config["classes"].index(name)
    samples, rate = soundfile.read(sound, dtype="float64", always_2d=True)
    if rate != model.config["rate"]:
        sys.exit(f"train.py: {sound}: {rate} Hz, where the model has {model.config['rate']}")
    frames = texture.frames_of(model, samples.mean(1), class_index)
    adam = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.99), weight_decay=1e-3)
    for step in range(int(steps)):
        loss = loss_of(model, frames, class_index)
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        print(f"step {step + 1} of {steps}: loss {loss.item():.4f}")
    texture.save(model, out, {"training": f"{steps} steps in PyTorch on {name}"})


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__.split("\n\n")[0])
    main(*sys.argv[1:])
