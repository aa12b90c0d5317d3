"""`python -m izhnumba.cli`."""

import sys

from izhnumba.cli import main

if __name__ == "__main__":
    sys.exit(main())
