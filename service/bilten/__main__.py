"""`python -m bilten`."""

import sys

from bilten.cli import main

sys.exit(main())
