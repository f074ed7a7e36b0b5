"""What encoders and maps are called in tables and figures."""

from rovervision.learning.encoders import EncoderConfig

MAP_NAMES = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP", "lle": "locally linear embedding"}


def encoder_name(config: EncoderConfig) -> str:
    """Return `contrastive`, or `contrastive + handcrafted` where two are fused."""
    return " + ".join(part.replace("_", " ") for part in config.parts)
