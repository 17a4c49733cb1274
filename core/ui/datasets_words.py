"""What the datasets page calls contents and formats."""

from __future__ import annotations

from core.services.transfer.import_rows import What
from core.ui.text import mark

WHATS = {
    What.ITEMS: mark("Images only"),
    What.LABELS: mark("Images with final labels I trust"),
    What.PREDICTIONS: mark("A model's predictions"),
    What.VOTES: mark("Votes of named people"),
    What.GOLD: mark("Gold: known answers for hidden checks"),
}
EXPORTS = {
    What.LABELS: mark("Final labels"),
    What.VOTES: mark("Every vote"),
    What.PREDICTIONS: mark("The model's predictions"),
    What.GOLD: mark("Gold answers"),
    What.ITEMS: mark("Items and their metadata"),
}
FORMATS = {
    "auto": mark("Recognise it"),
    "folder": mark("Class folders"),
    "csv": mark("CSV table"),
    "table": mark("CSV table"),
    "voc": mark("Pascal VOC"),
    "yolo": mark("YOLO"),
    "coco": mark("COCO"),
}
