"""How the encoder learnt."""

from matplotlib.figure import Figure

from rovervision.learning.encoders import is_trained
from rovervision.learning.learning_curves import draw_epochs
from rovervision.learning.weights import Weights
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.figures.boards import note_page


def draw_encoder_curves(encoder_checkpoint: Weights, config: ClusteringConfig) -> Figure:
    """Draw the encoder's loss on the training tiles and on the watched ones, and the epoch that was kept."""
    title, kind = "How the encoder learnt", config.encoder.kind
    if not is_trained(kind) or not encoder_checkpoint.header.get("history"):
        return note_page(title, f"Encoders of the kind {kind} learn nothing over epochs.")
    figure = Figure(figsize=(8.4, 4.6), layout="constrained", facecolor="white")
    loss = f"loss of the kind {kind.replace('_', ' ')}"
    draw_epochs(figure.subplots(), encoder_checkpoint.header, title, loss, "watched tiles (not trained on)")
    return figure
