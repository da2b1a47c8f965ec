"""Every example in the reference of result files runs."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "files.md"


def test_the_examples_of_the_reference_run_one_after_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    examples = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(examples) == 6
    for example in examples:
        exec(compile(example, str(PAGE), "exec"), names)
