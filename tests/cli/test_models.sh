#!/bin/sh
# brume models and brume info: where models are looked for, what is listed, and the card.
. tests/cli/common.sh
export HOME="$work/home"
unset XDG_DATA_HOME

/usr/bin/python3 - <<'PYTHON' || exit 1
import json
import os
import struct

import numpy
import soundfile

os.makedirs("sounds/rain")
os.makedirs("sounds/b\u00e4ume")
noise = numpy.random.default_rng(1).standard_normal(44100 * 4) * 0.1
for folder in "rain", "b\u00e4ume":
    soundfile.write(f"sounds/{folder}/0.wav", noise.astype("float32"), 44100)

def write(path, metadata):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    header = json.dumps({"__metadata__": metadata, "w": {
        "dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}).encode()
    open(path, "wb").write(struct.pack("<Q", len(header)) + header + bytes(24))

write("one/tune.safetensors", {"kind": "brume.melody", "where": "one"})
write("two/tune.safetensors", {"kind": "brume.melody", "where": "two"})
write("two/plain.safetensors", {})
write("two/.hidden.safetensors", {})
write("two/a\nb\033[31m.safetensors", {"kind": "c\nd"})
write("home/.local/share/brume/models/mine.safetensors", {"kind": "brume.texture", "where": "home"})
write("home/.local/share/brume/models/tune.safetensors", {"kind": "brume.melody", "where": "home"})
write("data/brume/models/other.safetensors", {"kind": "brume.texture", "where": "data"})
write("./card.safetensors", {"kind": 'a "quoted" \\ kind', "long": "x" * 5000, "line": "1\n2\t3\033[2J",
                           "umlaut": "\u00e4 \u96e8 \U0001f327", "": "nameless",
                           "k\ney": "control in the key"})
open("two/broken.safetensors", "w").write("no model")
os.mkdir("two/folder.safetensors")
PYTHON
"$brume" train texture sounds -o one/tiny.safetensors --steps 3 --channels 16 --blocks 2 --batch 2 \
    --licence 'CC "0"' --sources "all's mine" --no-preview --quiet || exit 1
mkdir empty

# listed WORDS...: brume models tells of each NAME=PATH=KIND, in the order of names.
listed() {
    "$brume" models >list.txt 2>err.txt || fail "models: $(cat err.txt)"
    "$brume" models --json >list.json 2>>err.txt || fail "models --json"
    [ -s err.txt ] && fail "models: $(cat err.txt)"
    LC_ALL=C grep -q "$(printf '[\001-\011\013-\037]')" list.txt && fail "control characters in the list"
    /usr/bin/python3 - "$@" <<'PYTHON' || fail "with BRUME_MODELS=${BRUME_MODELS:-}: $(cat list.txt)"
import json
import sys

models = json.load(open("list.json"))["models"]
lines = open("list.txt").read().splitlines()
if not models:
    assert len(lines) == 1 and lines[0].startswith("no models"), lines
else:
    heads = [i for i, l in enumerate(lines) if l[:1] != " "]
    assert len(heads) == len(models), lines
    for m, at, end in zip(models, heads, heads[1:] + [len(lines)]):
        assert lines[at].startswith(m["name"] + " ") and m["kind"] in lines[at], lines[at]
        assert f'{m["bytes"] / 1e6:.1f} MB  {m["written"]}' in lines[at], lines[at]
        more = [l.strip() for l in lines[at + 1:end]]
        assert more[-1] == m["path"], more
        assert "problem" not in m or "cannot be played: " + m["problem"] in more, more
        assert all(name in more or name in " ".join(more) for name in m["classes"]), more
    assert all(len(l) <= 100 for l in lines if not l.startswith("    cannot")), lines
names = [m["name"] for m in models]
assert names == sorted(names, key=str.encode), names
found = {m["name"]: m for m in models}
assert len(found) == len(models), names
for word in sys.argv[1:]:
    name, path, kind = word.split("=")
    assert found[name]["path"] == path and found[name]["kind"] == kind, found[name]
assert ".hidden" not in found and "folder" not in found
PYTHON
}

listed "mine=$HOME/.local/share/brume/models/mine.safetensors=brume.texture"
export BRUME_MODELS=two
listed "mine=$HOME/.local/share/brume/models/mine.safetensors=brume.texture" \
    tune=two/tune.safetensors=brume.melody "plain=two/plain.safetensors=of no kind" \
    broken=two/broken.safetensors=unreadable
export BRUME_MODELS=":nowhere:one::two:"
listed tune=one/tune.safetensors=brume.melody plain=two/plain.safetensors="of no kind" \
    tiny=one/tiny.safetensors=brume.texture
export XDG_DATA_HOME="$work/data"
listed "other=$work/data/brume/models/other.safetensors=brume.texture"
grep -q "^mine" list.txt && fail "XDG_DATA_HOME does not stand in for the home folder"
# What a player wants to know; and what is wrong with what cannot be played.
/usr/bin/python3 - <<'PYTHON' || fail "what is told: $(cat list.json)"
import json
import os

models = {m["name"]: m for m in json.load(open("list.json"))["models"]}
tiny = models["tiny"]
assert tiny["classes"] == ["b\u00e4ume", "rain"] and tiny["bytes"] == os.path.getsize("one/tiny.safetensors")
assert "3 steps" in tiny["training"] and float(tiny["held_out"].split()[0]) > 0 and "problem" not in tiny
assert models["broken"]["classes"] == [] and "header" in models["broken"]["problem"]
assert "format version" in models["tune"]["problem"]
assert "neither" in models["plain"]["problem"]
assert "format version" in models["other"]["problem"]
PYTHON
"$brume" models --help | grep -qx "  $XDG_DATA_HOME/brume/models" || fail "the help does not name the folders"
"$brume" info tune --json | grep -q '"where": "one"' || fail "the first folder does not come first"
BRUME_MODELS=two "$brume" info tune --json | grep -q '"where": "two"' || fail "another folder"
"$brume" info two/tune.safetensors --json | grep -q '"where": "two"' || fail "a path"
(cd two && "$brume" info tune.safetensors --json | grep -q '"where": "two"') || fail "a path with no /"
"$brume" render --model tiny --class bäume --seconds 0.1 -o by-name.wav || fail "a model by its name"
export BRUME_MODELS="$work/empty"
listed

# The card.
export BRUME_MODELS="$work/one"
"$brume" info tiny >card.txt 2>err.txt || fail "info: $(cat err.txt)"
"$brume" info tiny --json >card.json 2>>err.txt || fail "info --json"
"$brume" info card.safetensors >odd.txt 2>>err.txt || fail "info of an odd card"
"$brume" info --json ./card.safetensors >odd.json 2>>err.txt || fail "info --json of an odd card"
[ -s err.txt ] && fail "info: $(cat err.txt)"
/usr/bin/python3 - <<'PYTHON' || fail "the card"
import json
import math

card = json.load(open("card.json"))
lines = open("card.txt").read().splitlines()
config = json.loads(card["config"])
assert card["kind"] == "brume.texture" and card["format_version"] == "2"
assert card["licence"] == 'CC "0"' and card["sources"] == "all's mine"
assert config["classes"] == ["b\u00e4ume", "rain"] and config["channels"] == 16
assert config["dilations"] == [1, 2] and config["rate"] == 44100
assert "3 steps" in card["training"] and "seed 1" in card["training"], card["training"]
assert "b\u00e4ume/0" in card["recordings"] and "rain/0" in card["recordings_held_out"]
assert float(card["held_out_loss"].split()[0]) > 0
# The values, counted in the file's header.
data = open("one/tiny.safetensors", "rb").read()
header = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])
header.pop("__metadata__")
assert card["tensors"] == len(header)
assert card["values"] == sum(math.prod(tensor["shape"]) for tensor in header.values())
for key, value in card.items():
    line = [l for l in lines if l.split()[0] == key]
    assert key == "tensors" or len(line) == 1 and str(value) in line[0], (key, line)

odd = json.load(open("odd.json"))
assert odd["kind"] == 'a "quoted" \\ kind' and odd["umlaut"] == "\u00e4 \u96e8 \U0001f327"
assert odd["long"] == "x" * 5000 and odd["values"] == 6 and odd["tensors"] == 1
text = open("odd.txt").read()
assert "\033" not in text and "\t" not in text and len(text.splitlines()) == 2 + 6, text
PYTHON

refuse 1 "tiny" info nosuch
refuse 1 "tiny" render --model nosuch -o bad.wav
refuse 1 "nowhere/x.safetensors" info nowhere/x.safetensors
refuse 1 "there is no model ''" info ''
refuse 1 "there is no model" info "$(printf 'a\nb')"
refuse 1 "brume.melody" render --model tune -o bad.wav
refuse 2 "too few" info
refuse 2 "one too many" info tiny tune
refuse 2 "one too many" models tiny
refuse 2 "--seconds" info tiny --seconds 1
refuse 2 "-o" info tiny -o card.txt
for verb in info models; do
    "$brume" $verb --help | grep -q "^usage: brume $verb" || fail "$verb --help"
done
"$brume" models >/dev/full 2>err.txt && fail "a full standard output goes unnoticed by models"
"$brume" info tiny >/dev/full 2>err.txt && fail "a full standard output goes unnoticed by info"

finish
