"""Static files as a start collects them: hashed names that browsers keep for good, compressed once.

Where nothing was collected (tests, DEBUG), names stay as they are and the finders serve them.
"""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class CollectedOnce(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # the library has no types
    support_js_module_import_aggregation = True

    def stored_name(self, name: str) -> str:
        return str(super().stored_name(name)) if self.hashed_files else name
