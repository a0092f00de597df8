"""How fast the kit trains and predicts beside its peers, in one run on this machine: ``hanlp-tutor bench``."""
