"""`python -m central --config FILE`."""

import sys

from central.main import main

if __name__ == "__main__":
    sys.exit(main())
