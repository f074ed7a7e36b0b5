"""Spirit and Opportunity: the PDS volumes of the Mars Exploration Rovers."""

from rovervision.sources.exploration_rovers.source import ExplorationRoversSource

__all__ = ["ExplorationRoversSource"]
