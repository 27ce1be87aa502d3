"""A file of contacts comes in: read as any spreadsheet wrote it, tried out, written in batches, stopped and resumed."""

import codecs
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import AttributeDefinition, AttributeType, Contact, ContactIdentity, ContactImport, ContactImportLine
from crm.services.imports import running
from jobs import engine
from jobs.models import Job
from tests.api import Api
from tests.cast import receive, sender, unique
from tests.jobs_at_hand import hold, run_job

pytestmark = pytest.mark.usefixtures("own_issuer")
HEADER = "Name,Phone,E-Mail,Tags"


@pytest.fixture
def ben(cast):
    return Api(cast.ben).of(cast.workspace.slug)


def upload(api: Api, content: str | bytes, name: str = "people.csv") -> Any:
    data = content.encode() if isinstance(content, str) else content
    return api._client.post(f"{api._base}contact-imports/", {"file": SimpleUploadedFile(name, data)})


def jobs_of(import_id: str) -> list[Job]:
    return list(Job.objects.filter(key__contains=import_id, status="pending").order_by("id"))


def run_all(import_id: str) -> None:
    while jobs := jobs_of(import_id):
        for job in jobs:
            run_job(job.pk)


def imported(api: Api, content: str | bytes, **changes: Any) -> Any:
    answer = upload(api, content)
    assert answer.status_code == 201, answer.content
    path = f"contact-imports/{answer.json()['id']}/"
    if changes:
        assert api.patch(path, changes).status_code == 200
    assert api.post(f"{path}run").status_code == 202
    run_all(answer.json()["id"])
    return api.get(path).json()


def number() -> str:
    return f"+34{sender().whatsapp[2:]}"


