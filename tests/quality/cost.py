"""What playing a model costs."""
import os
import resource
import subprocess
import tempfile

from brume import BRUME
from fault import Fault

SECONDS = 1, 41


def processor_time(model, seconds):
    """Processor time in s, all threads together, of rendering `seconds` in stereo with one thread."""
    with tempfile.TemporaryDirectory() as work:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = subprocess.run([BRUME, "render", "--model", model, "--seconds", str(seconds), "--channels",
                              "2", "--quiet", "-o", f"{work}/cost.wav"], capture_output=True, text=True,
                             env={**os.environ, "OMP_NUM_THREADS": "1"})
        if run.returncode:
            raise Fault(run.stderr.strip())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure_cost(model):
    """Share of one core that stereo takes in real time, with the default steps. What opening a model
    takes is in a short render, too, and falls out. Processor time does not count waiting, but a busy
    machine still has slower caches and clocks."""
    short, long = (processor_time(model, s) for s in SECONDS)
    return (long - short) / (SECONDS[1] - SECONDS[0])
