"""The demo set: drawn images with known truth, and simulated people who have worked on them."""

from data.leaves import generate_leaves
from data.project import DemoItem, DemoProject, write_truth
from data.smear import generate_smear

__all__ = ["DemoItem", "DemoProject", "generate_leaves", "generate_smear", "write_truth"]
