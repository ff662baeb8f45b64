"""The console's part of the hub's route table."""

from central.console import devices, fleet, incident, order_form, orders, site
from central.state import Console
from runtime.web.access import Access, Entry
from runtime.web.assets import entries
from runtime.web.sign_in import SignIn

PERSON = Access.PERSON

_SIGN_IN: SignIn[Console] = SignIn(
    "Accounts are made on the hub itself with: osiris hub user add NAME"
)
CONSOLE_ROUTES: tuple[Entry[Console], ...] = (
    *_SIGN_IN.entries(),
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
    Entry("GET", "/orders", PERSON, orders.show_fleet),
    Entry("GET", "/sites/{site}/orders", PERSON, orders.show_site),
    Entry("GET", "/sites/{site}/orders/{draft}", PERSON, orders.show_order),
    Entry("GET", "/sites/{site}/orders/{draft}/order.json", PERSON, orders.order_file),
    Entry("POST", "/sites/{site}/orders/{draft}/withdraw", PERSON, orders.withdraw),
    Entry("GET", "/sites/{site}/order", PERSON, order_form.choose),
    Entry("GET", "/sites/{site}/order/{type}", PERSON, order_form.ask),
    Entry("POST", "/sites/{site}/order/{type}", PERSON, order_form.send),
    *entries(),
)
