"""Arrays and images: data sets, the IDX format, the validation split and the decoder of picture files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlab.lazy import lazy_exports

if TYPE_CHECKING:
    from digitlab.data.catalog import CATALOG, CatalogEntry
    from digitlab.data.dataset import Dataset, load, load_dataset
    from digitlab.data.idx import IdxHeader, read_idx, read_idx_header, write_idx
    from digitlab.data.images import Picture, decode_image, decode_pages
    from digitlab.data.importer import Imported, import_dataset, import_folder, import_npz
    from digitlab.data.inspection import Finding, inspect_dataset
    from digitlab.data.split import stratified_split

__all__ = [
    "CATALOG",
    "CatalogEntry",
    "Dataset",
    "Finding",
    "IdxHeader",
    "Imported",
    "Picture",
    "decode_image",
    "decode_pages",
    "import_dataset",
    "import_folder",
    "import_npz",
    "inspect_dataset",
    "load",
    "load_dataset",
    "read_idx",
    "read_idx_header",
    "stratified_split",
    "write_idx",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "CATALOG": "catalog",
        "CatalogEntry": "catalog",
        "Dataset": "dataset",
        "Finding": "inspection",
        "IdxHeader": "idx",
        "Imported": "importer",
        "Picture": "images",
        "decode_image": "images",
        "decode_pages": "images",
        "import_dataset": "importer",
        "import_folder": "importer",
        "import_npz": "importer",
        "inspect_dataset": "inspection",
        "load": "dataset",
        "load_dataset": "dataset",
        "read_idx": "idx",
        "read_idx_header": "idx",
        "stratified_split": "split",
        "write_idx": "idx",
    },
)
