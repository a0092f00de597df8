"""The article's service, its nine lines; started by ``uvicorn hanlp_tutor.teach.lessons.l19.article_service:app``.

Two things are not the article's: ``from hanlp import HanLP`` does not exist, so the name comes from the kit (it calls
``hanlp.load``), and the folder is taken from the environment. The body of ``predict`` is as it stands there, and holds
up the event loop while it computes; a query parameter is what its ``text`` is.
"""

import os

from fastapi import FastAPI

from hanlp_tutor.article import HanLP

app = FastAPI()
hanlp = HanLP.load(os.environ["FINETUNED_HANLP"])


@app.post("/predict")
async def predict(text: str):
    return hanlp(text)
