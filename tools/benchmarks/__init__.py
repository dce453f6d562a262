"""The subjects of `tools/benchmark.py`."""
