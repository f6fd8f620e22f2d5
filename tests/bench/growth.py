"""usage: growth.py MODEL BUILD: how Brume's cost grows with what it is asked for, as tables in Markdown.

Each command runs whole; processor seconds are those of the process, medians of rounds that take all sizes in turn.
BENCH_SHORT=1: one round; BENCH_LONG=1: an hour is rendered as well."""
import os
import re
import subprocess
import sys
import tempfile
import time

import numpy
import soundfile

ROUNDS = 1 if os.environ.get("BENCH_SHORT") else 3


class Cost:
    """What a command took: processor seconds, seconds, MiB at most."""

    def __init__(self, processor, seconds, memory):
        self.processor, self.seconds, self.memory = processor, seconds, memory


def start(command, output=subprocess.DEVNULL):
    return subprocess.Popen(command, stdout=output), time.monotonic()


def finish(process, begun, allowed=0):
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, allowed):
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return Cost(used.ru_utime + used.ru_stime, time.monotonic() - begun, used.ru_maxrss / 1024)


def run(*command):
    return finish(*start(command))


def run_all(commands):
    """The costs of the commands, medians of rounds in which each runs once."""
    costs = [[run(*command) for command in commands] for _ in range(ROUNDS)]
    keys = ("processor", "seconds", "memory")
    return [Cost(*(numpy.median([getattr(c, key) for c in column]) for key in keys)) for column in zip(*costs)]


def exponent(sizes, costs):
    """Of cost ~ size^exponent, over all sizes and between the last two; 1 is linear."""
    sizes, costs = numpy.log(sizes), numpy.log(costs)
    last = (costs[-1] - costs[-2]) / (sizes[-1] - sizes[-2])
    return f"Exponent {numpy.polyfit(sizes, costs, 1)[0]:.2f}, between the last two {last:.2f}."


def print_table(title, heading, rows, remark=""):
    print(f"### {title}\n")
    for cells in [heading, ["---"] * len(heading)] + rows:
        print("| " + " | ".join(str(cell) for cell in cells) + " |")
    print(f"\n{remark}\n" if remark else "", flush=True)


