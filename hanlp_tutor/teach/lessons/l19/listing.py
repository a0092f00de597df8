"""The article's service: its seven lines as a file that uvicorn starts."""

from pathlib import Path

# Two things are not the article's: `from hanlp import HanLP` does not exist, so the name comes from the kit, which
# calls hanlp.load; and the folder is asked of the environment. The other five of the seven are as they stand there.
ARTICLE_SERVICE = '''\
import os
from fastapi import FastAPI
from hanlp_tutor.article import HanLP
app = FastAPI()
hanlp = HanLP.load(os.environ['FINETUNED_HANLP'])
@app.post('/predict')
async def predict(text: str):
    return hanlp(text)
'''


def write_article_service(folder: Path) -> str:
    """Write it into a folder; the name under which uvicorn finds it there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "article_service.py").write_text(ARTICLE_SERVICE, encoding="utf-8")
    return "article_service:app"
