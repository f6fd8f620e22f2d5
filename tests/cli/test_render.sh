#!/bin/sh
# brume render: the same sound for the same words, longer sounds that begin as the shorter ones do,
# stereo, samplers and mixtures, interruption, and what it refuses. The model is a tiny one, trained
# here.
. tests/cli/common.sh
verb="render --model tiny.safetensors"
trap 'umount disk 2>/dev/null; clear_up' EXIT

/usr/bin/python3 - <<'PYTHON' || exit 1
import os

import numpy
import soundfile

random = numpy.random.default_rng(1)
for name in ("rain", "fire"):
    os.makedirs("sounds/" + name)
    for i in range(2):
        noise = random.standard_normal(44100 * 4)
        if name == "fire":
            noise *= random.random(len(noise)) < 0.002
            noise = numpy.convolve(noise, 5 * numpy.exp(-numpy.arange(200) / 40))[:len(noise)]
        soundfile.write(f"sounds/{name}/{i}.wav", (0.1 * noise).astype("float32"), 44100)
PYTHON
"$brume" train texture sounds -o tiny.safetensors --steps 3 --channels 16 --blocks 2 --batch 2 \
    --no-preview --quiet || exit 1

# render OUT ARGUMENTS...: with the tiny model.
render() {
    "$brume" render --model tiny.safetensors --quiet -o "$@" || fail "render -o $*"
}

# The same words, the same file.
umask 022
for suffix in wav flac ogg; do
    render "one.$suffix" --seconds 2 --seed 5
done
sleep 1.1
for suffix in wav flac ogg; do
    render "two.$suffix" --seconds 2 --seed 5
    cmp "one.$suffix" "two.$suffix" || fail "$suffix is not the same to the bit"
done
[ "$(stat -c %a one.wav)" = 644 ] || fail "the mode of a sound is $(stat -c %a one.wav)"
render first.wav --seconds 2 --seed 5 --class fire
cmp one.wav first.wav || fail "the first class is not the one taken when none is named"
render usual.wav --seconds 2 --seed 5 --sampler dpm --steps 8 --width 0.5 --channels 2 --rate 44100
cmp one.wav usual.wav || fail "what the help calls usual is not"

# What must make a difference.
render seed.wav --seconds 2 --seed 6
render rain.wav --seconds 2 --seed 5 --class rain
render steps.wav --seconds 2 --seed 5 --steps 3
for other in seed rain steps; do
    cmp -s one.wav $other.wav && fail "another $other makes the same sound"
done

# Longer ones begin as the shorter ones do.
for rate in 44100 48000; do
    for channels in 1 2; do
        render "short-$rate-$channels.wav" --rate $rate --channels $channels --seconds 2 --seed 5
        render "long-$rate-$channels.wav" --rate $rate --channels $channels --seconds 6 --seed 5
    done
done

for width in 0 0.5 1; do
    render "width-$width.wav" --seconds 8 --class rain --width $width
done

render ddpm.wav --seconds 2 --seed 5 --sampler ddpm --steps 20
render ddim.wav --seconds 2 --seed 5 --sampler ddim --steps 20
render dpm.wav --seconds 2 --seed 5 --sampler dpm --steps 20
cmp -s ddpm.wav ddim.wav && fail "ddpm and ddim make the same sound"
cmp -s dpm.wav ddim.wav && fail "dpm and ddim make the same sound"
render one-step.wav --seconds 0.5 --sampler ddpm --steps 1

render mixed.wav --seconds 2 --class rain:2,fire:1
render mixed-same.wav --seconds 2 --class fire:2,rain:3,rain
render mixed-more.wav --seconds 2 --class rain:1,fire:0.5
render mixed-other.wav --seconds 2 --class rain:1,fire:2
cmp mixed.wav mixed-same.wav || fail "the order of a mixture matters"
cmp mixed.wav mixed-more.wav || fail "a mixture's weights are not scaled"
cmp -s mixed.wav mixed-other.wav && fail "a mixture's weights do not matter"

render least.wav --seconds 0.001 --channels 1 --rate 8000
render odd.wav --seconds 0.5 --rate 22051
"$brume" render --model tiny.safetensors --seconds 1.00001 --seed 9223372036854775807 --json \
    -o 'a "b".wav' >result.json 2>noise.txt || fail "--json"
[ -s noise.txt ] && fail "progress though standard error is no terminal: $(cat noise.txt)"

