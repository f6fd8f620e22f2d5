"""Measurements that know nothing of each other, on several cores."""
from concurrent.futures import ProcessPoolExecutor

from fault import Fault
from referee import load_referee

_referee = None  # each process has its own: a module can't be handed over


def _load(folder):
    global _referee
    _referee = load_referee(folder)


def _call(function, a, card, item):
    return function(_referee, a, card, item)


def measure_each(function, a, card, items):
    """Yields (item, function(referee, a, card, item)) in the order of items, on a.jobs processes."""
    with ProcessPoolExecutor(a.jobs, initializer=_load, initargs=(a.measure,)) as pool:
        running = [(item, pool.submit(_call, function, a, card, item)) for item in items]
        try:
            for item, result in running:
                yield item, result.result()
        except Fault:
            pool.shutdown(cancel_futures=True)
            raise
