"""The texture network as a torch module, with the weights of a model's file. FORM as in denoiser_onnx.py."""
import torch
from torch import nn
from torch.nn import functional


def linear(weight, bias=None):
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    layer.weight.data = torch.from_numpy(weight.copy())
    if bias is not None:
        layer.bias.data = torch.from_numpy(bias.copy())
    return layer


class Convolution(nn.Module):
    """A dilated convolution of 3 frames (by 3 neighbours); x (windows, frames[, positions], channels)."""

    def __init__(self, weight, bias, dilation, form, across):
        super().__init__()
        self.form, self.dilation, self.across = form, dilation, across
        self.layer = linear(weight, bias)
        if form == "convolutions":
            # What torch keeps: (out, channels, taps[, positions]).
            shape = (len(bias), 3, 3, -1) if across else (len(bias), 3, -1)
            kernel = torch.movedim(self.layer.weight.data.reshape(shape), -1, 1)
            self.layer.weight.data = kernel.contiguous(
                memory_format=torch.channels_last if across else torch.contiguous_format
            )

    def gradient(self):
        """The weight's gradient, laid out as in the file."""
        gradient = self.layer.weight.grad
        return torch.movedim(gradient, 1, -1).reshape(len(gradient), -1) if self.form == "convolutions" else gradient

    def products(self, x):
        d, frames = self.dilation, x.shape[1]
        x = functional.pad(x, (0, 0) + ((1, 1) if self.across else ()) + (d, d))
        taps = [x[:, tap * d : tap * d + frames] for tap in range(3)]
        if self.across:
            positions = x.shape[2] - 2
            taps = [tap[:, :, p : p + positions] for tap in taps for p in range(3)]
        return self.layer(torch.cat(taps, -1))

    def forward(self, x):
        if self.form == "products":
            return self.products(x)
        d, w, b = self.dilation, self.layer.weight, self.layer.bias
        if self.across:
            # Channels come last in x: to torch this is only another order of the same memory.
            return functional.conv2d(x.permute(0, 3, 1, 2), w, b, dilation=(d, 1), padding=(d, 1)).permute(0, 2, 3, 1)
        return functional.conv1d(x.transpose(1, 2), w, b, dilation=d, padding=d).transpose(1, 2)


class Block(nn.Module):
    def __init__(self, weights, name, dilation, form, across):
        super().__init__()
        self.conv = Convolution(weights[f"{name}.conv.weight"], weights[f"{name}.conv.bias"], dilation, form, across)
        self.out = linear(weights[f"{name}.out.weight"], weights[f"{name}.out.bias"])

    def forward(self, trunk, scale, shift, gate):
        y = norm(trunk) * scale + shift
        return trunk + self.out(functional.silu(self.conv(y))) * gate


def norm(x):
    return functional.layer_norm(x, x.shape[-1:])


class Denoiser(nn.Module):
    def __init__(self, net, form):
        super().__init__()
        trunk_form, refiner_form = form.split("-")
        w, self.net = net.weights, net
        self.register_buffer("frequencies", torch.tensor(net.frequencies, dtype=torch.float32))
        self.level0 = linear(w["level.0.weight"], w["level.0.bias"])
        self.level1 = linear(w["level.1.weight"], w["level.1.bias"])
        self.table = linear(w["class.table"].T)
        self.memory, self.past = linear(w["memory.weight"]), linear(w["past.weight"])
        self.film = linear(*net.film("film", net.channels, len(net.dilations)))
        self.first = Convolution(w["in.weight"], w["in.bias"], 1, trunk_form, False)
        self.blocks = nn.ModuleList(
            Block(w, f"blocks.{b}", dilation, trunk_form, False) for b, dilation in enumerate(net.dilations)
        )
        self.out = linear(w["out.weight"], w["out.bias"])
        self.patch, self.known = linear(w["refiner.patch.weight"]), linear(w["refiner.memory.weight"])
        self.outline = linear(w["refiner.outline.weight"], w["refiner.outline.bias"])
        self.refiner_film = linear(*net.film("refiner.film", net.refiner_channels, net.refiner_blocks))
        self.refiner_blocks = nn.ModuleList(
            Block(w, f"refiner.blocks.{b}", 1 << b % 4, refiner_form, True) for b in range(net.refiner_blocks)
        )
        self.refiner_out = linear(w["refiner.out.weight"], w["refiner.out.bias"])

    def cut(self, x):
        """Patches (windows, frames, positions, 2 stride) of x (windows, frames, bands)."""
        net = self.net
        x = functional.pad(x, (net.stride, net.padding))
        cells = x.reshape(x.shape[0], x.shape[1], net.positions + 1, net.stride)
        return torch.cat((cells[:, :, :-1], cells[:, :, 1:]), -1)

    def paste(self, patches):
        net = self.net
        first, second = patches.chunk(2, -1)
        cells = functional.pad(first, (0, 0, 0, 1)) + functional.pad(second, (0, 0, 1, 0))
        return cells.flatten(2)[:, :, net.stride : net.stride + net.bands]

    def refiner(self, x, memory, features, told):
        net = self.net
        film = self.refiner_film(told)[:, None, None].chunk(3 * net.refiner_blocks + 2, -1)
        trunk = self.outline(features).unflatten(2, (net.positions, net.refiner_channels)) + self.patch(self.cut(x))
        trunk = trunk + self.known(self.cut(memory[:, None]))
        for b, block in enumerate(self.refiner_blocks):
            trunk = block(trunk, film[3 * b], film[3 * b + 1], film[3 * b + 2])
        return self.paste(self.refiner_out(functional.silu(norm(trunk) * film[-2] + film[-1])))

    def forward(self, x, known, half_log_snr, mix, memory, past):
        """x (windows, frames, bands), known (windows, frames, 1), and the rest (windows, ...)."""
        angle = half_log_snr * self.frequencies
        level = functional.silu(self.level0(torch.cat((angle.cos(), angle.sin()), 1)))
        told = functional.silu(self.level1(level) + self.table(mix) + self.memory(memory) + self.past(past))
        film = self.film(told)[:, None].chunk(3 * len(self.blocks) + 2, -1)
        trunk = self.first(torch.cat((x, known), -1))
        for b, block in enumerate(self.blocks):
            trunk = block(trunk, film[3 * b], film[3 * b + 1], film[3 * b + 2])
        features = functional.silu(norm(trunk) * film[-2] + film[-1])
        return self.out(features) + self.refiner(x, memory, features, told)

    def gradients(self):
        """Gradients, one after the other, as models/parameters.c orders them."""
        layers = [self.level0, self.level1, self.table, self.memory, self.past, self.film, self.first]
        layers += [layer for block in self.blocks for layer in (block.conv, block.out)]
        layers += [self.out, self.patch, self.known, self.outline, self.refiner_film]
        layers += [layer for block in self.refiner_blocks for layer in (block.conv, block.out)]
        values = []
        for layer in layers + [self.refiner_out]:
            convolution = isinstance(layer, Convolution)
            gradient = layer.gradient() if convolution else layer.weight.grad
            values.append(gradient.T if layer is self.table else gradient)
            bias = layer.layer.bias if convolution else layer.bias
            if bias is not None:
                values.append(bias.grad)
        return torch.cat([value.reshape(-1) for value in values])
