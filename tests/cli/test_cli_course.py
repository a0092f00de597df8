"""``claims``: every claim of the article with what was measured, for people and for programs."""

import json

from click.testing import CliRunner

from hanlp_tutor.cli import app
from hanlp_tutor.teach.course.claims import claims


def test_claims_for_people_and_for_programs():
    shown = CliRunner().invoke(app, ["claims"])
    told = json.loads(CliRunner().invoke(app, ["claims", "--json"]).stdout.splitlines()[-1])
    assert shown.exit_code == 0 and told["claims"] == claims() and told["source"]["title"].startswith("HanLP")
    for row in told["claims"]:
        assert row["claim"] in shown.stdout and row["measured"] in shown.stdout
