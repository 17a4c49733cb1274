"""What goes into training and what comes out, as plain values. Free of torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from core.labels.region import Region
from core.learning.recipes import Recipe


@dataclass(frozen=True, slots=True)
class ImageRef:
    """One image on the local disk.

    Attributes:
        item_id: The item's number in the record.
        content_hash: Hash of the file's bytes; the embedding cache is keyed by it.
        path: A JPEG, PNG, WEBP, BMP or TIFF, in any orientation.
    """

    item_id: int
    content_hash: str
    path: Path


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled image and what it may serve for: train, certify or evaluate.

    Attributes:
        label: The class; of several the first, or empty where none holds.
        labels: All that hold, for a question that takes several.
    """

    image: ImageRef
    label: str
    use: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegionExample:
    """An image whose regions are known, none included, and what it may serve for."""

    image: ImageRef
    regions: tuple[Region, ...]
    use: str


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """One training run.

    Attributes:
        classes: Class names in schema order; the columns of every probability table.
        examples: Labelled images. Only those for training are learnt from.
        pool: All images, labelled or not: embedded and predicted.
        backbone: Name of a torchvision classification model.
        seed: Everything random follows from it.
        folder: The run's own folder; the finished model stands there.
        cache: Folder of embeddings shared by all runs.
        held_out: Items that may not be learnt from even unlabelled: those drawn for
            certifying or evaluating and not labelled yet.
        mode: ``probe``: a linear model on frozen embeddings; ``fine-tune``: the network too;
            ``student``: rounds of Noisy Student.
        offline: Do not try to download weights.
        weights: A file with the backbone's weights, instead of the published ones.
        self_training_seconds: How long a network of the project's own may be taught, where no
            published weights are at hand.
        task: As the project's: ``classification`` and so on.
        recipe: How images are varied and classes balanced while a network learns.
        budget_seconds: How long the steps of a fine-tuning may take; 0 for as many as it wants.
        resume: Go on from the checkpoint in the folder.
        search_seconds: How long learning rate, weight decay and strength may be searched for.
        size: Side of the input while fine-tuning, pixels; 0: as fits the device.
        several: Whether an image may have several labels at once.
        judged_on: What the report calls the items for evaluating.
    """

    classes: tuple[str, ...]
    examples: tuple[Example, ...]
    pool: tuple[ImageRef, ...]
    backbone: str
    seed: int
    folder: Path
    cache: Path
    held_out: frozenset[int] = frozenset()
    mode: str = "probe"
    offline: bool = False
    weights: Path | None = None
    self_training_seconds: float = 75.0
    task: str = "classification"
    recipe: Recipe = field(default_factory=Recipe)
    budget_seconds: float = 0.0
    resume: bool = False
    search_seconds: float = 0.0
    size: int = 0
    several: bool = False
    judged_on: str = "evaluate"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the run is.

    Attributes:
        phase: ``weights``, ``self-training``, ``warm-up``, ``search``, ``fine-tune``, ``embed``, ``fit``, ``evaluate``, ``predict`` or ``save``.
        done: Units finished in this phase.
        total: Units in this phase.
        seconds_left: Estimate for this phase; None before there is anything to go by.
        metrics: Figures so far, by name.
    """

    phase: str
    done: int
    total: int
    seconds_left: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


OnProgress = Callable[[Progress], None]
ShouldStop = Callable[[], bool]


class StopRequested(Exception):
    """Raised inside a long pass when the caller asked it to stop."""


def no_progress(progress: Progress) -> None:
    """Take a progress report and do nothing."""


def never_stop() -> bool:
    """Say that the work may go on."""
    return False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Accuracy of the model against the given labels, 95 % two-sided Wilson interval.

    Attributes:
        on: ``evaluate`` (items never learnt from), ``all others`` (every labelled item that was
            not drawn for training), ``cross-validated`` (over the training labels), ``held-out``
            (training labels kept from the loop) or ``none`` (too few labels for either).
        n: Items it rests on.
        accuracy: Share predicted right; None when n is 0.
        low: Lower end of the interval.
        high: Upper end.
    """

    on: str
    n: int
    accuracy: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ClassRow:
    """Accuracy on the items of one true class, with its interval."""

    label: str
    n: int
    accuracy: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class SetRow:
    """How well one class is found where an image may have several.

    Attributes:
        n: Items that have it.
        ap: Average precision of the ranking by probability; None where n is 0.
        f1: Of the answers given; None where no item has it and none was given it.
        low: Lower end of the 95 % two-sided interval of F1.
        high: Upper end.
        threshold: From which probability on it is answered.
    """

    label: str
    n: int
    ap: float | None
    f1: float | None
    low: float | None
    high: float | None
    threshold: float


