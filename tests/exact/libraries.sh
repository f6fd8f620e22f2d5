#!/bin/sh
# usage: libraries.sh BUILD: a table of what the command makes where the libraries, too, take the
# processor for a lesser one: glibc's mathematics by its tunables, OpenBLAS by its core type. Fails if
# what must be the same to the bit is not.
set -u
build=$(realpath "$1")
export BRUME_MODELS="$build/brume.lv2/models"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
less_avx512='-AVX512F,-AVX512VL,-AVX512BW,-AVX512CD,-AVX512DQ'
less_avx2="$less_avx512,-AVX2,-AVX,-FMA,-FMA4"

# sounds NAME BRUME HWCAPS CORE: three textures and an answer, into NAME.SOUND.wav.
sounds() {
    for sound in rain waves fire melody; do
        case $sound in
        melody) arguments="continue tests/prompts/piano.flac" ;;
        *) arguments="render --rate 48000 --class $sound" ;;
        esac
        # shellcheck disable=SC2086 # words
        env ${3:+"GLIBC_TUNABLES=glibc.cpu.hwcaps=$3"} ${4:+"OPENBLAS_CORETYPE=$4"} \
            "$2" $arguments --seconds 20 --seed 3 --quiet -o "$work/$1.$sound.wav" || exit 1
    done
}

sounds usual "$build/brume" '' ''
sounds prescott "$build/brume" '' Prescott
sounds haswell "$build/brume" '' Haswell
sounds avx2 "$build/tests/exact/avx2/brume" "$less_avx512" Haswell
sounds ssse3 "$build/tests/exact/ssse3/brume" "$less_avx2" Prescott
sounds sse2 "$build/tests/exact/sse2/brume" "$less_avx2,-SSSE3,-SSE4_1,-SSE4_2" Prescott
/usr/bin/python3 - "$work" <<'PYTHON'
import sys

import numpy
import soundfile

work = sys.argv[1]
rows = [("prescott", "this machine's kernels, OpenBLAS as on a Prescott", True),
        ("haswell", "this machine's kernels, OpenBLAS as on a Haswell", True),
        ("avx2", "AVX2 and FMA, libraries too", True),
        ("ssse3", "SSSE3, libraries too", False),
        ("sse2", "SSE2, libraries too", False)]


def levels(sound, rate):
    """Of thirds of an octave from 100 Hz, in dB, of each second: (seconds, bands)."""
    edges = 100 * 2 ** (numpy.arange(0, 23) / 3)
    edges = edges[edges < rate / 2]
    frequencies = numpy.fft.rfftfreq(rate, 1 / rate)
    power = numpy.abs(numpy.fft.rfft(sound[:len(sound) // rate * rate].reshape(-1, rate))) ** 2
    bands = [power[:, (frequencies >= a) & (frequencies < b)].sum(1) for a, b in zip(edges, edges[1:])]
    return 10 * numpy.log10(numpy.array(bands).T + 1e-12)


def decibels(wrong, right):
    return 10 * numpy.log10((wrong ** 2).sum() / (right ** 2).sum())


print("""
## With the libraries of lesser processors

The difference from what `brume render --seconds 20 --seed 3 --rate 48000 --class ...` and
`brume continue tests/prompts/piano.flac --seconds 20 --seed 3` make here: its peak, its power beside that
of the signal in the first second and in the worst one, and by how much the level of a third of an octave
(among those within 60 dB of the loudest) is another in a second.

| sound | with | peak | first second, dB | worst second, dB | levels, dB |
|---|---|---|---|---|---|""")
failed = False
for job in ("rain", "waves", "fire", "melody"):
    usual, rate = soundfile.read(f"{work}/usual.{job}.wav", always_2d=True)
    usual = usual[:, 0]
    for name, what, exact in rows:
        sound = soundfile.read(f"{work}/{name}.{job}.wav", always_2d=True)[0][:, 0]
        wrong = sound - usual
        if not wrong.any():
            print(f"| {job} | {what} | 0 | the same to the bit | | |")
            continue
        failed |= exact
        each = [decibels(wrong[i:i + rate], usual[i:i + rate]) if wrong[i:i + rate].any() else -999
                for i in range(0, len(usual), rate)]
        a, b = levels(usual, rate), levels(sound, rate)
        heard = a > a.max() - 60
        print(f"| {job} | {what} | {numpy.abs(wrong).max():.2g} | {each[0]:.1f} | {max(each):.1f} | "
              f"{numpy.abs(a - b)[heard].max():.2f} |")
sys.exit(failed)
PYTHON
