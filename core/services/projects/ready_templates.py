"""The templates that come with Tiebreak: classes, further questions, a guideline, metadata and a policy.

Texts are for people to edit, not of the app: they are stored with the project in the language they
were written in.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.consensus.policy import OnDisagreement, Policy
from core.errors import InputError
from core.labels.schema import LabelSchema, Question, Skeleton, Task, make_question
from core.labels.schema_checks import checked_schema
from core.services.projects.project import MAIN_QUESTION
from core.services.projects.templates import Template


def _template(
    key: str,
    title: str,
    description: str,
    task: Task,
    main: Question,
    guideline: str,
    more: Sequence[Question] = (),
    of_regions: Sequence[Question] = (),
    skeleton: Skeleton | None = None,
    policy: Policy | None = None,
    usual_metadata: Sequence[str] = (),
    free: bool = False,
) -> Template:
    schema = LabelSchema(
        task, (main, *more), tuple(of_regions), skeleton if skeleton is not None else Skeleton()
    )
    return Template(
        key, title, description, checked_schema(schema), guideline.strip() + "\n",
        policy if policy is not None else Policy(), tuple(usual_metadata), free,
    )  # fmt: skip


def _main(title: str, names: str) -> Question:
    return make_question(MAIN_QUESTION, title, names.split(", "))


def _more(key: str, title: str, names: str, several: bool = False) -> Question:
    return make_question(key, title, names.split(", "), several)


BODY = Skeleton(
    (
        "nose", "left eye", "right eye", "left ear", "right ear", "left shoulder",
        "right shoulder", "left elbow", "right elbow", "left wrist", "right wrist", "left hip",
        "right hip", "left knee", "right knee", "left ankle", "right ankle",
    ),
    (
        (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7),
        (6, 8), (7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
    ),
)  # fmt: skip
"""The 17 points of COCO's people, in its order; left and right are the person's own."""

CAREFUL = Policy(overlap=3, on_disagreement=OnDisagreement.LEAD, max_votes=3)
"""Three people, and any difference goes to a lead: where a slip costs more than time."""

TEMPLATES: tuple[Template, ...] = (
    _template(
        "species",
        "Species of a plant or animal",
        "One species an image, and whether the picture is good enough to tell.",
        Task.CLASSIFICATION,
        _main("Species", "species A, species B, species C, other"),
        """
# What is asked

Name the species of the **largest** plant or animal in the picture.

- Choose *other* when it is none of the list.
- Skip with *image unusable* when nothing can be told, with *several subjects* when two are equally large.

## How to tell them apart

Write here what to look at, one line for each species.
""",
        more=(_more("quality", "Picture", "clear, partly hidden, blurred"),),
        usual_metadata=("location", "date"),
    ),
    _template(
        "product",
        "Product of a shop",
        "Several questions about one product: category, brand, season, gender, colour.",
        Task.CLASSIFICATION,
        _main("Category", "shoes, shirt, trousers, dress, jacket, bag, accessory, other"),
        """
# What is asked

Answer each question for the product that is **sold**, not for what a model wears beside it.

- *Brand*: only what can be read or seen in the picture; otherwise *not visible*.
- *Season*: when it would be worn in a temperate climate.
- *Gender*: whom the shop would offer it to; *unisex* when in doubt.
""",
        more=(
            _more("brand", "Brand", "own brand, other brand, not visible"),
            _more("season", "Season", "spring, summer, autumn, winter, all year"),
            _more("gender", "Offered to", "women, men, unisex, girls, boys"),
            _more(
                "colours", "Colours",
                "black, white, grey, red, orange, yellow, green, blue, purple, brown, pattern",
                several=True,
            ),
        ),
    ),
    _template(
        "defect",
        "Defects on a surface",
        "A box around each defect, with how severe it is.",
        Task.BOXES,
        _main("Defect", "scratch, dent, stain, crack, missing part"),
        """
# What is asked

Draw a box **tightly** around each defect. No defect is an answer too: accept the empty picture.

- Two defects that touch are one box each.
- *Severity*: minor is seen only from near, major from an arm's length, critical affects the function.
""",
        of_regions=(_more("severity", "Severity", "minor, major, critical"),),
        usual_metadata=("line",),
    ),
    _template(
        "lesion",
        "Lesions in a medical image",
        "An outline of each lesion, with how sure the reader is. Three readers, a lead decides.",
        Task.POLYGONS,
        _main("Lesion", "benign, malignant, uncertain"),
        """
