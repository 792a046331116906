from starlette.requests import Request
from starlette.responses import PlainTextResponse

from gateway.unread import CloseUnreadMiddleware


class Connection:
    """One request whose body comes in `pieces`, and what was sent back."""

    def __init__(self, pieces, length=None):
        self.pieces = list(pieces)
        self.sent = []
        declared = str(sum(map(len, pieces)) if length is None else length).encode()
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "headers": [(b"content-length", declared)],
        }

    async def receive(self):
        if not self.pieces:
            return {"type": "http.disconnect"}
        piece = self.pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self.pieces)}

    async def send(self, message):
        self.sent.append(message)

    async def run(self, app, **options):
        await CloseUnreadMiddleware(app, **options)(self.scope, self.receive, self.send)
        return self

    @property
    def closes(self):
        return (b"connection", b"close") in self.sent[0]["headers"]


async def refuse(scope, receive, send):
    await PlainTextResponse("no", status_code=413)(scope, receive, send)


async def read_all(scope, receive, send):
    await Request(scope, receive).body()
    await PlainTextResponse("yes")(scope, receive, send)


async def test_a_body_that_was_read_leaves_the_connection_open():
    connection = await Connection([b"a", b"b"]).run(read_all)

    assert not connection.closes
    assert [message.get("more_body", False) for message in connection.sent[1:]] == [False]


async def test_an_unread_body_closes_the_connection_after_it_was_thrown_away():
    connection = await Connection([b"a", b"b", b"c"]).run(refuse)

    assert connection.closes
    assert connection.pieces == []
    assert [message["body"] for message in connection.sent[1:]] == [b"no", b""]
    assert [message.get("more_body", False) for message in connection.sent[1:]] == [True, False]


async def test_a_sender_without_end_is_waited_for_only_a_moment():
    connection = Connection([b"x"] * 3)

    async def endless():
        import asyncio

        await asyncio.sleep(30)

    connection.receive = endless
    await connection.run(refuse, linger_seconds=0.01)

    assert connection.sent[-1] == {"type": "http.response.body", "body": b""}


async def test_a_request_without_a_body_is_left_alone():
    connection = await Connection([b""], length=0).run(refuse)

    assert not connection.closes
    assert len(connection.sent) == 2
