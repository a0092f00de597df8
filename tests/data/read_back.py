"""What a reader makes of a file, as tests compare it."""

from hanlp_tutor.data import read_documents
from hanlp_tutor.data.notes import notes_to


def read(path, name, **options):
    """The documents and the notes."""
    notes = []
    with notes_to(notes.append):
        return read_documents(path, name, **options), notes


def entities(document):
    """Text and label of each."""
    return [(document.text[span.start : span.end], span.label) for span in document.spans]
