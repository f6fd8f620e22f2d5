#!/bin/sh
# Plays the same sound in every way there is, prints a line for each, and writes tests/bench/EXACT.md.
# BUILD is the folder of the programs.
set -eu
BUILD=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
"$BUILD/tests/host/test_exact" all "$work/tables.md" || failed=1
{
    cat <<'END'
# The same sound again

Written by `make exact`. With the same model, seed and settings at 48 kHz: the command (`brume render`,
`brume transform`), an export, and what is heard live, in blocks of 1, 16, 64, 100, 1024 and varied frames,
one instance and eight at once (every other one with another seed); a session saved after some frames, the
instance that was saved and goes on, and what is heard of it when it is restored, by one instance, by eight,
and in another process. Samples are compared as numbers. An answer, which the command does not make so long
after its question, is compared with an export. What is transformed is not gone on with: its input is gone.
Live takes in which the sound ran dry are made again: it is the sound that is tested.

*Kernels of*: the same objects, linked so that they take the processor for one that has less
(tests/exact/processor.c); each is compared with the sound of its own set of instructions for floating
point: AVX-512, AVX2 and FMA, or what every x86-64 has. The mathematical library is the machine's own in
these; below it is a lesser processor's too, as glibc's tunables have it, and OpenBLAS is held to that
processor's core.

END
    cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
    echo "Machine: $cpu, $(nproc) cores; built from $(git describe --always --dirty 2>/dev/null || echo '?')."
    echo
    cat "$work/tables.md"
} >"$work/exact.md"
if ! sh tests/exact/libraries.sh "$BUILD" >>"$work/exact.md"; then
    failed=1
fi
cp "$work/exact.md" tests/bench/EXACT.md
echo "exact: wrote tests/bench/EXACT.md" >&2
[ $failed -eq 0 ]