class Growth:
    def __init__(self, model, build, folder):
        self.brume, self.model, self.build, self.folder = f"{build}/brume", model, build, folder

    def render(self, seconds, *more, model=None, out="out"):
        command = [self.brume, "render", "--quiet", "--model", model or self.model, "--seconds", str(seconds)]
        return command + ["--seed", "1", *more, "-o", f"{self.folder}/{out}.wav"]

    def train(self, sounds, steps, *more):
        path = f"{self.folder}/trained.safetensors"
        for old in (path, path + ".checkpoint"):
            if os.path.exists(old):
                os.remove(old)
        return run(self.brume, "train", "texture", sounds, "-o", path, "--steps", str(steps), "--no-preview",
                   "--quiet", *more)

    def noise(self, minutes):
        """A folder with as much noise, one flac file."""
        random, sounds = numpy.random.default_rng(1), f"{self.folder}/{minutes:g}"
        os.makedirs(f"{sounds}/noise")
        with soundfile.SoundFile(f"{sounds}/noise/0.flac", "w", 44100, 1, "PCM_16") as file:
            for _ in range(round(3 * minutes)):
                file.write((0.1 * random.standard_normal(44100 * 20)).astype("float32"))
        return sounds

    def by_seconds(self):
        lengths = [10, 30, 120] + ([3600] if os.environ.get("BENCH_LONG") else [])
        costs = run_all([self.render(length) for length in lengths])
        rows = [
            [n, f"{c.processor:.2f}", f"{n / c.processor:.1f}", f"{c.memory:.0f} MiB"] for n, c in zip(lengths, costs)
        ]
        print_table(
            "Seconds rendered",
            ["seconds of sound", "processor seconds", "x real time", "most memory"],
            rows,
            exponent(lengths, [c.processor for c in costs])
            + " Required: an hour in under 200 MiB. Stereo, 44.1 kHz, 8 steps, with starting and writing the file.",
        )

    def by_steps(self):
        steps = [1, 2, 4, 8, 16, 32]
        costs = run_all([self.render(20, "--steps", str(n)) for n in steps])
        rows = [[n, f"{c.processor:.2f}", f"{20 / c.processor:.1f}"] for n, c in zip(steps, costs)]
        remark = exponent(steps, [c.processor for c in costs]) + " The inversion is the same for all."
        print_table("Steps, 20 seconds of sound", ["steps", "processor seconds", "x real time"], rows, remark)

    def by_size(self):
        widths, models, sounds = [128, 256, 384], [], self.noise(1)
        for width in widths:
            self.train(sounds, 3, "--channels", str(width))
            models.append(f"{self.folder}/{width}.safetensors")
            os.rename(f"{self.folder}/trained.safetensors", models[-1])
        # f16 after a header and tables that all have: two bytes a weight.
        sizes = [os.path.getsize(model) / 2e6 for model in models]
        costs = run_all([self.render(20, model=model) for model in models])
        rows = [
            [w, f"{s:.1f}", f"{c.processor:.2f}", f"{20 / c.processor:.1f}", f"{c.memory:.0f} MiB"]
            for w, s, c in zip(widths, sizes, costs)
        ]
        heading = ["channels", "million weights", "processor seconds", "x real time", "most memory"]
        remark = "Against the number of weights: " + exponent(sizes, [c.processor for c in costs])
        print_table("Size of the model, 20 seconds of sound", heading, rows, remark)

    def by_threads(self):
        rows, alone = [], None
        for n in (1, 2):
            seconds = []
            for _ in range(ROUNDS):
                begun = [start(self.render(60, out=f"out{i}")) for i in range(n)]
                seconds.append(max(finish(*each).seconds for each in begun))
            took = numpy.median(seconds)
            alone = alone or took
            rows.append([n, f"{took:.2f}", f"{60 * n / took:.1f}", f"{n * alone / took:.2f}"])
        heading = ["renders at once", "seconds until all are done", "x real time together", "speed-up"]
        print_table("Threads, a minute of sound each", heading, rows, "One process each, by the clock.")

    def by_instances(self):
        rows, counts, costs, log = [], [1, 2, 4, 8], [], f"{self.folder}/many"
        for n in counts:
            with open(log, "w", encoding="utf-8") as file:
                # It fails where a single underrun is counted: the table says how many.
                cost = finish(*start([f"{self.build}/tests/host/many", str(n), "20"], file), allowed=1)
            with open(log, encoding="utf-8") as file:
                underruns = sum(int(count) for count in re.findall(r"(\d+) underruns, load", file.read()))
            costs.append(cost.processor)
            rows.append([n, f"{cost.processor:.2f}", f"{cost.processor / n:.2f}", underruns])
        heading = ["instances", "processor seconds of the host", "for each", "underruns"]
        remark = exponent(counts, costs) + " With opening them."
        print_table("Instances in a host, 20 seconds, 48 kHz, blocks of 64", heading, rows, remark)

    def by_hours(self):
        rows, minutes, firsts = [], [10, 30, 60], []
        sounds = [self.noise(length) for length in minutes]
        rounds = [[(self.train(s, 2), self.train(s, 12)) for s in sounds] for _ in range(ROUNDS)]
        for length, pairs in zip(minutes, zip(*rounds)):
            each = numpy.median([(more.processor - few.processor) / 10 for few, more in pairs])
            firsts.append(numpy.median([few.processor for few, _ in pairs]) - 2 * each)
            memory = max(more.memory for _, more in pairs)
            rows.append([length, f"{firsts[-1]:.1f}", f"{each:.2f}", f"{memory:.0f} MiB"])
        heading = ["minutes of sound", "analysis and last score, processor seconds", "a step", "most memory"]
        remark = "Analysis: " + exponent(minutes, firsts) + " Required: an hour in under 2 GiB."
        print_table("Hours of training data", heading, rows, remark)


def main():
    model, build = sys.argv[1:]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        growth = Growth(model, build, folder)
        for table in ("by_seconds", "by_steps", "by_size", "by_threads", "by_instances", "by_hours"):
            print(f"bench: growth.py {table}", file=sys.stderr)
            try:
                getattr(growth, table)()
            except (subprocess.CalledProcessError, RuntimeError, OSError) as error:
                print(f"growth.py {table}: {error}", file=sys.stderr)
                print(f"({table} failed.)\n")
                failed = 1
    sys.exit(failed)


main()
