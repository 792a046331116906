import pytest
from fastapi import FastAPI

from serving.app import create_shell

TOKEN = "correct-horse"


@pytest.fixture
def guarded(app: FastAPI, shell):
    guarded = create_shell(
        "Guarded", lifespan=app.router.lifespan_context, shell=shell, internal_token=TOKEN
    )

    @guarded.get("/secret")
    async def secret() -> dict[str, bool]:
        return {"in": True}

    return guarded


@pytest.fixture
def shell():
    from serving.app import Shell

    return Shell()


async def test_the_right_token_opens(guarded, call):
    response = await call(guarded, "GET", "/secret", headers={"Authorization": f"Bearer {TOKEN}"})

    assert response.json() == {"in": True}


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "Bearer wrong")],
        [("Authorization", f"bearer {TOKEN}")],
        [("Authorization", f"Bearer {TOKEN} ")],
        [("Authorization", TOKEN)],
        [("Authorization", "Bearer é".encode("latin-1"))],
        [("Authorization", f"Bearer {TOKEN}"), ("Authorization", f"Bearer {TOKEN}")],
    ],
)
@pytest.mark.parametrize("path", ["/secret", "/openapi.json", "/nowhere", "//livez", "/livez/"])
async def test_everything_else_is_refused_on_every_path(guarded, call, headers, path):
    response = await call(guarded, "GET", path, headers=headers)

    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_probes_need_no_token(guarded, call, path):
    response = await call(guarded, "GET", path)

    assert response.status_code == 200
