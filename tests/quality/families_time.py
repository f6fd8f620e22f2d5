"""What the two families cost: time until so much sound is there, and what a second thread brings."""
import json
import os
import resource
import statistics
import subprocess

from brume import BRUME
from fault import Fault

SECONDS = 0.001, 1, 10, 60  # of sound; the first stands for its first sample
ROUNDS = 5


def processor_time(words):
    """Processor time in s of a whole command, its start and the opening of its model in it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run([BRUME, *words, "--quiet"], capture_output=True, text=True)
    if run.returncode:
        raise Fault(run.stderr.strip())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure_time(texture, melody, prompt, work):
    """{family: {seconds of sound: processor time}}, medians of rounds that take turns. In mono, both."""
    commands = {"texture": ["render", "--model", texture, "--channels", "1", "-o", f"{work}/time.wav"],
                "melody": ["continue", str(prompt), "--model", melody, "-o", f"{work}/time.wav"]}
    took = {family: {s: [] for s in SECONDS} for family in commands}
    for _ in range(ROUNDS):
        for seconds in SECONDS:
            for family, words in commands.items():
                took[family][seconds].append(processor_time([*words, "--seconds", str(seconds)]))
    return {family: {s: statistics.median(times) for s, times in by_seconds.items()}
            for family, by_seconds in took.items()}


def measure_threads():
    """What `bench threads` says: {family: {"one sound": speed-up, "two sounds": speed-up}}."""
    program = os.path.join(os.path.dirname(BRUME), "tests", "bench", "bench")
    try:
        run = subprocess.run([program, "threads"], capture_output=True, text=True)
    except OSError as error:
        raise Fault(f"{program}: {error.strerror}; run make bench once, or make build/tests/bench/bench") from None
    if run.returncode:
        raise Fault(run.stderr.strip())
    return json.loads(run.stdout)
