"""REST as several of the cast, for what agents do all day."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.api import Api
from tests.cast import Cast


class DeskApi(Api):
    def of(self, slug: str) -> "DeskApi":
        return DeskApi(self._user, f"/api/v1/workspaces/{slug}/")

    def put(self, path: str, body: Any = None) -> Any:
        import json

        return self._client.put(self._base + path, json.dumps(body), content_type="application/json")


@dataclass
class Desk:
    """`desk.ben.post(…)` below the cast's workspace."""

    cast: Cast

    def __getattr__(self, name: str) -> DeskApi:
        return DeskApi(getattr(self.cast, name)).of(self.cast.workspace.slug)


@pytest.fixture
def desk(cast: Cast, settings: Any) -> Desk:
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]
    return Desk(cast)
