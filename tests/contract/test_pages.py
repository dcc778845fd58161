"""Generated pages say what the code says today."""

from bilten.settings import Settings
from contract import page
from contract.catalogue import CALLS


def test_the_contract_page_is_what_make_docs_would_write():
    assert page.PAGE.read_text() == page.contract_page(), "run `make docs`"


def test_the_readmes_settings_are_what_make_docs_would_write():
    assert page.README.read_text() == page.readme_page(), "run `make docs`"
    assert all(f"`BILTEN_{name.upper()}`" in page.README.read_text() for name in Settings.model_fields)


def test_every_call_that_is_walked_is_served_and_every_other_is_not():
    wrong = [call.key for call in CALLS if call.served != (page.served_by(call) is not None)]
    assert wrong == []
