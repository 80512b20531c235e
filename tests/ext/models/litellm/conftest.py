"""LiteLLM is an extra apart from ``all``: its tests run where it is installed, as in `scripts/test --former-sdks`."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("litellm") is not None else ["test_*.py"]
