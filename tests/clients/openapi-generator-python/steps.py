"""Reports each step in a line, and stops at the first that fails."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"not ok {name}: {why}")
        sys.exit(1)
    print(f"ok {name}", flush=True)
