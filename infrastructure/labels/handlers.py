"""The commands about labels, by name."""

from __future__ import annotations

from application.archive import Archive
from application.commands.add_label import AddLabelHandler
from application.commands.carry_labels import CarryLabelsHandler
from application.commands.create_label import CreateLabelHandler
from application.commands.delete_label import DeleteLabelHandler
from application.commands.remove_label import RemoveLabelHandler
from application.commands.rename_label import RenameLabelHandler
from application.ports.label_targets import LabelTargets


class LabelHandlers:
    def __init__(self, archive: Archive, targets: LabelTargets) -> None:
        self.create = CreateLabelHandler(archive)
        self.rename = RenameLabelHandler(archive)
        self.delete = DeleteLabelHandler(archive)
        self.add = AddLabelHandler(archive, targets)
        self.remove = RemoveLabelHandler(archive, targets)
        self.carry = CarryLabelsHandler(archive)
