"""Networks, losses and the one training loop. The only place that imports torch."""
