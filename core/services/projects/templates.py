"""A template: what a new project begins with, and a project made from one.

Everything can be changed before the project is made and afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.consensus.policy import Policy
from core.errors import InputError
from core.labels.schema import LabelSchema, Question, Skeleton, Task, make_question
from core.labels.schema_checks import checked_schema
from core.services.projects.project import NewProject

MOST_REQUIRED, MOST_COLUMN = 50, 100


@dataclass(frozen=True, slots=True)
class Template:
    """What a project may begin with.

    Attributes:
        key: Stable name.
        title: What people choose by.
        description: One sentence: what is asked of an image.
        schema: Its questions with their classes.
        guideline: First words for reviewers, Markdown.
        usual_metadata: Columns that images of this kind often bring. A suggestion: a project made
            from the template requires none of them unless it is asked to.
        free: Whether the task and the points of a skeleton are for whoever begins to choose.
    """

    key: str
    title: str
    description: str
    schema: LabelSchema
    guideline: str
    policy: Policy = field(default_factory=Policy)
    usual_metadata: tuple[str, ...] = ()
    free: bool = False

    @property
    def asked(self) -> tuple[Question, ...]:
        """Return every question, about the item and about its regions, in order."""
        return (*self.schema.questions, *self.schema.region_questions)


def shaped(
    found: Template, task: Task, points: Sequence[str] = (), several: bool = False
) -> Template:
    """Return a free template for another task.

    Args:
        points: Names of a skeleton's points; each is joined to the next. Read for keypoints only.
        several: Whether an image may have several of the classes. Read for classes of the whole
            image only: a region always has one.

    Raises:
        InputError: The template is not free, or the points will not do.
    """
    if not found.free:
        raise InputError(f"The template '{found.key}' has a task of its own.")
    names = tuple(points) if task is Task.KEYPOINTS else ()
    skeleton = Skeleton(names, tuple((i, i + 1) for i in range(len(names) - 1)))
    main = replace(found.schema.main, several=several and not task.draws)
    schema = LabelSchema(task, (main, *found.schema.questions[1:]), (), skeleton)
    return replace(found, schema=checked_schema(schema))


def from_template(
    found: Template,
    slug: str,
    title: str,
    classes: Mapping[str, Sequence[str]] | None = None,
    required_metadata: Sequence[str] = (),
) -> NewProject:
    """Return what makes a project from a template.

    Args:
        found: The template.
        slug: Name of the project in addresses.
        title: What people read.
        classes: Other class names by question key; a question left out keeps the template's.
        required_metadata: Columns without which an image is left out of an import.

    Raises:
        InputError: Classes will not do, or belong to no question of the template.
    """
    given = dict(classes or {})
    unknown = sorted(given.keys() - {q.key for q in found.asked})
    if unknown:
        raise InputError(f"The template '{found.key}' does not ask '{unknown[0]}'.")

    def filled(asked: tuple[Question, ...]) -> tuple[Question, ...]:
        return tuple(
            make_question(q.key, q.title, list(given[q.key]), q.several) if q.key in given else q
            for q in asked
        )

    schema = replace(
        found.schema,
        questions=filled(found.schema.questions),
        region_questions=filled(found.schema.region_questions),
    )
    return NewProject(
        slug=slug,
        task=schema.task,
        title=title,
        guideline=found.guideline,
        policy=found.policy,
        required_metadata=_columns(required_metadata),
        schema=checked_schema(schema),
    )


def _columns(names: Sequence[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(n.strip() for n in names if n.strip()))
    if len(found) > MOST_REQUIRED or any(len(n) > MOST_COLUMN for n in found):
        raise InputError(
            f"At most {MOST_REQUIRED} columns of up to {MOST_COLUMN} characters can be required.",
            "Name only what every image must bring.",
        )
    return found
