"""The map of the course: its lessons, which of them are there, and what each costs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanlp_tutor.teach.course.cost import read_cost


@dataclass(frozen=True)
class Lesson:
    """A notebook of the course, written or planned."""

    name: str
    zh: str
    teaches: str

    @property
    def number(self) -> str:
        """Two digits, and a letter where a lesson came between two others, as in 01b."""
        return self.name.partition("_")[0]


LESSONS = tuple(
    Lesson(*row)
    for row in (
        ("00_start_here", "从这里开始", "the map, the device check, what the article claims, what works today"),
        ("01_data", "数据", "BIO and label lines, conversion, the 8:1:1 split, leakage, audit"),
        ("01b_inside", "编码器的内部", "an encoder taken apart: embeddings, attention, a layer, masking, a head"),
        ("02_loss", "损失函数", "L(θ,φ) = Σ L_task + λ‖θ‖²: each term and its gradient, θ against φ"),
        ("03_encoders", "编码器", "BERT, RoBERTa-wwm, MacBERT: masking, tokenisation, size; last layer or all"),
        ("04_finetune_classifier", "微调分类器", "the simple task first: reviews, from data to hanlp.load"),
        ("05_finetune_ner", "微调命名实体识别", "the whole way on the People's Daily, the article's main example"),
        ("06_differential_learning_rates", "差异化学习率", "2e-5 for θ, 1e-3 for φ: what drifts, what is forgotten"),
        ("07_gradient_accumulation", "梯度累积", "equality with the large batch, the token-weighted trap, memory"),
        ("08_mixed_precision", "混合精度", "fp16, underflow, loss scaling, bf16, checkpointing; memory and speed"),
        ("09_tuning", "调参", "the grid of learning rates, batch size, early stopping, automated search"),
        ("10_evaluation", "评估", "P, R, F1, accuracy, macro, micro; error analysis, confidence, seeds"),
        ("11_multitask", "多任务学习", "HanLP's own multi-task model, trained by our loop"),
        ("12_medical_ner", "医疗实体识别", "electronic records against rule matching; department classification"),
        ("13_finance_aml", "反洗钱文本分类", "a thousand labels, against classical learners"),
        ("14_industrial_faults", "工业故障分类", "two hundred and more fault types, and the latency"),
        ("15_how_much_data", "需要多少数据", "learning curves, pre-trained against random weights"),
        ("16_relation_extraction", "关系抽取", "entity pairs to relations"),
        ("17_low_resource", "低资源微调", "prompt tuning, LoRA, frozen layers"),
        ("18_ocr_ner", "OCR与实体识别", "a scanned record to entities: text and layout together"),
        ("19_deployment", "部署", "hanlp.load, FastAPI, ONNX in 8 bits, latency"),
        ("20_troubleshooting", "常见问题", "over-fitting, out of memory, slow convergence: planted faults to find"),
        ("21_claims", "逐条核对", "every number of the article against what was measured"),
    )
)


def lessons(folder: str | Path | None = None, results: Path | None = None) -> list[dict[str, Any]]:
    """The map, a row a lesson: ``no``, ``lesson`` (title), ``teaches``, ``here`` (bool), ``minutes`` (class profile).

    Args:
        folder: of the notebooks, in which is looked which lessons exist; None: that of the checkout.
        results: folder of the result files; None: ``results/`` of the checkout.
    """
    from hanlp_tutor.workbench.notebook_file import notebook_folder

    folder = Path(folder) if folder is not None else notebook_folder()
    rows = []
    for lesson in LESSONS:
        cost = read_cost(lesson.name, "class", results)
        rows.append(
            {
                "no": lesson.number,
                "lesson": f"{lesson.name.partition('_')[2].replace('_', ' ')} {lesson.zh}",
                "teaches": lesson.teaches,
                "here": (folder / f"{lesson.name}.ipynb").exists(),
                "minutes": cost["minutes"] if cost else None,
            }
        )
    return rows
