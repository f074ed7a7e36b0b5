"""Films as MP4 files that browsers play: H.264, yuv420p, the index in front."""

import contextlib
import csv
import logging
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import pandas as pd
from kedro.io import AbstractDataset
from tqdm import tqdm

from rovervision.errors import RovervisionError
from rovervision.imaging.video import Film, FilmFrame

_logger = logging.getLogger(__name__)

COLUMNS: Final = (
    "frame", "file", "rover", "camera", "sol", "sclk_s", "sequence", "tint_a", "tint_b",
    "smooth_tint_a", "smooth_tint_b", "still_frac", "flicker_alone", "flicker_smoothed", "failure",
)  # fmt: skip
"""Of the list of a film's frames."""

_ENCODERS: Final = ("libx264", "libopenh264")
_SECONDS_BETWEEN_KEYFRAMES: Final = 5


class FilmDataset(AbstractDataset[Film, pd.DataFrame]):
    """A film, and beside it a file `<film>.csv` that lists its frames, the skipped ones with the reason.

    Saving makes the film frame by frame, so that memory does not grow with its length. The old film stays until the
    new one is whole. Without a `filepath` no film is made: it takes long, and only some runs want one. Loading returns
    the list, with no row where there is no film.
    """

    def __init__(self, *, filepath: str | None, metadata: dict[str, Any] | None = None) -> None:
        """Name the file, or nothing."""
        self._filepath = Path(filepath) if filepath else None
        self.metadata = metadata

    def save(self, data: Film) -> None:
        """Make the film."""
        if self._filepath is None:
            _logger.info("No film was asked for. Name its file: --tags film --params film.output=FILE.mp4")
            return
        _check_name(self._filepath)
        program = ffmpeg()
        if not data.n_files:
            raise RovervisionError("There is no frame to make a film of. Name a folder of frames with apply.input.")
        try:
            self._filepath.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".film-", dir=self._filepath.parent) as folder:
                made, listed = Path(folder, "film.mp4"), Path(folder, "film.csv")
                with listed.open("w", encoding="utf-8", newline="") as file:
                    n_shown = write_film(data, program, made, file)
                made.replace(self._filepath)
                listed.replace(self._listing)
        finally:
            if close := getattr(data.frames, "close", None):
                close()
        _logger.info("%d of %d frames are in %s", n_shown, data.n_files, self._filepath)
        if n_shown < data.n_files:
            _logger.warning(
                "%d frames could not be shown; each stands with its reason in %s",
                data.n_files - n_shown, self._listing,
            )  # fmt: skip

    def load(self) -> pd.DataFrame:
        """Return the list of the film's frames, one row per file."""
        if self._filepath is None:
            return pd.DataFrame(columns=list(COLUMNS))
        return pd.read_csv(self._listing)

    @property
    def _listing(self) -> Path:
        assert self._filepath is not None
        return self._filepath.with_name(f"{self._filepath.name}.csv")

    def _exists(self) -> bool:
        return self._filepath is not None and self._filepath.is_file() and self._listing.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath) if self._filepath else None}


def write_film(film: Film, program: str, path: Path, listing: IO[str]) -> int:
    """Encode a film with ffmpeg and list its frames as CSV; return how many are shown.

    Raises RovervisionError where no file can be shown, or ffmpeg fails.
    """
    rows = csv.DictWriter(listing, COLUMNS)
    rows.writeheader()
    n_shown = 0
    with contextlib.ExitStack() as stack:
        bar = stack.enter_context(tqdm(total=film.n_files, desc="filming", unit="frame", disable=None))
        stream: Stream | None = None
        for frame in film.frames:
            rows.writerow(frame.record)
            bar.update()
            if frame.pixels is None:
                continue
            stream = stream or stack.enter_context(encoding(program, path, frame, film.fps))
            stream.write(frame)
            n_shown += 1
    if not n_shown:
        raise RovervisionError(
            f"None of the {film.n_files} files could be shown in a film. Files that are no images are passed over; "
            "name a folder of images with apply.input."
        )
    return n_shown