def test_a_file_is_uploaded_mapped_checked_and_run(cast, ben):
    one, other = number(), number()
    answer = upload(ben, f'{HEADER}\nLucía,{one},lucia@example.org,"vip, old"\nBad,123,nope,\n,,,\nPaul,{other},,\n')
    found = answer.json()
    assert answer.status_code == 201
    assert found["mapping"] == {"Name": "name", "Phone": "phone", "E-Mail": "email", "Tags": "tags"}
    assert found["preview"][0] == ["Lucía", one, "lucia@example.org", "vip, old"]
    path = f"contact-imports/{found['id']}/"
    assert ben.post(f"{path}check").status_code == 202
    run_all(found["id"])
    checked = ben.get(path).json()
    assert (checked["state"], checked["total_rows"]) == ("checked", 4)
    assert (checked["created_rows"], checked["refused_rows"], checked["skipped_rows"]) == (2, 1, 1)
    assert not Contact.objects.filter(workspace=cast.workspace).exists()
    problems = ben.get(f"{path}problems/").json()["results"]
    assert {(one["row"], one["column"], one["code"]) for one in problems} == {
        (2, "Phone", "not_phone"),
        (2, "E-Mail", "not_email"),
    }
    assert ben.post(f"{path}run").status_code == 202
    run_all(found["id"])
    done = ben.get(path).json()
    assert (done["state"], done["created_rows"], done["refused_rows"]) == ("completed", 2, 1)
    lucia = Contact.objects.get(workspace=cast.workspace, name="Lucía")
    assert (lucia.phone_normalized, lucia.tags) == (one, ["vip", "old"])
    csv = b"".join(ben.get(f"{path}problems.csv").streaming_content).decode("utf-8-sig").splitlines()
    assert csv[0] == "row,column,code,message"
    assert len(csv) == 3
    # Who writes from the imported number is that contact.
    assert receive(cast, who=sender(one[1:])).contact_id == lucia.pk


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (lambda text: text.encode(), "utf-8"),
        (lambda text: codecs.BOM_UTF8 + text.encode(), "utf-8-sig"),
        (lambda text: text.encode("utf-16"), "utf-16"),
        (lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"), "utf-16"),
        (lambda text: text.encode("utf-16-le"), "utf-16-le"),
        (lambda text: text.encode("cp1252"), "cp1252"),
    ],
    ids=["utf-8", "utf-8-mark", "utf-16", "utf-16-be", "utf-16-no-mark", "cp1252"],
)
@pytest.mark.parametrize("sign", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_letters_and_delimiters_are_recognised(cast, ben, encoded, expected, sign):
    one = number()
    text = sign.join(["Nombre", "Teléfono", "Correo"]) + "\r\n" + sign.join(["Señor Müller “x”", one, "a@b.example"])
    done = imported(ben, encoded(text))
    assert (done["encoding"], done["delimiter"]) == (expected, sign)
    assert (done["state"], done["created_rows"]) == ("completed", 1)
    assert Contact.objects.get(workspace=cast.workspace, phone_normalized=one).name == "Señor Müller “x”"


def test_what_is_known_is_skipped_or_updated(cast, ben):
    who = sender(name="Lucía")
    known = receive(cast, who=who).contact
    done = imported(ben, f"Name,Phone,Tags\nOther,+{who.whatsapp},new\n")
    assert (done["skipped_rows"], done["created_rows"]) == (1, 0)
    second, before = number(), known.updated_at
    ContactIdentity.objects.create(workspace=cast.workspace, contact=known, kind="phone", value=second)
    done = imported(ben, f"Name,Phone,Tags,Score\n,+{who.whatsapp},new,7\n", known="update")
    assert (done["updated_rows"], done["created_rows"]) == (1, 0)
    known.refresh_from_db()
    assert (known.name, known.tags, known.lead_score, known.metadata) == ("Lucía", ["new"], 7, {})
    assert known.updated_at > before
    for digits in (who.whatsapp, second):
        assert [row["id"] for row in ben.get("contacts/", q=digits).json()["results"]] == [str(known.pk)]


@pytest.mark.parametrize("known", ["skip", "update"])
def test_a_batch_takes_as_many_statements_however_many_rows_it_has(ben, known):
    def statements(rows: int) -> int:
        text = "Name,Phone,E-Mail\n" + "".join(f"Row {row},{number()},{unique('a')}@b.example\n" for row in range(rows))
        if known == "update":
            imported(ben, text)
        with CaptureQueriesContext(connection) as captured:
            done = imported(ben, text, known=known)
        assert (done["state"], done["created_rows"] + done["updated_rows"]) == ("completed", rows)
        return len(captured)

    few = min(statements(2), statements(2))
    assert statements(40) <= few + 2  # both tables may be counted anew


def test_the_history_of_a_contact_tells_of_its_imports(cast, ben):
    one = number()
    first = imported(ben, f"Name,Phone\nLucía,{one}\nOther,{number()}\n")
    imported(ben, f"Name,Phone\n,\nLucía María,{one}\nLucía Ana,{one}\n", known="update")
    lucia = Contact.objects.get(workspace=cast.workspace, phone_normalized=one)

    def told() -> list[tuple[Any, ...]]:
        rows = ben.get(f"contacts/{lucia.pk}/timeline", kind="import").json()["results"]
        return [tuple(row["data"][name] for name in ("filename", "row", "created", "by")) for row in rows]

    by = {"id": str(cast.ben.pk), "name": "Ben"}
    assert told() == [("people.csv", 2, False, by), ("people.csv", 1, True, by)]
    shown = Api(cast.ben).get(f"/contacts/{lucia.pk}").content.decode()
    assert "Added by an import" in shown
    assert "people.csv, row 2" in shown
    assert ben.delete(f"contact-imports/{first['id']}/").status_code == 204
    assert told() == [("people.csv", 2, False, by), (None, 1, True, None)]
    other = Contact.objects.get(workspace=cast.workspace, name="Other")
    assert ben.post(f"contacts/{other.pk}/merge", {"from": str(lucia.pk)}).status_code in {200, 201}
    assert ContactImportLine.objects.filter(contact=other).count() == 3


def test_a_number_that_stands_twice_is_one_contact(cast, ben):
    one = number()
    rows = "".join(f"Row {row},{one}\n" for row in range(1200))
    done = imported(ben, f"Name,Phone\n{rows}")
    assert (done["created_rows"], done["skipped_rows"], done["done_rows"]) == (1, 1199, 1200)
    assert ContactIdentity.objects.filter(workspace=cast.workspace, kind="match").count() == 1


def test_attributes_owners_and_metadata_are_read_by_type(cast, ben):
    AttributeDefinition.objects.create(
        workspace=cast.workspace, key="plan", label="Plan", type=AttributeType.CHOICE, choices=["Gold", "Basic"]
    )
    AttributeDefinition.objects.create(
        workspace=cast.workspace, key="children", label="Children", type=AttributeType.NUMBER
    )
    header = "First name,Last name,Plan,Children,Owner,City,Score"
    rows = f"Lucía,García,gold,2,{cast.ben.email},Madrid,70\nPaul,X,silver,two,nobody,,101\n"
    mapping = {
        "First name": "first_name",
        "Last name": "last_name",
        "Plan": "attributes.plan",
        "Children": "attributes.children",
        "Owner": "owner",
        "City": "metadata.city",
        "Score": "lead_score",
    }
    done = imported(ben, f"{header}\n{rows}", mapping=mapping)
    assert (done["created_rows"], done["refused_rows"]) == (1, 1)
    lucia = Contact.objects.get(workspace=cast.workspace)
    assert lucia.name == "Lucía García"
    assert lucia.attributes == {"plan": "Gold", "children": 2}
    assert (lucia.metadata, lucia.owner, lucia.lead_score) == ({"city": "Madrid"}, cast.ben, 70)
    codes = {one["code"] for one in ben.get(f"contact-imports/{done['id']}/problems/").json()["results"]}
    assert codes == {"not_attributes", "not_owner", "not_lead_score"}


@pytest.mark.parametrize("cell", ["9" * 400, "-1e300", "nan", "inf", "1" * 5000])
def test_a_number_that_no_filter_could_compare_is_refused_and_costs_no_other_row(cast, ben, cell):
    AttributeDefinition.objects.create(workspace=cast.workspace, key="sum", label="Sum", type=AttributeType.NUMBER)
    done = imported(ben, f"Name,Sum\nLucía,{cell}\nPaul,12.5\n")
    assert (done["state"], done["created_rows"], done["refused_rows"]) == ("completed", 1, 1)
    assert Contact.objects.get(workspace=cast.workspace).attributes == {"sum": 12.5}


def test_a_wrong_mapping_is_refused_by_column(cast, ben):
    answer = upload(ben, "Name,Phone\nx,1\n")
    path = f"contact-imports/{answer.json()['id']}/"
    refused = ben.patch(path, {"mapping": {"Name": "nonsense", "Gone": "name"}})
    assert (refused.status_code, set(refused.json()["errors"]["mapping"])) == (400, {"Name", "Gone"})
    assert ben.patch(path, {"mapping": {"Name": ""}}).status_code == 200
    assert ben.post(f"{path}run").status_code == 400


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"\x89PNG\r\n\x00\x1a\x04binary" * 20],
    ids=["empty", "no-header", "a-picture"],
)
def test_what_is_no_table_is_refused(cast, ben, content):
    assert upload(ben, content).status_code == 400


