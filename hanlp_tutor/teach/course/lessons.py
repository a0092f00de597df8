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
    teaches_zh: str

    @property
    def number(self) -> str:
        """Two digits, and a letter where a lesson came between two others, as in 01b."""
        return self.name.partition("_")[0]


LESSONS = tuple(
    Lesson(*row)
    for row in (
        ("00_start_here", "从这里开始", "the map, the device check, what the article claims, what works today",
         "全景、设备检查、文章说了什么、今天什么能运行"),
        ("01_data", "数据", "BIO and label lines, conversion, the 8:1:1 split, leakage, audit",
         "BIO 与标签行、格式转换、8:1:1 划分、泄漏、审查"),
        ("01b_inside", "编码器的内部", "an encoder taken apart: embeddings, attention, a layer, masking, a head",
         "拆开一个编码器：嵌入、注意力、一层、掩码、任务头"),
        ("02_loss", "损失函数", "L(θ,φ) = Σ L_task + λ‖θ‖²: each term and its gradient, θ against φ",
         "L(θ,φ) = Σ L_task + λ‖θ‖²：每一项和它的梯度，θ 与 φ"),
        ("03_encoders", "编码器", "BERT, RoBERTa-wwm, MacBERT: masking, tokenisation, size; last layer or all",
         "BERT、RoBERTa-wwm、MacBERT：掩码、分词、大小；最后一层还是全部"),
        ("04_finetune_classifier", "微调分类器", "the simple task first: reviews, from data to hanlp.load",
         "先做简单任务：评论，从数据到 hanlp.load"),
        ("05_finetune_ner", "微调命名实体识别", "the whole way on the People's Daily, the article's main example",
         "人民日报上的全过程，文章的主要例子"),
        ("06_differential_learning_rates", "差异化学习率", "2e-5 for θ, 1e-3 for φ: what drifts, what is forgotten",
         "θ 用 2e-5，φ 用 1e-3：什么漂移了，什么忘记了"),
        ("07_gradient_accumulation", "梯度累积", "equality with the large batch, the token-weighted trap, memory",
         "与大批次相等、按词元加权的陷阱、内存"),
        ("08_mixed_precision", "混合精度", "fp16, underflow, loss scaling, bf16, checkpointing; memory and speed",
         "fp16、下溢、损失缩放、bf16、检查点；内存与速度"),
        ("09_tuning", "调参", "the grid of learning rates, batch size, early stopping, automated search",
         "学习率网格、批次大小、早停、自动搜索"),
        ("10_evaluation", "评估", "P, R, F1, accuracy, macro, micro; error analysis, confidence, seeds",
         "P、R、F1、准确率、宏平均与微平均；错误分析、置信度、随机种子"),
        ("11_multitask", "多任务学习", "HanLP's own multi-task model, trained by our loop",
         "HanLP 自己的多任务模型，用我们的循环训练"),
        ("12_medical_ner", "医疗实体识别", "electronic records against rule matching; department classification",
         "电子病历与规则匹配的比较；分诊"),
        ("13_finance_aml", "反洗钱文本分类", "a thousand labels, against classical learners",
         "一千条标注，与传统学习器比较"),
        ("14_industrial_faults", "工业故障分类", "two hundred and more fault types, and the latency",
         "两百多种故障，以及延迟"),
        ("15_how_much_data", "需要多少数据", "learning curves, pre-trained against random weights",
         "学习曲线，预训练与随机权重"),
        ("16_relation_extraction", "关系抽取", "entity pairs to relations",
         "从实体对到关系"),
        ("17_low_resource", "低资源微调", "prompt tuning, LoRA, frozen layers",
         "提示微调、LoRA、冻结层"),
        ("18_ocr_ner", "OCR 与实体识别", "a scanned record to entities: text and layout together",
         "从扫描的病历到实体：文字与版面"),
        ("19_deployment", "部署", "hanlp.load, FastAPI, ONNX in 8 bits, latency",
         "hanlp.load、FastAPI、8 位 ONNX、延迟"),
        ("20_troubleshooting", "故障排查", "over-fitting, out of memory, slow convergence: planted faults to find",
         "过拟合、内存不足、收敛慢：找出埋下的故障"),
        ("21_claims", "逐条核对", "every number of the article against what was measured",
         "文章的每一个数，与测得的数并列"),
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
