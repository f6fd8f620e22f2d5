#!/usr/bin/env python3
"""Compares copy synthesis with the recordings it copies.

    copy_measure.py FOLDER [NOTES_FOLDER]

FOLDER holds NAME.real.wav and NAME.KIND.wav for several KINDs, as `predictor copy` writes them: four
seconds from the fifth second on of NAME. NOTES_FOLDER holds NAME.txt with the true onsets (seconds
first in each line). Prints, for each kind and instrument (NAME up to its hyphen) and over all:
  pitch    share of voiced frames whose pitch is within half a semitone of the recording's
  level    overall level less the recording's, mean size in dB
  mel      mean difference of 20 log-mel levels (30-8000 Hz, 32 ms every 8 ms; 60 dB of range), dB
  deep     the same with 90 dB of range, which shows haze where the recording is near silent
  attack   the same of levels every 2 ms, from 10 ms before to 40 ms after each onset, dB
  high     energy above 4 kHz less the recording's, mean, dB (and its mean size)"""
import glob
import os
import sys

import numpy as np
import soundfile

RATE, START = 16000, 4.0


def frames(x, size, hop):
    return np.lib.stride_tricks.sliding_window_view(x, size)[::hop]


def power(x, size=512, hop=128):
    return np.abs(np.fft.rfft(frames(x, size, hop) * np.hanning(size))) ** 2


def mel_filters(bins, bands=20, low=30.0, high=8000.0):
    mel = lambda f: 2595 * np.log10(1 + f / 700)
    edges = 700 * (10 ** (np.linspace(mel(low), mel(high), bands + 2) / 2595) - 1)
    f = np.arange(bins) * RATE / 2 / (bins - 1)
    rise = (f - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - f) / (edges[2:] - edges[1:-1])[:, None]
    w = np.maximum(0, np.minimum(rise, fall))
    return w / np.maximum(w.sum(1, keepdims=True), 1e-9)


def pitches(x):
    """Pitch (Hz, 0: none) of frames of 64 ms, by normalised autocorrelation."""
    size, out = 1024, []
    for frame in frames(x, size, 256):
        frame = frame - frame.mean()
        energy = np.sum(frame ** 2)
        if energy / size < 1e-7:
            out.append(0.0)
            continue
        spectrum = np.fft.rfft(frame * np.hanning(size), 4 * size)
        r = np.fft.irfft(np.abs(spectrum) ** 2)[:400]
        r = r / r[0] / (1 - np.arange(400) / size) ** 1.0
        peaks = [k for k in range(7, 399) if r[k] >= r[k - 1] and r[k] > r[k + 1]]
        best = max((r[k] for k in peaks), default=0.0)
        k = next((k for k in peaks if r[k] > 0.9 * best), 0) if best > 0.5 else 0
        if k:
            bend = r[k - 1] - 2 * r[k] + r[k + 1]
            out.append(RATE / (k + 0.5 * (r[k - 1] - r[k + 1]) / bend))
        else:
            out.append(0.0)
    return np.array(out)


def decibel(p, floor):
    return 10 * np.log10(np.maximum(p, floor))


def measure(real, made, onsets):
    a, b = power(real), power(made)
    filters = mel_filters(a.shape[1])
    ma, mb = a @ filters.T, b @ filters.T
    mel, deep = (np.mean(np.abs(decibel(ma, floor) - decibel(mb, floor)))
                 for floor in (ma.max() * 1e-6, ma.max() * 1e-9))
    level = 10 * np.log10(np.sum(made ** 2) / np.sum(real ** 2))
    f = np.arange(a.shape[1]) * RATE / 2 / (a.shape[1] - 1)
    high = 10 * np.log10((b[:, f >= 4000].sum() + 1e-9) / (a[:, f >= 4000].sum() + 1e-9))
    fa, fb = pitches(real), pitches(made)
    voiced = fa > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        right = np.abs(12 * np.log2(fb[voiced] / fa[voiced])) < 0.5
    ea, eb = (np.mean(frames(x, 64, 32) ** 2, axis=1) for x in (real, made))
    floor, attacks = ea.max() * 1e-5, []
    for onset in onsets:
        first = round((onset * RATE - 160) / 32)
        if 0 <= first and first + 25 <= len(ea):
            part = slice(first, first + 25)
            attacks.append(np.mean(np.abs(decibel(ea[part], floor) - decibel(eb[part], floor))))
    return [np.mean(right) if voiced.any() else np.nan, abs(level), mel, deep,
            np.mean(attacks) if attacks else np.nan, high, abs(high)]


def main():
    folder, notes = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    kinds, table = set(), {}
    for path in sorted(glob.glob(os.path.join(folder, "*.real.wav"))):
        name = os.path.basename(path)[:-9]
        real = soundfile.read(path)[0]
        onsets = []
        if notes:
            onsets = [float(line.split()[0]) - START for line in open(os.path.join(notes, name + ".txt"))]
        for other in glob.glob(os.path.join(folder, name + ".*.wav")):
            kind = other.split(".")[-2]
            if kind != "real":
                kinds.add(kind)
                table.setdefault((kind, name.split("-")[0]), []).append(
                    measure(real, soundfile.read(other)[0], onsets))
    print("| | | pitch | level | mel | deep | attack | high | size |\n|---|---|---|---|---|---|---|---|---|")
    for kind in sorted(kinds):
        rows = {who: np.nanmean(v, axis=0) for (k, who), v in table.items() if k == kind}
        rows["**all**"] = np.nanmean(np.vstack([v for (k, _), v in table.items() if k == kind]), axis=0)
        for who, row in rows.items():
            print(f"| {kind} | {who} | {row[0]:.3f} | " + " | ".join(f"{v:.2f}" for v in row[1:5])
                  + f" | {row[5]:+.2f} | {row[6]:.2f} |")


if __name__ == "__main__":
    main()
