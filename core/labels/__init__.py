"""What a label is: schema, answers, regions, geometry, and comparing two labels."""

from core.labels.answer import Answer
from core.labels.region import Region
from core.labels.schema import LabelClass, LabelSchema, Question

__all__ = ["Answer", "LabelClass", "LabelSchema", "Question", "Region"]
