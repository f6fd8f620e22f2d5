#!/bin/sh
# cli/soundfile: what is read, what is refused, and files that come out whole and the same to the
# bit. Reading is tried through brume plot as well; the writer through a small program of its own.
. tests/cli/common.sh

cat >copy.c <<'C'
#include "cli/soundfile.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* copy IN OUT MAX_SECONDS RATE MOST_FRAMES END: writes IN as OUT, as if it had RATE (0: its own);
 * END is commit, discard, or nan (one more sample, not finite, which must be refused). */
int main(int argc, char **argv)
{
    Error err = {0};
    Sound sound;
    signal(SIGXFSZ, SIG_IGN);
    if (argc != 7)
        return 2;
    int result = soundfile_load(argv[1], atof(argv[3]), &sound, &err);
    SoundWriter *writer = NULL;
    if (result == 0) {
        unsigned rate = (unsigned)atoi(argv[4]);
        writer = sound_writer_create(argv[2], rate > 0 ? rate : sound.rate, sound.channels,
                                     strtoull(argv[5], NULL, 10), &err);
        result = writer == NULL ? -1 : sound_writer_write(writer, sound.samples, sound.frames, &err);
    }
    if (result == 0 && strcmp(argv[6], "nan") == 0) {
        float bad[64];
        for (size_t i = 0; i < 64; i++)
            bad[i] = NAN;
        result = sound_writer_write(writer, bad, 1, &err);
    }
    if (result == 0 && strcmp(argv[6], "commit") == 0)
        result = sound_writer_commit(writer, &err);
    else
        sound_writer_discard(writer);
    sound_free(&sound);
    if (result != 0)
        fprintf(stderr, "%s\n", err.message);
    return result == 0 ? 0 : 1;
}
C
case $build in
*asan) sanitize="-fsanitize=address -g" ;;
*tsan) sanitize="-fsanitize=thread -g" ;;
*) sanitize= ;;
esac
# shellcheck disable=SC2046,SC2086
${CC:-cc} -std=gnu11 -O1 $sanitize -I"$root" -o copy copy.c "$root/cli/soundfile.c" \
    "$root/cli/sound_reader.c" "$root/cli/output.c" "$root/cli/ogg.c" "$root/models/temporary.c" "$root/dsp/error.c" \
    $(pkg-config --cflags --libs sndfile) -lm || exit 1

/usr/bin/python3 - <<'PYTHON' || exit 1
import struct

import numpy
import soundfile

noise = numpy.random.default_rng(7).standard_normal((20000, 2)).astype("float32")
soundfile.write("in.wav", noise * 0.5, 44100, subtype="FLOAT")
soundfile.write("wide.wav", numpy.zeros((9, 9), "float32"), 48000, subtype="FLOAT")
soundfile.write("crowd.wav", numpy.zeros((9, 65), "float32"), 48000, subtype="FLOAT")
soundfile.write("whole.flac", noise * 0.1, 44100)
for name, bad in (("nan", numpy.nan), ("inf", numpy.inf)):
    spoilt = noise.copy()
    spoilt[11025, 1] = bad
    soundfile.write(name + ".wav", spoilt, 44100, subtype="FLOAT")
for name, rate in (("slow", 999), ("fast", 768001)):
    soundfile.write(name + ".wav", noise[:100], rate)
soundfile.write("huge.wav", numpy.full((100, 1), 1e300), 8000, subtype="DOUBLE")
# Headers that promise far more than is there.
data = bytearray(open("in.wav", "rb").read())
at = data.index(b"data") + 4
data[at:at + 4] = data[4:8] = b"\xff\xff\xff\xff"
open("liar.wav", "wb").write(data)
data = bytearray(open("whole.flac", "rb").read())
data[21] |= 0x0f
data[22:26] = b"\xff\xff\xff\xff"
open("liar.flac", "wb").write(data)
open("cut.flac", "wb").write(open("whole.flac", "rb").read()[:30000])
open("text.ogg", "w").write("OggS, or so it says\n" * 20)
open("noise.mp3", "wb").write(b"\xff\xfb\x90\x64" + noise.tobytes()[:5000])
PYTHON

# write OUT [RATE MOST_FRAMES]
write() {
    ./copy in.wav "$1" 0 "${2:-0}" "${3:-20000}" commit
}

