"""`python -m fediblog` and `fediblog` are the same: one command for everything.

Hundreds of modules are made on the way to it, and all of them stay: the collector of garbage finds nothing
there, and is kept from looking. That is a fifth of the time in which a process starts.
"""

import gc

gc.disable()
from fediblog.cli import main  # noqa: E402 - what it imports is what must not be searched

gc.freeze()
gc.enable()

if __name__ == "__main__":
    main()
