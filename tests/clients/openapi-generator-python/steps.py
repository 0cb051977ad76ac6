"""Prints one line per step. Exits at the first failure."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        message = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"not ok {name}: {message}")
        sys.exit(1)
    print(f"ok {name}", flush=True)
