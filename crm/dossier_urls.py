"""Addresses of duplicates, merges, archives, erasures, imports and exports of contacts."""

from django.urls import URLPattern, URLResolver, path

from crm import import_page
from crm.api import dossiers, imports, merging

pages: list[URLPattern | URLResolver] = [
    path("contacts/import", import_page.contacts_import, name="contacts-import"),
    path("contact-exports/<str:token>", dossiers.download, name="contact-export"),
]
of_workspace: list[URLPattern | URLResolver] = [
    path("contacts/duplicates", merging.DuplicateList.as_view()),
    path("contacts/duplicates/dismiss", merging.DuplicateDismiss.as_view()),
    path("contacts/merges/", merging.MergeList.as_view()),
    path("contacts/merges/<uuid:merge>/undo", merging.MergeUndo.as_view()),
    path("contacts/<uuid:contact>/merge", merging.ContactMergeView.as_view()),
    path("contacts/<uuid:contact>/exports/", dossiers.ContactExports.as_view()),
    path("contacts/<uuid:contact>/exports/<uuid:export>", dossiers.ContactExport.as_view()),
    path("contacts/<uuid:contact>/erase", dossiers.ContactErase.as_view()),
    path("contacts/export.csv", imports.ContactsCsv.as_view()),
    path("contact-imports/", imports.ImportList.as_view()),
    path("contact-imports/<uuid:contact_import>/", imports.ImportDetail.as_view()),
    path("contact-imports/<uuid:contact_import>/check", imports.ImportCheck.as_view()),
    path("contact-imports/<uuid:contact_import>/run", imports.ImportRun.as_view()),
    path("contact-imports/<uuid:contact_import>/cancel", imports.ImportCancel.as_view()),
    path("contact-imports/<uuid:contact_import>/problems/", imports.ImportProblems.as_view()),
    path("contact-imports/<uuid:contact_import>/problems.csv", imports.ImportProblemsCsv.as_view()),
]