@dataclass(frozen=True, slots=True)
class SetScores:
    """How well sets of classes are found, on the items of the report's `eval`.

    Attributes:
        mean_ap: Mean over the classes that any of the items has; None where there are none.
        low: Lower end of its 95 % bootstrap interval over items.
        high: Upper end.
        n: Items it rests on.
        classes: One row a class in schema order.
    """

    mean_ap: float | None
    low: float | None
    high: float | None
    n: int
    classes: tuple[SetRow, ...]


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What a run did and how good its model is.

    Attributes:
        status: ``done``; ``cancelled``; or ``helper`` in a process that only stands by.
        eval: Overall accuracy.
        per_class: One row per class in schema order.
        confusion: Rows are true classes, columns predicted, in schema order.
        backbone: The network whose features were used.
        weights: ``pretrained`` or ``self-trained``.
        weights_hash: SHA-256 of the backbone's weights.
        notice: A plain sentence a person should read, or empty.
        device: ``cpu`` or ``cuda``.
        seconds: Wall time of the whole run.
        images_per_second: Of the embedding pass; None when all came from the cache.
        n_train: Examples learnt from.
        class_balance: Training examples per class.
        temperature: Divides the scores so that confidence matches accuracy.
        skipped: Items whose image could not be read, with the reason.
        mode: ``probe``, ``fine-tune`` or ``student``.
        processes: How many shared the run.
        device_facts: Name, memory and utilisation of the device at the end.
        batch: Images at once, over all processes; None for a probe.
        halved: A sentence on each time that memory ran out and the batch was halved.
        stopped: ``nan`` or ``time`` where the run ended before its last step, else empty.
        seconds_to_best: Of the steps until the state that was kept.
        precision: What two timed steps showed to be fastest.
        search: Trials of the search for settings.
        rounds: Rounds of Noisy Student: images taken, accuracy, whether kept.
        sets: Where an image may have several classes; `eval` then counts whole sets right.
    """

    status: str
    backbone: str
    eval: Evaluation
    per_class: tuple[ClassRow, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    weights: str = ""
    weights_hash: str = ""
    notice: str = ""
    device: str = ""
    seconds: float = 0.0
    images_per_second: float | None = None
    n_train: int = 0
    class_balance: Mapping[str, int] = field(default_factory=dict)
    temperature: float = 1.0
    skipped: Mapping[int, str] = field(default_factory=dict)
    mode: str = "probe"
    task: str = "classification"
    processes: int = 1
    device_facts: Mapping[str, object] = field(default_factory=dict)
    batch: int | None = None
    halved: tuple[str, ...] = ()
    stopped: str = ""
    seconds_to_best: float | None = None
    steps: int | None = None
    precision: str = ""
    search: tuple[Mapping[str, float], ...] = ()
    rounds: tuple[Mapping[str, object], ...] = ()
    sets: SetScores | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the report as JSON-ready values."""
        doc = asdict(self)
        doc["skipped"] = {str(i): reason for i, reason in self.skipped.items()}
        return doc


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model says of some items.

    Attributes:
        item_ids: int64, shape (n,).
        probabilities: float32, shape (n, k); each row sums to 1.
        classes: The k class names, in column order.
        skipped: Items whose image could not be read, with the reason; they have no row.
        several: Whether each class is decided for itself; rows do not sum to 1 then.
        thresholds: Of several, from which probability on each class is answered; none: one half.
    """

    item_ids: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...]
    skipped: Mapping[int, str] = field(default_factory=dict)
    several: bool = False
    thresholds: tuple[float, ...] = ()

    @property
    def chosen(self) -> list[tuple[str, ...]]:
        """Return the labels each item has: the likeliest, or of several all above their threshold."""
        if not self.several:
            return [(name,) for name in self.top1]
        return [
            tuple(c for c, yes in zip(self.classes, row, strict=True) if yes)
            for row in self._answered
        ]

    @property
    def _answered(self) -> np.ndarray:
        return np.asarray(self.probabilities > np.array(self.thresholds or 0.5, dtype=np.float32))

    @property
    def top1(self) -> list[str]:
        """Return the likeliest class of each item; the earlier class wins a tie."""
        return [self.classes[i] for i in self.probabilities.argmax(1)]

    @property
    def confidence(self) -> np.ndarray:
        """Return the likeliest class's probability, shape (n,); of several, the least sure answer's."""
        if self.several:
            said = np.where(self._answered, self.probabilities, 1 - self.probabilities)
            return np.asarray(said.min(1, initial=1.0))
        return np.asarray(self.probabilities.max(1, initial=0.0))

    @property
    def margin(self) -> np.ndarray:
        """Return the likeliest class's probability less the second's, shape (n,)."""
        if self.several:
            return np.asarray(np.maximum(2 * self.confidence - 1, 0))
        if self.probabilities.shape[1] < 2:
            return self.confidence
        two = np.partition(self.probabilities, -2, axis=1)[:, -2:]
        return np.asarray(two[:, 1] - two[:, 0])

    def top(self, count: int = 5) -> list[tuple[tuple[str, float], ...]]:
        """Return each item's likeliest classes with their probabilities, most probable first.

        The earlier class wins a tie, as in `top1`; probabilities are rounded to four digits.
        """
        order = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :count]
        return [
            tuple((self.classes[c], round(float(row[c]), 4)) for c in best)
            for row, best in zip(self.probabilities, order, strict=True)
        ]