def test_a_quotation_mark_that_never_closes_fails_with_a_sentence(cast, ben):
    done = imported(ben, "Name,Phone\nA,\n" + 'B,"' + "x\n" * 100_000)
    assert done["state"] == "failed"
    assert "quotation mark" in done["error"]


class Killed(BaseException):
    pass


def test_a_killed_worker_is_taken_over_without_doubles(cast, ben, monkeypatch):
    rows = "".join(f"Row {row},{number()}\n" for row in range(1700))
    answer = upload(ben, f"Name,Phone\n{rows}")
    path = f"contact-imports/{answer.json()['id']}/"
    ben.post(f"{path}run")
    (job,) = jobs_of(answer.json()["id"])
    real, calls = running.write_rows, []

    def dying(*args: Any, **kwargs: Any) -> Any:
        outcome = real(*args, **kwargs)
        calls.append(1)
        if len(calls) in {2, 4}:
            raise Killed  # the batch is written and not committed
        return outcome

    monkeypatch.setattr(running, "write_rows", dying)
    for dead in range(2):
        with pytest.raises(Killed):
            engine.run(hold(job.pk, died=bool(dead)))
    assert ben.get(path).json()["done_rows"] == 1000
    engine.run(hold(job.pk, died=True))
    done = ben.get(path).json()
    assert (done["state"], done["created_rows"], done["done_rows"]) == ("completed", 1700, 1700)
    assert Contact.objects.filter(workspace=cast.workspace).count() == 1700


