#!/bin/sh
# Model files that nobody should trust, given to brume render and brume info: each is refused in one
# line, in time, with nothing left behind, or it plays sound that is finite.
. tests/cli/common.sh
limit=5

# Builds a good model by hand, then files that differ from it in one thing.
cat >make.py <<'PYTHON'
import json
import os
import struct
import subprocess
import sys

import numpy
import soundfile

os.makedirs("sounds/rain")
noise = numpy.random.default_rng(1).standard_normal(44100 * 4) * 0.1
soundfile.write("sounds/rain/0.wav", noise.astype("float32"), 44100)
subprocess.run([sys.argv[1], "train", "texture", "sounds", "-o", "good.safetensors", "--steps", "3",
                "--channels", "16", "--blocks", "2", "--batch", "2", "--no-preview", "--quiet"], check=True)
data = open("good.safetensors", "rb").read()
length = struct.unpack("<Q", data[:8])[0]
header, body = json.loads(data[8:8 + length]), data[8 + length:]
config = json.loads(header["__metadata__"]["config"])
os.mkdir("bad")
os.mkdir("no-model")

def write(name, change=lambda h, c: None, body=body, length=None, text=None):
    """The good model after change(header, config)."""
    new, settings = json.loads(json.dumps(header)), json.loads(json.dumps(config))
    change(new, settings)
    if new.get("__metadata__", {}).get("config") == header["__metadata__"]["config"]:
        new["__metadata__"]["config"] = json.dumps(settings)
    text = json.dumps(new).encode() if text is None else text
    with open(name, "wb") as file:
        file.write(struct.pack("<Q", len(text) if length is None else length) + text + body)

def put(key, value):
    return lambda h, c: c.update({key: value})

def meta(key, value):
    return lambda h, c: h["__metadata__"].update({key: value})

def drop(key):
    return lambda h, c: h["__metadata__"].pop(key)

def tensor(name, **values):
    return lambda h, c: h[name].update(values)

write("same.safetensors")
# Not a safetensors file: info refuses it too. Cut short at places that each need a check.
for n in (0, 4, 7, 8, 9, 8 + length // 2, 7 + length, 8 + length, 9 + length, len(data) // 2,
          len(data) - 1):
    open(f"no-model/cut-{n}", "wb").write(data[:n])
open("no-model/longer", "wb").write(data + b"x")
for n in (0, 1, length - 1, length + 1, len(data), 2 ** 31, 2 ** 32, 2 ** 63, 2 ** 64 - 1):
    write(f"no-model/header-of-{n}", length=n)
write("no-model/no-json", text=b"x" * 100)
write("no-model/deep", text=b"[" * 100000)
write("no-model/deep-object", text=b'{"a":' * 50000)
write("no-model/array", text=b"[1, 2]")
write("no-model/empty-name", text=json.dumps(header).replace('"in.bias"', '""').encode() + b"}")
write("no-model/latin", text=json.dumps(header).replace("rain", "r\u00e4in").encode("latin1"))
first = next(n for n in header if n != "__metadata__")
begin, end = header[first]["data_offsets"]
write("no-model/overlap", tensor("in.bias", data_offsets=[0, 64]))
write("no-model/outside", tensor(first, data_offsets=[begin, len(body) + 1]))
write("no-model/negative", tensor(first, data_offsets=[-1, end]))
write("no-model/backwards", tensor(first, data_offsets=[end, begin]))
write("no-model/huge-shape", tensor(first, shape=[2 ** 62, 4, 4]))
write("no-model/float-shape", tensor(first, shape=[1.5, 2]))
write("no-model/strange-type", tensor(first, dtype="F33"))
write("no-model/text-offset", tensor(first, data_offsets="0"))
write("no-model/twice", text=json.dumps(header).encode()[:-1] + b', "in.bias": '
      + json.dumps(header["in.bias"]).encode() + b"}")
open("no-model/text", "w").write("this is no model\n" * 100)
open("no-model/zeros", "wb").write(bytes(10000))
open("no-model/pickle", "wb").write(b"\x80\x02}q\x00X\x05\x00\x00\x00stateq\x01." + bytes(2000))

# Safetensors files that are no texture model: info prints their card.
write("bad/kind", meta("kind", "brume.melody"))
write("bad/no-kind", drop("kind"))
write("bad/format", meta("format_version", "3"))
write("bad/no-config", drop("config"))
write("bad/config-text", meta("config", "none"))
write("bad/config-array", meta("config", "[]"))
write("bad/config-deep", meta("config", "[" * 5000))
for key, values in {
        "rate": (0, 7999, 192001, -1, 44100.5, "44100", 2 ** 63 - 1, None),
        "frame": (0, 128, 2047, 512, 16384), "linear": (0, 1, 371, 1025), "upper": (0, 23, 1000000),
        "top": (0, -1, "20000", 1e300, 30000, None), "bands": (0, 395, 397, 5000),
        "channels": (0, 7, 17, 2048, 2049, 1000000), "condition": (0, 15, 2048, 3000),
        "dilations": ([], [1], [1, 0], [1, 1025], [1, -1], ["1", "2"], [1] * 33, 2, None),
        "prediction": ("x0", 1, None), "schedule": ("quadratic", None),
        "window": (0, 31, 4097, 2 ** 40),
        "classes": ([], [""], ["a", "b"], ["a,b"], ["a:b"], ["a\nb"], ["x" * 64], [1], "rain",
                    ["c"] * 65, None)}.items():
    for i, value in enumerate(values):
        write(f"bad/{key}-{i}", put(key, value))
