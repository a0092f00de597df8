"""``hanlp-tutor compare``."""

import click


@click.command()
def compare() -> None:
    """Placeholder."""
