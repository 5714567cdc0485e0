"""``python -m nnlite``: the command ``nnlite`` where the script is not on the PATH."""

import sys

from nnlite.cli import main

if __name__ == "__main__":
    sys.exit(main())