umask 027
for suffix in wav flac ogg WAV; do
    write "one.$suffix" && sleep 1.1 && write "two.$suffix" || fail "$suffix is not written"
    cmp "one.$suffix" "two.$suffix" || fail "$suffix is not the same to the bit"
    [ "$(stat -c %a "one.$suffix")" = 640 ] || fail "$suffix has the wrong mode"
    "$brume" plot --quiet "one.$suffix" -o "$suffix.png" || fail "$suffix is not read"
done
write big.wav 0 4000000000 || fail "RF64 is not written"
[ "$(head -c 4 big.wav)" = RF64 ] || fail "what may pass 4 GiB is no RF64"

/usr/bin/python3 - <<'PYTHON' || fail "what was written is not what was given"
import numpy
import soundfile

want, rate = soundfile.read("in.wav", dtype="float32")
for name, kind, error in (("one.wav", "FLOAT", 0), ("big.wav", "FLOAT", 0), ("one.flac", "PCM_24", 2e-7),
                          ("one.ogg", "VORBIS", 0.5)):
    info = soundfile.info(name)
    got, got_rate = soundfile.read(name, dtype="float32")
    limit = want if kind == "FLOAT" else numpy.clip(want, -1, 1)
    assert info.subtype == kind and got_rate == rate and got.shape == want.shape, name
    assert numpy.abs(got - limit).max() <= error, (name, numpy.abs(got - limit).max())
    assert kind != "VORBIS" or numpy.corrcoef(got[:, 0], limit[:, 0])[0, 1] > 0.95
data = open("one.wav", "rb").read()
assert b"PEAK" not in data[:200]
PYTHON

# refuse_copy WORD ARGUMENTS...: copy fails so.
refuse_copy() {
    word=$1
    shift
    refuse_command 1 "$word" ./copy "$@"
}

refuse_copy "bad.mp3: the suffix names no format: give .wav, .flac or .ogg" in.wav bad.mp3 0 0 1 commit
refuse_copy bad in.wav bad 0 0 1 commit
refuse_copy bad.flac in.wav bad.flac 0 700000 1 commit
refuse_copy bad.flac wide.wav bad.flac 0 0 1 commit
refuse_copy bad.ogg in.wav bad.ogg 0 768000 1 commit
refuse_copy 999 in.wav bad.wav 0 999 1 commit
refuse_copy "longer than 0.4 s" in.wav bad.wav 0.4 0 1 commit
refuse_copy nowhere/bad.wav in.wav nowhere/bad.wav 0 0 1 commit
for suffix in wav flac ogg; do
    refuse_copy "bad.$suffix: the sample at 0.453515 s" in.wav "bad.$suffix" 0 0 1 nan
    ./copy in.wav "bad.$suffix" 0 0 1 discard || fail "discard"
    [ -z "$(ls -A | grep bad)" ] || fail "discard leaves something"
    limited 16 refuse_copy "bad.$suffix" in.wav "bad.$suffix" 0 0 1 commit
done
./copy in.wav exact.wav 0.4536 0 20000 commit || fail "a sound of the length allowed"
printf old >old.wav
(ulimit -f 16 && ./copy in.wav old.wav 0 0 1 commit 2>err.txt) && fail "a full disk, old.wav"
[ "$(cat old.wav)" = old ] || fail "a failure harmed what was there"
ln -s target.wav link.wav && write target.wav && write link.wav && [ -L link.wav ] ||
    fail "a link was replaced"

for name in crowd.wav nan.wav inf.wav slow.wav fast.wav huge.wav text.ogg noise.mp3; do
    refuse_copy "$name: " "$name" bad.wav 0 0 1 commit
    refuse 1 "$name" plot "$name" -o bad.png
done
refuse_copy "nan.wav: the sample at 0.250000 s" nan.wav bad.wav 0 0 1 commit
# A header that lies must not cost memory: 1 GiB is all there is (sanitizers want far more).
[ -n "$sanitize" ] || ulimit -v 1048576
./copy liar.wav liar-out.wav 0 0 20000 commit || fail "liar.wav"
cmp -s liar-out.wav one.wav || fail "liar.wav lost its sound"
for name in liar.flac cut.flac; do
    ./copy $name out.wav 0 0 20000 commit 2>err.txt
    [ $? -le 1 ] || fail "$name: $(cat err.txt)"
done

finish
