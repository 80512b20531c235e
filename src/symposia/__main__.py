"""``python -m symposia``: the `symposia` command, also where the folder of its program is not on the path."""

from __future__ import annotations

from symposia.cli import main

if __name__ == "__main__":
    main()
