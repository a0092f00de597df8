"""Fine-tune Chinese language models, and hand them to plain HanLP.

The public names below are loaded on first use (PEP 562), so that ``import hanlp_tutor`` and the command line start
without importing torch. What has to be chosen before torch is loaded is chosen here: how its threads wait.
"""

import importlib

from hanlp_tutor.threads import settle

__version__ = "0.1.0"

# Public name -> the module that defines it. None may be called like a submodule: importing that submodule would then
# silently replace the function by the module.
_HOME = {
    "TrainConfig": "config",
    "ConfigError": "errors",
    "DataError": "errors",
    "load_corpus": "corpora",
    "read_examples": "data",
    "convert": "data",
    "audit": "workbench.audit",
    "load_encoder": "encoders",
    "build_model": "core.model_folder",
    "load_model": "core.model_folder",
    "save_model": "core.model_folder",
    "fine_tune": "core.train",
    "extend": "workbench.extend",
    "tune": "workbench.tuning.search",
    "estimate_memory": "workbench.memory",
    "evaluate_model": "core.evaluate",
    "Predictor": "core.predict",
    "export_hanlp": "hanlp_bridge.export",
    "relocate": "hanlp_bridge.export",
    "load_hanlp": "hanlp_bridge.load",
}

__all__ = ["__version__", *_HOME]

settle()


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value  # the next access does not come here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