def test_a_cancelled_import_keeps_what_is_written_and_writes_no_more(cast, ben, monkeypatch):
    rows = "".join(f"Row {row},{number()}\n" for row in range(1200))
    answer = upload(ben, f"Name,Phone\n{rows}")
    path = f"contact-imports/{answer.json()['id']}/"
    ben.post(f"{path}run")
    real = running.write_batch

    def then_cancelled(*args: Any, **kwargs: Any) -> bool:
        went = real(*args, **kwargs)
        if went:
            assert ben.post(f"{path}cancel").status_code == 200
        return went

    monkeypatch.setattr(running, "write_batch", then_cancelled)
    run_all(answer.json()["id"])
    done = ben.get(path).json()
    assert (done["state"], done["done_rows"], done["created_rows"]) == ("cancelled", 500, 500)
    assert Contact.objects.filter(workspace=cast.workspace).count() == 500
    assert ben.post(f"{path}cancel").status_code == 409


def test_long_files_go_on_in_a_job_of_their_own(cast, ben, monkeypatch):
    monkeypatch.setattr(running, "SLICE_SECONDS", 0.0)
    rows = "".join(f"Row {row},{number()}\n" for row in range(1100))
    done = imported(ben, f"Name,Phone\n{rows}")
    assert (done["state"], done["created_rows"]) == ("completed", 1100)
    assert Job.objects.filter(key__contains=done["id"]).count() == 4


def test_export_neutralises_formulas_and_comes_back_the_same(cast, ben):
    one = number()
    Contact.objects.create(
        workspace=cast.workspace, name='=HYPERLINK("http://evil")', phone_normalized=one, tags=["-x"]
    )
    answer = ben.get("contacts/export.csv")
    body = b"".join(answer.streaming_content)
    assert body.startswith(codecs.BOM_UTF8)
    assert b"'=HYPERLINK" in body
    assert not b"".join(ben.get("contacts/export.csv", bom="false").streaming_content).startswith(codecs.BOM_UTF8)
    assert b"HYPERLINK" not in b"".join(ben.get("contacts/export.csv", tags="other").streaming_content)
    assert ben.get("contacts/export.csv", score_min="high").status_code == 400
    Contact.objects.filter(workspace=cast.workspace).delete()
    imported(ben, body)
    back = Contact.objects.get(workspace=cast.workspace)
    assert (back.name, back.phone_normalized, back.tags) == ('=HYPERLINK("http://evil")', one, ["-x"])


def test_strangers_and_readers_get_nothing(cast, ben):
    answer = upload(ben, "Name,Phone\nx,\n")
    path = f"contact-imports/{answer.json()['id']}/"
    slug = cast.workspace.slug
    for user, expected in ((cast.cleo, 404), (cast.vic, 404), (cast.tia, 404)):
        api = Api(user).of(slug)
        for method, where in (
            ("get", path),
            ("patch", path),
            ("delete", path),
            ("post", f"{path}check"),
            ("post", f"{path}run"),
            ("post", f"{path}cancel"),
            ("get", f"{path}problems/"),
            ("get", f"{path}problems.csv"),
        ):
            body: list[object] = [{}] if method in {"post", "patch"} else []
            assert getattr(api, method)(where, *body).status_code == expected, (user.name, method, where)
        assert upload(api, "Name\nx\n").status_code in {403, 404}
    assert Api(cast.cleo).of(slug).get("contacts/export.csv").status_code == 404
    assert Api(cast.cleo).of(slug).get("contact-imports/").status_code == 404
    assert ContactImport.objects.filter(workspace=cast.workspace).count() == 1
