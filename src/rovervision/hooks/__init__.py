"""What happens around the nodes of a run: checks before, tracking during, a report after."""

from rovervision.hooks.inputs import InputHooks
from rovervision.hooks.ranks import RankHooks
from rovervision.hooks.report import ReportHooks
from rovervision.hooks.tracking import TrackingHooks

__all__ = ["InputHooks", "RankHooks", "ReportHooks", "TrackingHooks"]
