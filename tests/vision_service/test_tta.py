"""Several views of a picture: what the deployment sets, and what a request says instead."""

from dataclasses import replace

import pytest

from contracts.views import Views
from vision_service.app import create_app


@pytest.fixture
def ask(opened, settings_for, png_bytes):
    """Ask a service once; with `views` its model was calibrated for them."""

    async def answer(query: str, *, by_default: bool, views: bool = True) -> dict:
        app = create_app(settings_for(use_tta=by_default))
        async with opened(app) as http:
            engine = app.state.engine_holder.engine
            if views:
                release = engine.model.checkpoint.release
                rule = replace(release.decision, temperature=(3.0,))
                names = ("identity", "flip_horizontal")
                engine.model = replace(engine.model, views=Views(names, rule))
            return (await http.post(f"/predict{query}", content=png_bytes)).json()

    return answer


async def test_by_default_one_view_is_asked_and_a_request_may_ask_for_more(ask):
    plain = await ask("?use_tta=false", by_default=False)

    assert (await ask("", by_default=False))["probabilities"] == plain["probabilities"]
    averaged = await ask("?use_tta=true", by_default=False)
    assert averaged["probabilities"] != plain["probabilities"]


async def test_a_deployment_may_average_by_default_and_a_request_may_refuse_it(ask):
    averaged = await ask("?use_tta=true", by_default=False)
    plain = await ask("", by_default=False)

    assert (await ask("", by_default=True))["probabilities"] == averaged["probabilities"]
    refused = await ask("?use_tta=false", by_default=True)
    assert refused["probabilities"] == plain["probabilities"]


async def test_a_default_that_the_model_cannot_follow_warns_nobody_but_a_request_is_told(ask):
    silent = await ask("", by_default=True, views=False)
    told = await ask("?use_tta=true", by_default=True, views=False)

    codes = [{warning["code"] for warning in answer["warnings"]} for answer in (silent, told)]
    assert ["tta_unavailable" in found for found in codes] == [False, True]
