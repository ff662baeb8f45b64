"""The long random attacks run only when asked for: `OSIRIS_FUZZ_EXAMPLES=20000 pytest tests/fuzz`.

`make fuzz` asks. Without the number nothing here is collected, so that the ordinary tests stay
quick; each parser's ordinary tests have their own short property tests.
"""

import os

collect_ignore_glob = [] if "OSIRIS_FUZZ_EXAMPLES" in os.environ else ["test_fuzz_*.py"]
