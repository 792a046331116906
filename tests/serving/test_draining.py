"""From the stop signal on, no caller keeps a connection that is about to be closed."""


async def test_F8_while_draining_every_answer_says_so_and_closes_its_connection(app, client, shell):
    async with client(app) as http:
        before = await http.get("/livez")
        shell.health.mark_draining()
        during = [await http.get(path) for path in ("/livez", "/readyz", "/nowhere")]

    assert "connection" not in before.headers
    assert "x-draining" not in before.headers
    assert [answer.headers["connection"] for answer in during] == ["close"] * 3
    assert [answer.headers["x-draining"] for answer in during] == ["true"] * 3
