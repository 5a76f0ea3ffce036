"""What system images are made for: each model's product, code name and way of partitioning."""

from __future__ import annotations

from dataclasses import dataclass

from .catalog import MODELS


@dataclass(frozen=True, slots=True)
class Product:
    """One product. id: as images and units name it; code: its code name; ab: two sets of partitions."""

    id: str
    code: str
    ab: bool
    number: int


def _product(number: int) -> Product:
    model = MODELS[number]
    words = model.name.replace("-", "").split()
    word = words[0] if any(letter.isdigit() for letter in words[0]) else "".join(words)
    # Those that came with Android 11 or later have two sets of partitions.
    return Product(word.upper(), word.lower(), model.systems[0][1] >= 30, number)


# By the model's name.
PRODUCTS: dict[str, Product] = {model.name: _product(number) for number, model in enumerate(MODELS)}
