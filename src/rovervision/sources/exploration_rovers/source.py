"""Spirit's and Opportunity's raw images in the volumes of the PDS Imaging Node.

Each volume has one table of all its raw products, `index/edrindex.tab`, up to 342 MB long, and a label that says which
column stands where. Both are kept on this machine; the table is read row by row, and only as far as a query needs.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final

from rovervision.sources.exploration_rovers.index_frames import FrameMaker, row_chooser
from rovervision.sources.exploration_rovers.index_label import IndexLayout
from rovervision.sources.exploration_rovers.index_rows import IndexRow, RowCount
from rovervision.sources.exploration_rovers.volume_index import LineSource, VolumeIndex
from rovervision.sources.exploration_rovers.volumes import Volume, volumes_for
from rovervision.sources.frame import Frame, Query
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.transport import FetchError, Transport
from rovervision.sources.selection import answers, select

_logger: Final = logging.getLogger(__name__)


class ExplorationRoversSource:
    """Opportunity and Spirit, whose missions are over: nothing new comes, and what was listed once stays true."""

    def __init__(
        self,
        transport: Transport,
        base_url: str,
        cache_folder: Path | str,
        http: HttpConfig,
        open_copy: Callable[[str, Path], LineSource] | None = None,
    ) -> None:
        """Open the archive; nothing is read yet.

        Args:
            transport: The network.
            base_url: Where the folders `opportunity` and `spirit` are.
            cache_folder: Where the volumes' indices are kept, each in a folder with the volume's name.
            http: Limits of an image.
            open_copy: Opens the local copy of a table by address and path; by default one that resumes.
        """
        self._transport = transport
        self._base_url = base_url
        self._cache_folder = Path(cache_folder)
        self._http = http
        self._open_copy = open_copy or partial(_resumable_copy, transport, http)

    def search(self, query: Query) -> Iterator[Frame]:
        """Yield the pictures that answer a query, volume by volume in the order of their indices.

        Reference pixels, sums and histograms are no pictures and are never listed. Of versions of one product that
        stand one after the other, only the highest is, so that a limit neither counts the others nor ends between
        them; one that stands elsewhere in an index is another frame. `newest_sols` counts back from the
        last sol of each rover on which a picture that is asked for was taken. `since_last_run` gives everything.

        Raises RovervisionError for a rover or camera that is not here, and where an index cannot be had or read. A
        volume that the archive lacks is passed over with a warning, unless its cameras were asked for by name.
        """
        volumes, may_answer = volumes_for(query), row_chooser(query)
        yield from select(self._frames(query, volumes, may_answer), query)

    def fetch(self, frame: Frame) -> bytes:
        """Return the bytes of an image, verified. Raises FetchError with the reason why it cannot be had."""
        from rovervision.sources.http.verification import fetch_image

        return fetch_image(self._transport, frame, self._http)

    def size_bytes(self, frame: Frame) -> int | None:
        """Return the length of the image file; None where the archive does not say."""
        return self._transport.size_bytes(frame.url)

    def _indices(self, query: Query, volumes: Iterable[Volume]) -> Iterator[tuple[VolumeIndex, IndexLayout]]:
        """Yield the volumes' indices; those that the archive lacks are passed over where no camera was named."""
        absent: FetchError | None = None
        n_found = 0
        for volume in volumes:
            index = VolumeIndex(self._transport, self._base_url, volume, self._cache_folder, self._open_copy)
            try:
                layout = index.layout()
            except FetchError as error:
                if query.cameras or error.reason != "not_found":
                    raise
                absent = error
                _logger.warning("%s It is passed over.", error)
            else:
                n_found += 1
                yield index, layout
        if absent and not n_found:
            raise absent

    def _frames(
        self, query: Query, volumes: Iterable[Volume], may_answer: Callable[[IndexRow], bool]
    ) -> Iterator[Frame]:
        first_sols = self._first_sols(query, volumes, may_answer)
        for index, layout in self._indices(query, volumes):
            maker, count = FrameMaker(self._base_url, index.volume, layout, query.name, query.file_kind), RowCount()
            first_sol = first_sols.get(index.volume.rover, 0)
            try:
                for _, versions in groupby(index.rows(layout, count), key=_product_of):
                    wanted = (row for row in versions if row.sol >= first_sol and may_answer(row))
                    told = [maker.frame(row) for row in wanted]
                    count.broken += told.count(None)
                    found = [frame for frame in told if frame and answers(frame, query)]
                    if found:
                        yield max(found, key=lambda frame: frame.version)
            finally:
                _warn_of_broken(count, index.volume)

    def _first_sols(
        self, query: Query, volumes: Iterable[Volume], may_answer: Callable[[IndexRow], bool]
    ) -> dict[str, int]:
        """Return the first of the newest sols for each rover; reads all indices to their ends if they are asked for."""
        if query.newest_sols is None:
            return {}
        last_sols: dict[str, int] = {}
        for index, layout in self._indices(query, volumes):
            sols = (row.sol for row in index.rows(layout, RowCount()) if may_answer(row))
            last_sols[index.volume.rover] = max(last_sols.get(index.volume.rover, 0), max(sols, default=0))
        return {rover: last_sol - query.newest_sols + 1 for rover, last_sol in last_sols.items()}


def _product_of(row: IndexRow) -> str:
    """Return the name without its last character, the version."""
    return row.product_id[:-1]


def _warn_of_broken(count: RowCount, volume: Volume) -> None:
    if count.broken:
        _logger.warning("%d rows of the index of %s are broken and were left out.", count.broken, volume.name)


def _resumable_copy(transport: Transport, http: HttpConfig, url: str, path: Path) -> LineSource:
    from rovervision.sources.http.resumable import ResumableCopy

    return ResumableCopy(transport, url, path, config=http)
