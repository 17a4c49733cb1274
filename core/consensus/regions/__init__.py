"""Consensus of people who draw, region by region. One idea a file, all pure."""

from core.consensus.regions.consensus import consensus_of
from core.consensus.regions.precision import outline_weights
from core.consensus.regions.result import Dispute, FusedRegion, FusedRegions, PersonRecord
from core.consensus.regions.ways import Area, Geometry, Middle

__all__ = [
    "Area",
    "Dispute",
    "FusedRegion",
    "FusedRegions",
    "Geometry",
    "Middle",
    "PersonRecord",
    "consensus_of",
    "outline_weights",
]
