#!/bin/sh
# brume continue, with the shipped model: the same for the same words, joined to the prompt, at any
# rate, from any channels; and prompts that are no melody, refused with one line and nothing left
# behind.
. tests/cli/common.sh
verb="continue --quiet -o refused.wav"
prompt=$root/tests/prompts/piano.flac
texture=$root/models/weights/texture.safetensors
melody=$root/models/weights/melody.safetensors

# carry_on OUT ARGUMENTS...
carry_on() {
    out=$1
    shift
    "$brume" continue "$@" --model "$melody" --quiet -o "$out" || fail "continue $*"
}

carry_on a.wav "$prompt" --seconds 4 --seed 3
carry_on b.wav "$prompt" --seconds 4 --seed 3
cmp -s a.wav b.wav || fail "the same seed made another tune"
carry_on longer.wav "$prompt" --seconds 6 --seed 3
carry_on other.wav "$prompt" --seconds 4 --seed 4
cmp -s a.wav other.wav && fail "another seed made the same tune"
carry_on whole.wav "$prompt" --seconds 4 --seed 3 --with-prompt
carry_on high.flac "$prompt" --seconds 4 --seed 3 --rate 48000

/usr/bin/python3 - "$prompt" <<'PYTHON' || fail "what was carried on is not as it should be"
import sys

import numpy
import soundfile

prompt, rate = soundfile.read(sys.argv[1], dtype="float32")
short, longer, whole = (soundfile.read(name, dtype="float32")[0] for name in ("a.wav", "longer.wav", "whole.wav"))
assert len(short) == 4 * rate and numpy.array_equal(short, longer[:len(short)]), "a longer tune begins otherwise"
assert numpy.array_equal(whole, numpy.concatenate([prompt, short])), "prompt and tune do not follow each other"
level = 20 * numpy.log10(numpy.std(short) / numpy.std(prompt))
assert abs(level) < 6, f"the level changed by {level:.1f} dB"
join = abs(float(short[0]) - float(prompt[-1]))
assert join < 4 * numpy.sqrt(numpy.mean(numpy.diff(prompt[-320:]) ** 2)) + 1e-3, "the join clicks"
high, high_rate = soundfile.read("high.flac")
assert high_rate == 48000 and len(high) == 4 * 48000

# Other forms of the same prompt.
wide = numpy.repeat(prompt[:, None], 2, axis=1)
wide[:, 1] *= -1
soundfile.write("opposite.wav", wide, rate)
soundfile.write("low.wav", prompt[::2], rate // 2)
soundfile.write("clipped.wav", numpy.clip(prompt * 20, -1, 1), rate)
soundfile.write("shifted.wav", prompt * 0.5 + 0.3, rate)
fine = numpy.interp(numpy.arange(len(prompt) * 12) / 12, numpy.arange(len(prompt)), prompt)
soundfile.write("fine.wav", fine.astype("float32"), rate * 12)

# What is no melody.
random = numpy.random.default_rng(1)
soundfile.write("short.wav", prompt[:rate // 10], rate)
soundfile.write("silent.wav", numpy.zeros(5 * rate), rate)
soundfile.write("noise.wav", 0.1 * random.standard_normal(5 * rate), rate)
soundfile.write("constant.wav", numpy.full(5 * rate, 0.5), rate)
soundfile.write("nan.wav", numpy.where(numpy.arange(len(prompt)) == 999, numpy.nan, prompt), rate, subtype="FLOAT")
soundfile.write("long.wav", numpy.zeros(3601 * 1000, dtype="int16"), 1000)
soundfile.write("many.wav", numpy.repeat(prompt[:rate, None], 3, axis=1), rate)
PYTHON

for form in opposite low clipped shifted fine; do
    "$brume" continue "$form.wav" --model "$melody" --seconds 0.5 --quiet -o "from_$form.wav" ||
        fail "the prompt as $form.wav was refused"
done

for name in short silent noise constant nan long many; do
    refuse 1 "$name.wav" "$name.wav" --model "$melody"
done
refuse 1 silent silent.wav --model "$melody"
refuse 1 "too few to carry on" noise.wav --model "$melody"
refuse 1 nowhere.wav nowhere.wav --model "$melody"
refuse 1 brume.melody "$prompt" --model "$texture"
refuse 2 PROMPT --seconds 3
refuse 2 "--temperature 9 is" "$prompt" --temperature 9

finish
