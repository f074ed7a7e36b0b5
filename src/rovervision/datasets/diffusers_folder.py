"""A denoiser as a folder that diffusers loads."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from rovervision.datasets.replaced_folder import replaced_folder
from rovervision.errors import RovervisionError
from rovervision.learning.exported_denoiser import DenoiserExport, export_pipeline


class DiffusersFolderDataset(AbstractDataset[DenoiserExport, Any]):
    """A stock pipeline of diffusers with its weights as safetensors and a model card; it needs nothing of this package.

    Args:
        filepath: the folder. It is replaced as a whole, or stays as it is.
        metadata: for other tools; ignored here.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder, self.metadata = Path(filepath), metadata

    def load(self) -> Any:
        """Return the pipeline, on the processor."""
        if not self._exists():
            raise RovervisionError(f"There is no model in {self._folder}. Train one: kedro run --pipelines diffusion")
        from diffusers import DiffusionPipeline

        return DiffusionPipeline.from_pretrained(self._folder, local_files_only=True)

    def save(self, data: DenoiserExport) -> None:
        """Write the folder."""
        with replaced_folder(self._folder) as folder:
            export_pipeline(data.weights).save_pretrained(folder)
            (folder / "README.md").write_text(data.card, encoding="utf-8")

    def _exists(self) -> bool:
        return (self._folder / "model_index.json").is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}
