"""Servers, photos and whole installations that tests and benchmarks start."""
