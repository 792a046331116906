"""BentoML: a service class with one method, as its documentation begins."""

import bentoml
from PIL import Image

from bench.peers.model import PeerModel


@bentoml.service
class Film:
    """Answers films."""

    def __init__(self) -> None:
        """Load the model in the worker."""
        self.model = PeerModel()

    @bentoml.api
    def predict(self, image: Image.Image) -> dict[str, float]:
        """Answer one film."""
        return self.model.answer([self.model.prepare_image(image)])[0]
