import pytest


@pytest.fixture
def write(tmp_path):
    """A file of this content, bytes or text, line ends as they stand."""

    def write(content, name="a.x"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write
