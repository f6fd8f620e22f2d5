#!/bin/sh
# models/torch/texture.py writes what it reads, and what it writes is played: the same sound to the bit. BUILD is the
# folder of the programs; where torch is missing there is nothing to test.
set -u
build=$(realpath "${BUILD:-build}")
root=$PWD
/usr/bin/python3 -c 'import torch' 2>/dev/null || {
    echo "torch is not here (python3-torch)"
    exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
/usr/bin/python3 - "$root/models/torch" "$build/tests/host/tiny/other.safetensors" <<'PYTHON' || exit 1
import sys

sys.path.append(sys.argv[1])
import texture
import torch

model = texture.load(sys.argv[2])
assert set(model.state_dict()) | set(model.others) == set(model.kinds)
texture.save(model, "same.safetensors", {"title": "The same"})
a, b = texture.read_file(sys.argv[2]), texture.read_file("same.safetensors")
assert b[0] == {**a[0], "title": "The same"} and list(a[1]) == list(b[1])
assert all(a[1][name].dtype == b[1][name].dtype and (a[1][name] == b[1][name]).all() for name in a[1])
# What the untrained network says of nothing is its last bias.
fresh = texture.Texture(model.config)
out = fresh(*texture.random_inputs(model.config, windows=2, frames=12))
assert out.shape == (2, 12, model.config["bands"]) and not out.any()
with torch.no_grad():
    model.get_parameter("out.bias")[:] += 1
texture.save(model, "louder.safetensors")
PYTHON
for model in "$build/tests/host/tiny/other" same louder; do
    "$build/brume" render --model "$model.safetensors" --class hum --seconds 0.5 -o "${model##*/}.wav" --quiet || exit 1
done
cmp other.wav same.wav || exit 1
if cmp -s other.wav louder.wav; then
    echo "FAILED: other weights sound the same"
    exit 1
fi
"$build/brume" info same.safetensors | grep -q '^title  *The same'
