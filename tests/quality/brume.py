"""The command brume, asked by its --json. BUILD is the folder that holds it (build if not set)."""
import hashlib
import json
import os
import subprocess

from fault import Fault

BRUME = os.path.join(os.environ.get("BUILD", "build"), "brume")


def brume(*words):
    """Runs brume; its JSON."""
    try:
        run = subprocess.run([BRUME, *words, "--json", "--quiet"], capture_output=True, text=True)
    except OSError as error:
        raise Fault(f"{BRUME}: {error.strerror}; run make, or set BUILD to the folder of brume") from None
    if run.returncode:
        raise Fault(run.stderr.strip())
    return json.loads(run.stdout)


def render(model, classes, seconds, seed, out, channels=1, width=None, steps=None):
    """Writes `seconds` of a class, or of a mixture "one:weight,other:weight"; what brume says of it."""
    more = [] if width is None else ["--width", str(width)]
    more += [] if steps is None else ["--steps", str(steps)]
    return brume("render", "--model", model, "--class", classes, "--channels", str(channels), "--seed",
                 str(seed), "--seconds", str(seconds), *more, "-o", out)


def render_seeds(model, class_name, seconds, seeds, work, **options):
    """Renders of one class with the seeds 0, 1, ...; their paths."""
    paths = [f"{work}/{class_name}-{seconds:g}-{seed}.wav" for seed in range(seeds)]
    for seed, path in enumerate(paths):
        render(model, class_name, seconds, seed, path, **options)
    return paths


def fingerprint(card):
    """SHA-256 of a model's file, by its card: says what figures belong to. Times of files would not
    outlive a checkout."""
    with open(card["file"], "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def write_figures(path, figures):
    """Figures as JSON, whole or not at all, so that what is half measured is never taken for them."""
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(figures, file, indent=1)
    os.replace(path + ".part", path)
