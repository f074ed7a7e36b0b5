"""Loss, epoch by epoch."""

from matplotlib.figure import Figure

from rovervision.learning.learning_curves import draw_epochs
from rovervision.learning.weights import Weights


def draw_learning_curves(checkpoint: Weights) -> Figure:
    """Draw the loss on the training tiles and on the watched ones, and the epoch that was kept."""
    figure = Figure(figsize=(8.4, 4.6), layout="constrained", facecolor="white")
    loss = "perceived colour error (CIEDE2000 metric)"
    draw_epochs(figure.subplots(), checkpoint.header, "Learning to colour", loss, "watched tiles (not trained on)")
    return figure
