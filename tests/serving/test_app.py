from fastapi import FastAPI, Response

from serving.app import create_shell
from serving.timing import Stopwatch, server_timing


async def test_every_answer_carries_the_safe_headers(app, client):
    async with client(app) as http:
        for path in ("/livez", "/nowhere"):
            response = await http.get(path)
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


async def test_a_policy_that_a_page_sets_itself_is_kept(app, call):
    @app.get("/page")
    async def page() -> Response:
        return Response("x", headers={"Content-Security-Policy": "default-src 'self'"})

    response = await call(app, "GET", "/page")

    assert response.headers.get_list("Content-Security-Policy") == ["default-src 'self'"]


async def test_there_are_no_documentation_pages_that_need_a_network(app, client):
    async with client(app) as http:
        assert (await http.get("/docs")).status_code == 404
        assert (await http.get("/openapi.json")).status_code == 200


async def test_an_app_made_elsewhere_is_completed(app, shell, call):
    other = FastAPI(docs_url=None)

    made = create_shell("x", lifespan=app.router.lifespan_context, shell=shell, app=other)

    assert made is other
    assert (await call(made, "GET", "/livez")).headers["X-Request-ID"]


async def test_a_trailing_slash_is_not_redirected(app, call):
    assert (await call(app, "GET", "/livez/")).status_code == 404


def test_stages_are_summed_and_told():
    ticks = iter([0.0, 0.010, 0.020, 0.025])
    watch = Stopwatch(lambda: next(ticks))

    with watch.stage("decode"):
        pass
    with watch.stage("decode"):
        pass

    assert watch.timing_ms == {"decode": 15.0}
    assert server_timing({"decode": 15.0, "infer": 2.5}) == "decode;dur=15, infer;dur=2.5"
