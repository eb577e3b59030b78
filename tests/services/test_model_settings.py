"""What the process's model takes from the product's settings and words."""

from __future__ import annotations

from typing import Any

import pytest

from segmentation import ModelError, Scope
from sessions_app.click_history import SCOPES
from sessions_app.inference.model import sam_model, scope_of


def test_every_scope_of_the_product_is_one_of_the_models() -> None:
    assert [scope_of(name) for name in SCOPES] == [Scope.AUTO, Scope.THIS_WALL, Scope.ALL_WALLS]


@pytest.mark.model
@pytest.mark.usefixtures("sam_weights")
def test_an_execution_provider_that_is_not_installed_is_refused_by_name(settings: Any) -> None:
    settings.SAM_EXECUTION_PROVIDERS = ["NpuExecutionProvider"]

    with pytest.raises(ModelError, match="NpuExecutionProvider"):
        sam_model().warm_up()
