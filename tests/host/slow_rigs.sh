#!/bin/sh
# usage: slow_rigs.sh RIGS WORK: Brume in Ardour without a display, in jalv under JACK, and under the
# validators. WORK/bundles holds brume.lv2. Several minutes; see RIGS/packages.txt.
set -u
rigs=$(realpath "$1")
work=$(realpath "$2")
prompt=$(realpath tests/prompts/piano.flac)
failed=0
for command in ardour7-lua jackd jalv; do
    if ! command -v $command >/dev/null; then
        echo "slow rigs: $command is not there; see packages.txt of the rigs"
        exit 1
    fi
done
cp -r "$rigs" "$work/hosts"
chmod -R u+w "$work/hosts"
cd "$work" || exit 1
/usr/bin/python3 - <<'PYTHON'
import wave

import numpy

random = numpy.random.default_rng(1)
samples = (random.standard_normal((48000 * 10, 2)) * 1000).astype("<i2")
with wave.open("in.wav", "wb") as file:
    file.setnchannels(2)
    file.setsampwidth(2)
    file.setframerate(48000)
    file.writeframes(samples.tobytes())
PYTHON
bash hosts/validate/validate.sh bundles/brume.lv2 urn:brume:brume || failed=1
for take in first second; do
    TOL=2 bash hosts/ardour/ardour-rig.sh bundles urn:brume:brume "$work/ardour-$take" in.wav \
        "Rain on slate" "param:Wet=-6" "expect:Seed=7" >"ardour-$take.txt" 2>&1 || failed=1
    tail -n 12 "ardour-$take.txt"
done
/usr/bin/python3 - <<'PYTHON' || failed=1
import sys

import soundfile

first, second = (soundfile.read(f"ardour-{take}.cli.wav")[0] for take in ("first", "second"))
different = int((first != second).sum()) if first.shape == second.shape else -1
print(f"exports: {first.shape[0]} and {second.shape[0]} frames, {different} samples differ")
sys.exit(different != 0)
PYTHON
# A tune of ten seconds, and ten of silence: the answer is in the export. (The rig can't read knobs behind
# the meters, so it is asked for the preset's seed, not for its mode.)
/usr/bin/python3 - "$prompt" <<'PYTHON'
import sys

import numpy
import soundfile

tune, rate = soundfile.read(sys.argv[1])
tune = numpy.interp(numpy.arange(480000) * rate / 48000, numpy.arange(len(tune)), tune)
# A little hiss: the rig takes exact silence for a gap.
tune = numpy.concatenate([tune, numpy.zeros(480000)]) + 1e-4 * numpy.random.default_rng(1).standard_normal(960000)
soundfile.write("tune.wav", numpy.repeat(tune[:, None], 2, axis=1), 48000)
PYTHON
bash hosts/ardour/ardour-rig.sh bundles urn:brume:brume "$work/ardour-answer" tune.wav "Second player" \
    "param:Wet=0" "expect:Seed=1" >ardour-answer.txt 2>&1 || failed=1
tail -n 3 ardour-answer.txt
/usr/bin/python3 - <<'PYTHON' || failed=1
import sys

import numpy
import soundfile

sound, rate = soundfile.read("ardour-answer.cli.wav")
level = [20 * numpy.log10(1e-9 + numpy.std(sound[int(from_ * rate):int(to * rate)])) for from_, to in ((0, 10), (13, 20))]
print(f"answer: the tune {level[0]:.1f} dBFS, what follows it {level[1]:.1f} dBFS")
sys.exit(level[1] < level[0] - 12)
PYTHON
SECS=10 PERIODS="64 1024" bash hosts/jalv/jalv-rig.sh bundles urn:brume:brume in.wav "$work/jalv" ||
    failed=1
exit $failed
