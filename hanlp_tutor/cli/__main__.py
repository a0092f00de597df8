"""``python -m hanlp_tutor.cli``: the command where the script ``hanlp-tutor`` is not on the path."""

from hanlp_tutor.cli import main

if __name__ == "__main__":
    main()
