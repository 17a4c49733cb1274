"""The demo set: drawn images with known truth, and simulated people who have worked on them."""

from data.landmarks import generate_landmarks
from data.leaves import generate_leaves
from data.people import PEOPLE, SimulatedPerson
from data.project import DemoItem, DemoProject, write_truth
from data.smear import generate_smear
from data.spots import generate_spots
from data.work import SimulatedAct, WorkPlan, simulate_work

__all__ = [
    "PEOPLE",
    "DemoItem",
    "DemoProject",
    "SimulatedAct",
    "SimulatedPerson",
    "WorkPlan",
    "generate_landmarks",
    "generate_leaves",
    "generate_smear",
    "generate_spots",
    "simulate_work",
    "write_truth",
]
