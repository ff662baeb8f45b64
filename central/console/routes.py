"""The console's part of the hub's route table."""

from central.console import account, devices, fleet, incident, site
from central.state import Console
from runtime.web.access import Access, Entry
from runtime.web.assets import entries

PUBLIC, PERSON = Access.PUBLIC, Access.PERSON

CONSOLE_ROUTES: tuple[Entry[Console], ...] = (
    Entry("GET", "/sign-in", PUBLIC, account.form),
    Entry("POST", "/sign-in", PUBLIC, account.sign_in),
    Entry("POST", "/sign-out", PERSON, account.sign_out),
    Entry("GET", "/", PERSON, fleet.show),
    Entry("GET", "/fleet.csv", PERSON, fleet.fleet_csv),
    Entry("GET", "/sites/{site}", PERSON, site.show),
    Entry("GET", "/sites/{site}/devices", PERSON, devices.show),
    Entry("GET", "/sites/{site}/targets.csv", PERSON, site.targets_csv),
    Entry("GET", "/sites/{site}/findings.csv", PERSON, site.findings_csv),
    Entry("GET", "/sites/{site}/targets/{target}", PERSON, site.show_target),
    Entry("GET", "/sites/{site}/incidents/{incident}", PERSON, incident.show),
    Entry("POST", "/sites/{site}/appliances/{appliance}/confirm", PERSON, site.confirm),
    Entry(
        "POST", "/sites/{site}/appliances/{appliance}/conditions/{code}/clear", PERSON, site.clear
    ),
    *entries(),
)