# What is asked

Outline each lesion along its **visible border**. Leave out halo and shadow.

- Choose *uncertain* rather than guess; flag what should be seen by a specialist.
- Nothing in the picture may identify a patient. Flag the image if something does.
""",
        of_regions=(_more("border", "Border", "sharp, blurred"),),
        policy=CAREFUL,
        usual_metadata=("device",),
    ),
    _template(
        "cells",
        "Cells under a microscope",
        "A box around each cell, by its kind.",
        Task.BOXES,
        _main("Cell", "neutrophil, lymphocyte, monocyte, eosinophil, basophil, red cell, platelet"),
        """
# What is asked

A box around **each whole cell**, nucleus and cytoplasm. Cells cut by the edge count when more than half is in the picture.

- Broken cells and dirt get no box.
- Cells that overlap get a box each.
""",
        more=(_more("stain", "Stain", "good, too light, too dark"),),
        policy=Policy(iou_at_least=0.6),
    ),
    _template(
        "plates",
        "Vehicle plates",
        "A box around each plate, and whether it can be read.",
        Task.BOXES,
        _main("Plate", "plate"),
        """
# What is asked

A box around each plate, **frame left out**, also where it cannot be read.

- *Readable*: every character can be told at full zoom.
""",
        of_regions=(_more("readable", "Readable", "yes, partly, no"),),
        policy=Policy(iou_at_least=0.7),
    ),
    _template(
        "logo",
        "Presence of a logo",
        "Whether the logo is in the picture: yes or no.",
        Task.CLASSIFICATION,
        _main("Logo in the picture", "yes, no"),
        """
# What is asked

Is the logo anywhere in the picture, in any size or colour?

- *Yes* also when it is partly hidden but beyond doubt.
- *No* for names of the brand in plain letters.
""",
    ),
    _template(
        "logo-position",
        "Position of logos",
        "A box around each logo; none is an answer too.",
        Task.BOXES,
        _main("Logo", "logo"),
        """
# What is asked

A box tightly around **each** logo. Accept the picture as it is when there is none.

- *Hidden*: more than a quarter of it cannot be seen.
""",
        of_regions=(_more("hidden", "Hidden", "no, partly"),),
    ),
    _template(
        "people-keypoints",
        "People by their joints",
        "Seventeen points on each person: the skeleton COCO uses.",
        Task.KEYPOINTS,
        _main("Who", "person"),
        """
# What is asked

Set the seventeen points of **each person** that is at least a tenth of the picture high.

- Left and right are the person's own, not the picture's.
- Mark a point *hidden* where you can tell its place; leave it out where you cannot.
""",
        skeleton=BODY,
    ),
    _template(
        "scene-tags",
        "Scenes with several tags",
        "Where the picture was taken, and everything that can be seen in it.",
        Task.CLASSIFICATION,
        _main("Place", "outdoors, indoors, cannot tell"),
        """
# What is asked

First where the picture was taken, then **everything** on the list that can be seen, however small. None of them is an answer too.
""",
        more=(
            _more(
                "tags", "In the picture",
                "people, animals, vehicles, buildings, plants, water, sky, text, food",
                several=True,
            ),
            _more("light", "Light", "day, dusk, night, artificial"),
        ),
    ),
    _template(
        "parts-masks",
        "Parts painted pixel by pixel",
        "A brush mask for each part that matters.",
        Task.MASKS,
        _main("Part", "part A, part B, background clutter"),
        """
# What is asked

Paint each part as far as it can be **seen**. What lies behind something else is not painted.
""",
        policy=Policy(iou_at_least=0.7),
    ),
    _template(
        "blank",
        "Something else",
        "No guideline, and a task of your choice: begin from nothing.",
        Task.CLASSIFICATION,
        _main("Label", "first class, second class"),
        "",
        free=True,
    ),
)  # fmt: skip


def template(key: str) -> Template:
    """Return a template by its key.

    Raises:
        InputError: There is none.
    """
    for found in TEMPLATES:
        if found.key == key:
            return found
    raise InputError(
        f"There is no template '{key[:40]}'.", f"Choose one of {[t.key for t in TEMPLATES]}."
    )
