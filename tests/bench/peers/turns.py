"""Programs that do the same work, timed in turns: each for a slice of time, again and again.

A worker is a program that answers the commands of tests/bench/worker.c."""
import contextlib
import subprocess
import sys

import numpy


def version(*command):
    """What a command prints; None where it fails or is not there."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


class Worker:
    def __init__(self, name, *command):
        self.name, self.seconds = name, {}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(self, line):
        """The answer; None from a worker that has ended, which is said once and then left out."""
        if self.process is None:
            return None
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().strip()
        except BrokenPipeError:
            answer = ""
        if not answer:
            print(f"bench: {self.name} has failed at: {line}", file=sys.stderr)
            self.close()
            return None
        return answer

    def close(self):
        if self.process is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
            self.process.wait()
            self.process = None


def open_all(workers, windows, frames, arrays, folder):
    """Each worker's output for the same input, by name."""
    path, outputs = f"{folder}/input", {}
    with open(path, "wb") as file:
        for array in arrays:
            file.write(numpy.ascontiguousarray(array, "float32").tobytes())
    for worker in workers:
        if worker.ask(f"open {windows} {frames} {path} {folder}/output") == "ok":
            outputs[worker.name] = numpy.fromfile(f"{folder}/output", "float32")
    return outputs


def time_all(workers, rounds, seconds):
    """Seconds of a run, `rounds` of each worker, by name; every other round goes the other way about."""
    times = {}
    for turn in range(rounds):
        for worker in workers if turn % 2 else reversed(workers):
            answer = worker.ask(f"time {seconds}")
            if answer:
                times.setdefault(worker.name, []).append(float(answer.split()[0]))
    return {name: numpy.array(values) for name, values in times.items() if len(values) == rounds}


def spread(values, form="%.2f"):
    """Median and quartiles as a table shows them."""
    low, middle, high = numpy.percentile(values, (25, 50, 75))
    return f"{form} (%s..%s)" % (middle, form % low, form % high)
