"""`python -m rapidconv` is the `rapidconv` command."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