/usr/bin/python3 - <<'PYTHON' || fail "the sounds are not what they should be"
import glob
import json

import numpy
import soundfile

faults = []

def check(good, *words):
    if not good:
        faults.append(words)

for name in glob.glob("*.wav") + glob.glob("*.flac") + glob.glob("*.ogg"):
    x, rate = soundfile.read(name)
    check(numpy.isfinite(x).all() and abs(x).max() <= 1, name, "is not finite or above 1")
    check(numpy.sqrt(numpy.mean(x ** 2)) > 1e-3 or name == "least.wav", name, "is silent")
for name, rate, frames, channels in (("one.wav", 44100, 88200, 2), ("one.flac", 44100, 88200, 2),
                                     ("one.ogg", 44100, 88200, 2), ("odd.wav", 22051, 11026, 2),
                                     ("long-48000-1.wav", 48000, 288000, 1), ("least.wav", 8000, 8, 1)):
    info = soundfile.info(name)
    check((info.samplerate, info.frames, info.channels) == (rate, frames, channels), name, info)
for rate in 44100, 48000:
    for channels in 1, 2:
        short = soundfile.read(f"short-{rate}-{channels}.wav", dtype="float32")[0]
        long = soundfile.read(f"long-{rate}-{channels}.wav", dtype="float32")[0]
        check((short == long[:2 * rate]).all(), rate, channels, "6 s do not begin as 2 s do")

def correlation(x, y):
    return numpy.corrcoef(x.ravel(), y.ravel())[0, 1]

one, seed = soundfile.read("one.wav")[0], soundfile.read("seed.wav")[0]
check(abs(correlation(one[:, 0], seed[:, 0])) < 0.05, "two seeds are alike")

def shape(x):
    """Log spectra of 46 ms frames, each bin's mean taken away."""
    frames = numpy.lib.stride_tricks.sliding_window_view(x, 2048)[::1024] * numpy.hanning(2048)
    log = numpy.log(abs(numpy.fft.rfft(frames)[:, 8:1000]) ** 2 + 1e-9)
    return log - log.mean(axis=0)

# At half width the channels are as alike as in the recordings: neither the same nor strangers.
wide = {w: soundfile.read(f"width-{w}.wav")[0].T for w in ("0", "0.5", "1")}
alike = {w: (correlation(*x), correlation(shape(x[0]), shape(x[1]))) for w, x in wide.items()}
check((wide["0"][0] == wide["0"][1]).all(), "width 0 is not mono")
check(abs(alike["1"][0]) < 0.1 and abs(alike["1"][1]) < 0.1, "width 1 shares something", alike)
check(0.2 < alike["0.5"][0] < 0.9, "width 0.5 is not between mono and wide", alike)
powers = [numpy.mean(x ** 2, axis=1) for x in wide.values()]
check(numpy.ptp(10 * numpy.log10(powers)) < 1, "the width changes the level", powers)

result = json.load(open("result.json"))
check(result["output"] == 'a "b".wav' and result["frames"] == 44100 and result["rate"] == 44100
      and result["channels"] == 2 and result["seed"] == 2 ** 63 - 1, result)
check(1 < result["first_join"] < 2 and 1 < result["join_interval"] < 3, result)
for fault in faults:
    print(*fault)
raise SystemExit(bool(faults))
PYTHON

# A file that was there is replaced, through a link too.
cp rain.wav there.wav
ln -s there.wav link.wav
render link.wav --seconds 2 --seed 5
{ [ -L link.wav ] && cmp one.wav there.wav; } || fail "a link's file is not replaced"

