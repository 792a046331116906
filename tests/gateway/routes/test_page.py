import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import gateway
from contracts.registry import MODALITIES, get_modality
from gateway.about import NOTICE
from gateway.app import create_app
from gateway.feedback import CommentCode
from gateway.strings import catalogue
from tests.gateway.fakes import BASE, FakeServices, open_gateway, settings_for

EXAMPLES = Path(gateway.__file__).parents[1] / "examples"
SCRIPTS = sorted((Path(gateway.__file__).parent / "static/page").glob("*.js"))
TEMPLATES = sorted((Path(gateway.__file__).parent / "templates").glob("*.html"))


class Elements(HTMLParser):
    """All elements of a page with their attributes."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def all(self, *tags):
        return [attributes for tag, attributes in self.found if tag in tags]


@pytest.fixture
async def client(tmp_path):
    async with open_gateway(tmp_path, FakeServices()) as client:
        yield client


@pytest.fixture
async def page(client):
    return (await client.get("/ui")).text


async def test_a_browser_gets_the_page_at_the_root_and_a_program_gets_json(client):
    browser = await client.get("/", headers={"accept": "text/html,application/xml;q=0.9,*/*;q=0.8"})
    program = await client.get("/", headers={"accept": "*/*"})

    assert browser.text == (await client.get("/ui")).text
    assert browser.headers["vary"] == "Accept, Accept-Encoding"
    assert browser.headers["content-security-policy"].startswith("default-src 'none'")
    assert program.json()["health"] == "/health"


async def test_the_page_allows_nothing_inline_and_nothing_foreign(client):
    response = await client.get("/ui")
    policy = response.headers["content-security-policy"]

    assert "unsafe" not in policy and "http" not in policy
    assert "script-src 'self';" in policy and "style-src 'self';" in policy
    assert not re.search(r"https?://", response.text)
    for tag, attributes in Elements(response.text).found:
        assert tag != "style"
        assert tag != "script" or attributes.get("src")
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


async def test_everything_that_the_page_loads_is_served_here(client, page):
    elements = Elements(page)
    loaded = [one["src"] for one in elements.all("script")]
    loaded += [one["href"] for one in elements.all("link")]
    loaded += [f"/static/page/{script.name}" for script in SCRIPTS]

    for path in loaded:
        response = await client.get(path)
        assert response.status_code == 200, path
    script = await client.get("/static/page/main.js")
    assert script.headers["content-type"].startswith("text/javascript")


async def test_a_browser_keeps_a_script_and_asks_whether_it_changed(client):
    first = await client.get("/static/page/main.js")
    again = await client.get(
        "/static/page/main.js", headers={"if-none-match": first.headers["etag"]}
    )

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


async def test_every_modality_can_be_chosen(page):
    values = [one["value"] for one in Elements(page).all("input") if one.get("type") == "radio"]

    assert values == [*(modality.id for modality in MODALITIES), ""]


async def test_a_table_has_a_labelled_field_for_every_column_with_its_range(page):
    elements = Elements(page)
    fields = {one["data-column"]: one for one in elements.all("input", "select")
              if "data-column" in one}  # fmt: skip
    labelled = {one.get("for") for one in elements.all("label")}
    columns = get_modality("heart-risk").table.columns

    assert list(fields) == [column.name for column in columns]
    for column in columns:
        field = fields[column.name]
        assert field["id"] in labelled
        assert ("required" in field) == column.required
        if column.minimum is not None:
            assert float(field["min"]) == column.minimum
            assert float(field["max"]) == column.maximum
    assert "mmHg, 70 to 250" in page


async def test_the_samples_of_the_list_can_be_tried_and_their_files_fetched(client, page):
    buttons = [one for one in Elements(page).all("button") if "data-sample" in one]
    names = [name for one in buttons for name in one["data-files"].split()]

    assert {one["data-sample"] for one in buttons} == {modality.id for modality in MODALITIES}
    assert "Tschandl et al. 2018 (HAM10000), CC BY-NC 4.0" in page
    for name in names:
        answer = await client.get(f"/ui/samples/{name}")
        assert answer.content == (EXAMPLES / name).read_bytes()


@pytest.mark.parametrize(
    "name", ["samples.csv", "README.md", "../README.md", "..%2FREADME.md", "chest-xray", ""]
)
async def test_nothing_beside_the_listed_samples_is_served(client, name):
    assert (await client.get(f"/ui/samples/{name}")).status_code == 404


async def test_without_the_folder_no_sample_is_offered(tmp_path):
    async with open_gateway(tmp_path, FakeServices(), samples_dir=tmp_path) as client:
        page = (await client.get("/ui")).text

    assert "data-sample" not in page


async def test_every_id_stands_once_and_every_reference_leads_somewhere(page):
    elements = Elements(page)
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    references = {
        target
        for _, attributes in elements.found
        for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls")
        for target in (attributes.get(name) or "").split()
    }

    assert len(ids) == len(set(ids))
    assert references <= set(ids)


async def test_the_notice_stands_in_the_page(page):
    assert page.count(NOTICE) == 2


async def test_the_words_reach_the_scripts_unharmed(page):
    (body,) = Elements(page).all("body")

    assert json.loads(body["data-words"]) == dict(catalogue())


async def test_a_modality_without_images_is_offered_no_file_of_unknown_kind(tmp_path):
    app = create_app(
        settings_for(tmp_path),
        transport=FakeServices().transport,
        modalities=(get_modality("heart-risk"),),
    )
    async with app.router.lifespan_context(app):
        import httpx2

        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=BASE) as client:
            page = (await client.get("/ui")).text
    values = [one["value"] for one in Elements(page).all("input") if one.get("type") == "radio"]

    assert values == ["heart-risk"]


def words_in(path, pattern):
    return set(re.findall(pattern, path.read_text()))


def test_every_text_that_templates_and_scripts_name_is_in_the_catalogue():
    named = {key for path in TEMPLATES for key in words_in(path, r'words\["([\w.]+)"\]')}
    named |= {key for path in SCRIPTS for key in words_in(path, r'\bsay\(\s*"([\w.]+)"')}

    assert len(named) > 80
    assert named <= catalogue().keys()


def test_every_reason_of_feedback_has_a_text_and_is_offered():
    script = next(path for path in SCRIPTS if path.name == "feedback.js").read_text()

    assert {f"feedback.{code.value}" for code in CommentCode} <= catalogue().keys()
    assert all(f'"{code.value}"' in script for code in CommentCode)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_parses_nothing_as_markup_and_stores_nothing(path):
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|\beval\b|Storage|cookie|indexedDB"

    assert not re.search(forbidden, path.read_text())


@pytest.mark.parametrize(
    "path",
    [*SCRIPTS, *TEMPLATES, *SCRIPTS[0].parent.glob("*.css")],
    ids=lambda path: path.name,
)
def test_a_file_of_the_page_has_at_most_250_lines(path):
    assert len(path.read_text().splitlines()) <= 250
