"""Multipart bodies made by hand, right and wrong."""

BOUNDARY = "b0undary"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def part(name, payload, filename=None, headers=b""):
    """One part; with a file name it is a file."""
    disposition = f'form-data; name="{name}"'.encode()
    if filename is not None:
        disposition += b'; filename="' + filename.encode() + b'"'
    return b"Content-Disposition: " + disposition + b"\r\n" + headers + b"\r\n" + payload


def form(*parts, end=b"--\r\n"):
    """The body of a form with these parts."""
    mark = b"--" + BOUNDARY.encode()
    return b"".join(mark + b"\r\n" + one + b"\r\n" for one in parts) + mark + end
