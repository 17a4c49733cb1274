"""Agreement between people, one coefficient a file; each with an interval over items.

Each coefficient is 1 - observed / expected disagreement, from sums over items; so its interval is
a bootstrap over items that draws sums again, not votes. Undefined is None: no item with two
votes, or no disagreement expected at all (everybody always said the same class).
"""

from core.consensus.agreement.cohen import cohen_kappa, shared_labels
from core.consensus.agreement.fleiss import fleiss_kappa
from core.consensus.agreement.gwet import gwet_ac1, gwet_ac2
from core.consensus.agreement.krippendorff import interval_alpha, krippendorff_alpha, ordinal_alpha
from core.consensus.agreement.measure import Agreement, measure_agreement
from core.consensus.agreement.per_class import ClassAgreement, class_agreement
from core.consensus.agreement.percent import percent_agreement
from core.consensus.agreement.sets import set_alpha
from core.consensus.agreement.shape_parts import (
    ShapeClass,
    shape_class_agreement,
    shape_vitality,
)
from core.consensus.agreement.shapes import shape_alpha
from core.consensus.agreement.vitality import Vitality, vitality

__all__ = [
    "Agreement",
    "ClassAgreement",
    "ShapeClass",
    "Vitality",
    "class_agreement",
    "cohen_kappa",
    "fleiss_kappa",
    "gwet_ac1",
    "gwet_ac2",
    "interval_alpha",
    "krippendorff_alpha",
    "measure_agreement",
    "ordinal_alpha",
    "percent_agreement",
    "set_alpha",
    "shape_alpha",
    "shape_class_agreement",
    "shape_vitality",
    "shared_labels",
    "vitality",
]
