"""Benchmarks: ours and the peer interleaved in one run on the same data; ratios, one JSON document."""
