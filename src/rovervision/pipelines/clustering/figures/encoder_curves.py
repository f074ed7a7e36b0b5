"""How the encoder learnt."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rovervision.imaging.chart_style import FAINT, INK, MUTED
from rovervision.learning.encoders import is_trained
from rovervision.learning.weights import Weights
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.figures.boards import note_page

_MODEL = "#b5462a"
_STYLES = {
    "train_loss": ("training tiles", MUTED),
    "monitor_loss": ("watched tiles (not trained on)", _MODEL),
}


def draw_encoder_curves(encoder_checkpoint: Weights, config: ClusteringConfig) -> Figure:
    """Draw the encoder's loss on the training tiles and on the watched ones, and the epoch that was kept."""
    title, kind = "How the encoder learnt", config.encoder.kind
    history = encoder_checkpoint.header.get("history", {})
    if not is_trained(kind) or not history:
        return note_page(title, f"Encoders of the kind {kind} learn nothing over epochs.")
    figure = Figure(figsize=(8.4, 4.6), layout="constrained", facecolor="white")
    axis = figure.subplots()
    for name, (label, color) in _STYLES.items():
        points = history.get(name, [])
        steps, values = [p["step"] for p in points], [p["value"] for p in points]
        axis.plot(steps, values, color=color, lw=2, marker="o", ms=3.5, label=label)
    best = encoder_checkpoint.header.get("best_epoch")
    if best:
        loss = encoder_checkpoint.header["best_loss"]
        axis.plot(best, loss, "o", ms=11, mfc="none", mec=_MODEL, mew=1.8, label=f"kept: epoch {best}")
    axis.set_xlabel("epoch")
    axis.set_ylabel(f"loss of the kind {kind.replace('_', ' ')}")
    axis.set_title(title, loc="left", fontsize=13, color=INK)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(axis="y", color=FAINT)
    axis.set_axisbelow(True)
    axis.tick_params(colors=INK, length=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.legend(frameon=False)
    return figure