# An interrupted render leaves what was there, and nothing else; however long a step takes.
# interrupt SIGNAL ARGUMENTS...
interrupt() {
    mkdir broken
    cp one.wav broken/out.wav
    /usr/bin/python3 - "$brume" "$@" <<'PYTHON' || fail "kill -$*"
import os
import signal
import subprocess
import sys
import time

brume, number = sys.argv[1], getattr(signal, "SIG" + sys.argv[2])
run = subprocess.Popen([brume, "render", "--model", "tiny.safetensors", "-o", "broken/out.wav",
                        *sys.argv[3:]], stderr=subprocess.PIPE)
begun = time.monotonic()
while len(os.listdir("broken")) < 2 and time.monotonic() < begun + 20 and run.poll() is None:
    time.sleep(0.02)
time.sleep(0.3)
run.send_signal(number)
sent = time.monotonic()
try:
    err = run.communicate(timeout=20)[1].decode()
except subprocess.TimeoutExpired:
    run.kill()
    sys.exit("goes on after the signal")
if time.monotonic() - sent > 3:
    sys.exit("takes %.1f s to stop" % (time.monotonic() - sent))
if run.returncode != 1 or err != "brume render: interrupted: nothing was written\n":
    sys.exit("exit code %d, says: %s" % (run.returncode, err))
PYTHON
    { [ "$(ls -A broken)" = out.wav ] && cmp one.wav broken/out.wav; } || fail "kill -$*: $(ls -A broken)"
    rm -r broken
}
interrupt INT --seconds 100000
interrupt TERM --seconds 100000
interrupt HUP --seconds 100000 --rate 48000
interrupt INT --seconds 2 --sampler ddpm --steps 1000

mkdir folder folder.wav
mkfifo pipe.wav
ln -s /dev/full full.wav

refuse 2 "--steps 0 is out of range: give 1 to 1000" -o bad.wav --steps 0
for value in 1001 -1 8.5 8x '' nan 99999999999999999999; do
    refuse 2 "--steps $value is" -o bad.wav --steps "$value"
done
for value in -1 0 1e12 nan inf 1e999 '' 10s 0x10; do
    refuse 2 "--seconds $value is" -o bad.wav --seconds "$value"
done
for value in -0.1 1.1 nan wide; do
    refuse 2 "--width $value is" -o bad.wav --width "$value"
done
for value in 0 7999 192001 nan 44100Hz; do
    refuse 2 "--rate $value is" -o bad.wav --rate "$value"
done
refuse 2 "--rate 44100.5: give a whole number" -o bad.wav --rate 44100.5
refuse 2 "--seed -1 is" -o bad.wav --seed -1
refuse 2 "--seed 9223372036854775808 is" -o bad.wav --seed 9223372036854775808
refuse 2 "--channels 3 is" -o bad.wav --channels 3
refuse 2 -o --seconds 1
refuse 2 extra extra -o bad.wav
refuse 2 --wrong -o bad.wav --wrong
refuse 1 "\"snow\": it has fire, rain" -o bad.wav --class snow
refuse 1 "it has fire, rain" -o bad.wav --class ''
refuse 1 "it has fire, rain" -o bad.wav --class rain,
refuse 1 "it has fire, rain" -o bad.wav --class Rain
refuse 1 "class" -o bad.wav --class "$(printf 'a\nb\033[31m')"
refuse 1 "too long" -o bad.wav --class "$(printf '%02000d' 0)"
for weight in -1 nan inf 1e7 '' x 1x; do
    refuse 1 "rain" -o bad.wav --class "rain:$weight"
done
refuse 1 "weight 0" -o bad.wav --class rain:0,fire:0
refuse 1 "ddpm, ddim or dpm" -o bad.wav --sampler euler
refuse 1 "ddpm, ddim or dpm" -o bad.wav --sampler ''

refuse 1 "nowhere/bad.wav" -o nowhere/bad.wav
refuse 1 "rain.wav/bad.wav" -o rain.wav/bad.wav
refuse 1 "suffix" -o /dev/full
refuse 1 "full.wav" -o full.wav
refuse 1 "pipe.wav" -o pipe.wav
refuse 1 "folder.wav" -o folder.wav
refuse 1 "suffix" -o bad.xyz
refuse 1 "suffix" -o bad
refuse 1 "suffix" -o .wav
refuse 1 "suffix" -o folder/
[ -c /dev/full ] || fail "the device was replaced"

# A full disk. Encoders keep some of the sound to themselves, so it must be more than a little.
for suffix in wav flac ogg; do
    limited 64 refuse 1 "bad.$suffix" -o "bad.$suffix" --seconds 6
done
mkdir disk
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=64k none disk 2>/dev/null; then
    for suffix in wav flac ogg; do
        refuse 1 "bad.$suffix: cannot be written: No space left on device" -o "disk/bad.$suffix" --seconds 6
    done
    umount disk
else
    echo "no file system could be mounted: the full disk is not tried"
fi

"$brume" render --help >help.txt || fail "--help"
for word in --seconds --class --seed --steps --sampler --width --rate --channels --model --output; do
    grep -q -e "$word" help.txt || fail "--help does not tell of $word"
done

finish
