"""`python -m limbo_client` is the `limbo` command."""

import sys

from limbo_client.command import main

sys.exit(main())
