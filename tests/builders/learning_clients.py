"""Make a client ask for a model that learns."""

from tests.conftest import House


def ask_for_markov(house: House, client: str, minimum: int = 5) -> None:
    """Edit a client's file: it asks for a model that learns."""
    file = house.home / f"clients/{client}.yaml"
    lines = [
        line
        for line in file.read_text().splitlines()
        if not line.startswith(("  model:", "  compare:", "    minimum_conversions:"))
    ]
    at = next(i for i, line in enumerate(lines) if line.startswith("attribution:"))
    own = ["  model: markov", "  compare: [shapley, shao_li, linear]"]
    own += [] if "  learning:" in {line[:11] for line in lines} else ["  learning:"]
    lines[at + 1 : at + 1] = own
    place = next(i for i, line in enumerate(lines) if line.startswith("  learning:"))
    lines.insert(place + 1, f"    minimum_conversions: {minimum}")
    file.write_text("\n".join(lines) + "\n")