class Stream:
    """Pictures on their way into ffmpeg."""

    def __init__(self, process: "subprocess.Popen[bytes]", shape: tuple[int, ...]) -> None:
        self._process, self._shape = process, shape

    def write(self, frame: FilmFrame) -> None:
        """Hand over one picture. Raises BrokenPipeError where ffmpeg has ended."""
        assert frame.pixels is not None and self._process.stdin is not None
        if frame.pixels.shape != self._shape:
            raise ValueError(f"a film of {self._shape} pictures got one of {frame.pixels.shape}")
        self._process.stdin.write(frame.pixels.tobytes())


@contextlib.contextmanager
def encoding(program: str, path: Path, first: FilmFrame, fps: float) -> Iterator[Stream]:
    """Run ffmpeg while pictures are written to it. Raises RovervisionError where it fails, and ends it on any error."""
    assert first.pixels is not None
    height, width = first.pixels.shape[:2]
    with tempfile.TemporaryFile() as words:
        command = [program, *arguments(width, height, fps, encoder_of(program)), str(path)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=words, process_group=0
        )  # a group of its own: Ctrl-C ends the run, and the run ends ffmpeg
        try:
            with contextlib.suppress(BrokenPipeError):  # what ffmpeg said of it is told below
                yield Stream(process, first.pixels.shape)
            with contextlib.suppress(BrokenPipeError):
                process.communicate()
        except BaseException:
            process.kill()
            raise
        finally:
            process.wait()
        if process.returncode:
            words.seek(0)
            said = words.read()[-600:].decode("utf-8", "replace").strip()
            raise RovervisionError(f"ffmpeg could not make the film {path.name}: {said or process.returncode}")


def arguments(width: int, height: int, fps: float, encoder: str) -> list[str]:
    """Return ffmpeg's arguments, but for the program and the file.

    Colours are converted by BT.709 into the limited range and declared as that, since players guess otherwise for small
    pictures; the curve is sRGB's own. Constant quality where the encoder has it, else 0.25 bits to a pixel.
    """
    quality = ["-crf", "18", "-preset", "medium"]
    if encoder != "libx264":
        quality = ["-b:v", str(max(100_000, int(0.25 * width * height * fps)))]
    return [
        "-hide_banner", "-loglevel", "error", "-nostdin", "-y",
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{fps:g}", "-i", "pipe:0",
        "-an", "-c:v", encoder, *quality, "-g", str(max(1, round(_SECONDS_BETWEEN_KEYFRAMES * fps))),
        "-vf", "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int,format=yuv420p,"
        "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=iec61966-2-1",
        "-movflags", "+faststart", "-f", "mp4",
    ]  # fmt: skip


def ffmpeg() -> str:
    """Return the path of the ffmpeg program. Raises RovervisionError where there is none."""
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise RovervisionError(
            "A film needs the program ffmpeg, which is an extra of this package: pip install 'rovervision[film]'. An "
            "ffmpeg of your own is named by the variable IMAGEIO_FFMPEG_EXE."
        ) from error


def encoder_of(program: str) -> str:
    """Return the best H.264 encoder of an ffmpeg. Raises RovervisionError where it has none, or does not run."""
    try:
        answer = subprocess.run([program, "-hide_banner", "-encoders"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RovervisionError(
            f"{program} is no ffmpeg that runs here ({error}). Unset the variable IMAGEIO_FFMPEG_EXE, or name "
            "another one with it."
        ) from error
    for name in _ENCODERS:
        if f" {name} " in answer.stdout:
            return name
    raise RovervisionError(
        f"The ffmpeg at {program} has no H.264 encoder ({', '.join(_ENCODERS)}). Name another one with the variable "
        "IMAGEIO_FFMPEG_EXE, or: pip install --force-reinstall imageio-ffmpeg"
    )


def _check_name(path: Path) -> None:
    if path.suffix.lower() != ".mp4" or path.is_dir():
        raise RovervisionError(f"A film is a file that ends in .mp4; film.output names {path}.")
