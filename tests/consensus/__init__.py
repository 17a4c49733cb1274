"""Tests of core/consensus."""
