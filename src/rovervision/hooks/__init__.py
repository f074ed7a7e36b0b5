"""What happens around the nodes of a run: checks before, tracking during, a report after."""

from rovervision.hooks.inputs import InputHooks
from rovervision.hooks.report import ReportHooks
from rovervision.hooks.tracking import TrackingHooks

__all__ = ["InputHooks", "ReportHooks", "TrackingHooks"]
