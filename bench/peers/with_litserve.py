"""LitServe with batches of up to 8, decoding in its worker."""

import sys

import litserve
from fastapi import Request
from torch import Tensor

from bench.peers.model import PeerModel


class Film(litserve.LitAPI):
    """Answers films in batches."""

    def setup(self, device: str) -> None:
        """Load the model in the worker."""
        self.model = PeerModel()

    def decode_request(self, request: Request) -> Tensor:
        """Return the input tensor of one film; LitServe has read the form by now."""
        payload: bytes = request["file"].file.read()
        return self.model.prepare(payload)

    def batch(self, inputs: list[Tensor]) -> list[Tensor]:
        """Leave stacking to the model."""
        return inputs

    def predict(self, x: list[Tensor]) -> list[dict[str, float]]:
        """Answer one batch."""
        return self.model.answer(x)

    def unbatch(self, output: list[dict[str, float]]) -> list[dict[str, float]]:
        """One answer for each film."""
        return output


if __name__ == "__main__":
    server = litserve.LitServer(Film(max_batch_size=8, batch_timeout=0.005), accelerator="cpu")
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
    )
