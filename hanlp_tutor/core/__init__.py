"""The learner: model, batches, THE loop, evaluation and prediction. It knows no HanLP, no web, no notebook."""