write("bad/missing-tensor", lambda h, c: h.update({"in.other": h.pop("in.bias")}))
tables = [n for n in header if len(header[n].get("shape", [])) == 3]
for i, name in enumerate(tables):
    write(f"bad/shape-{i}", tensor(name, shape=list(reversed(header[name]["shape"]))))
write("bad/rank", tensor("in.bias", shape=[4, 4]))
write("bad/type", tensor("in.bias", dtype="I16"))
at = header["in.bias"]["data_offsets"][0]
for name, bits in (("nan", b"\x00\x7e"), ("infinity", b"\x00\x7c")):
    write(f"bad/{name}", body=body[:at] + bits + body[at + 2:])
at = header["normaliser.quantiles"]["data_offsets"][0]
write("bad/falling", body=body[:at] + struct.pack("<2f", 9, -9) + body[at + 8:])
write("bad/quantile-nan", body=body[:at] + struct.pack("<f", float("nan")) + body[at + 4:])

# Weights as wild as they can be, but fit to be read; what is no weight is as in the good model.
wild = numpy.frombuffer(body, "<f2").copy()
kept = wild.copy()
random = numpy.random.default_rng(2)
wild[:] = random.choice(numpy.array([-65504, 65504], "<f2"), len(wild))
for name in tables + ["middles"]:
    a, b = (x // 2 for x in header[name]["data_offsets"])
    wild[a:b] = kept[a:b]
write("wild.safetensors", body=wild.tobytes())
a, b = (x // 2 for x in header["normaliser.quantiles"]["data_offsets"])
steep = numpy.frombuffer(body, "<f2").copy()
knots = header["normaliser.quantiles"]["shape"][2]
table = numpy.tile(numpy.linspace(-99, 99, knots).astype("<f4"), (b - a) * 2 // 4 // knots)
steep[a:b] = table.view("<f2")
write("steep.safetensors", body=steep.tobytes())
write("short-window.safetensors", put("window", 64))
PYTHON
/usr/bin/python3 make.py "$brume" || exit 1
mkdir folder.safetensors
mkfifo pipe.safetensors
ln -s /dev/zero device.safetensors
ln -s nowhere dangling.safetensors

# refuse_model VERB ARGUMENTS...: brume refuses $model, by its name, in a line that can be printed.
refuse_model() {
    refuse 1 "brume $1: $model: " "$@"
    [ "$(wc -c <err.txt)" -lt 1200 ] || fail "$model: $1 says too much: $(cat err.txt)"
    LC_ALL=C grep -q '[[:cntrl:]]' err.txt && fail "$model: $1: control characters: $(cat err.txt)"
}

"$brume" render --model ./same.safetensors --seconds 0.2 -o same.wav || fail "the good model is refused"
"$brume" render --model ./good.safetensors --seconds 0.2 -o good.wav || fail "the good model is refused"
cmp same.wav good.wav || fail "the good model, written again, is another"

for model in no-model/* bad/* ./folder.safetensors ./pipe.safetensors ./device.safetensors \
    ./dangling.safetensors ./missing.safetensors; do
    refuse_model render --model "$model" --seconds 0.1 -o bad.wav
    [ "${model#bad/}" = "$model" ] || continue
    refuse_model info "$model"
done
for model in bad/kind bad/no-kind bad/config-text bad/nan; do
    exits 0 "$brume" info "$model"
done
refuse 1 '"brume.melody", not "brume.texture"' render --model bad/kind --seconds 0.1 -o bad.wav
refuse 1 "window of 64 frames is too short" render --model ./short-window.safetensors --seconds 0.1 -o bad.wav

for model in wild steep; do
    for sampler in dpm ddim ddpm; do
        "$brume" render --model ./$model.safetensors --seconds 4 --steps 4 --sampler $sampler \
            -o $model-$sampler.wav || fail "$model: $sampler"
    done
done

/usr/bin/python3 - "$brume" <<'PYTHON' || fail "wild weights, or a file with changed bytes"
import glob
import random
import subprocess
import sys

import numpy
import soundfile

faults = 0
for name in glob.glob("wild-*.wav") + glob.glob("steep-*.wav"):
    x = soundfile.read(name)[0]
    if not (numpy.isfinite(x).all() and abs(x).max() <= 1):
        print(name, "is not finite or above 1")
        faults += 1

# Bytes changed at random in the header, where a reader has most to go wrong with.
data = open("good.safetensors", "rb").read()
length = int.from_bytes(data[:8], "little")
random.seed(3)
played = 0
for i in range(80):
    bad = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8))):
        at = random.randrange(8 + length)
        bad[at] = random.choice((random.randrange(256), bad[at] ^ 1 << random.randrange(8),
                                 ord(random.choice('0123456789"{}[],:-'))))
    open("changed.safetensors", "wb").write(bad)
    run = subprocess.run([sys.argv[1], "render", "--model", "./changed.safetensors", "--seconds",
                          "0.05", "--steps", "1", "-o", "changed.wav"], capture_output=True, timeout=10)
    lines = run.stderr.count(b"\n")
    played += run.returncode == 0
    if (run.returncode, lines) not in ((0, 0), (1, 1)):
        print(i, run.returncode, run.stderr)
        open(f"kept-{i}", "wb").write(bad)
        faults += 1
print(played, "of 80 changed files still play")
sys.exit(faults > 0)
PYTHON

finish
