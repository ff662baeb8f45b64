"""The portal's route table: the whole of it. What is not here is not served."""

from appliance.portal import (
    conflicts,
    devices,
    health,
    incidents,
    limits,
    orders,
    overview,
    targets,
    touch,
    waivers,
)
from appliance.portal.state import Portal
from runtime.web.access import Access, Entry
from runtime.web.assets import entries
from runtime.web.sign_in import SignIn

PERSON = Access.PERSON

_SIGN_IN: SignIn[Portal] = SignIn(
    "Accounts are made on the appliance itself with: osiris appliance user add NAME"
)
PAGES: tuple[Entry[Portal], ...] = (
    *_SIGN_IN.entries(),
    Entry("GET", "/", PERSON, overview.show),
    Entry("GET", "/devices", PERSON, devices.show_list),
    Entry("GET", "/devices.csv", PERSON, devices.devices_csv),
    Entry("GET", "/findings.csv", PERSON, devices.findings_csv),
    Entry("GET", "/devices/{target}", PERSON, devices.show_one),
    Entry("POST", "/devices/{target}/check", PERSON, devices.recheck),
    Entry("GET", "/devices/{target}/off-limits", PERSON, touch.ask_off_limits),
    Entry("POST", "/devices/{target}/off-limits", PERSON, touch.put_off_limits),
    Entry("GET", "/devices/{target}/release", PERSON, touch.ask_release),
    Entry("POST", "/devices/{target}/release", PERSON, touch.release),
    Entry("POST", "/devices/{target}/test", PERSON, targets.test),
    Entry("GET", "/devices/{target}/remove", PERSON, targets.ask_remove),
    Entry("POST", "/devices/{target}/remove", PERSON, targets.remove),
    Entry("GET", "/targets/add", PERSON, targets.ask),
    Entry("POST", "/targets/add", PERSON, targets.look, frozenset({targets.KEY_FILE})),
    Entry("GET", "/targets/add/{ticket}", PERSON, targets.confirm),
    Entry("POST", "/targets/add/{ticket}", PERSON, targets.add),
    Entry("POST", "/targets/add/{ticket}/forget", PERSON, targets.forget),
    Entry("GET", "/conflicts", PERSON, conflicts.show_list),
    Entry("GET", "/conflicts/{conflict}", PERSON, conflicts.show_one),
    Entry("POST", "/conflicts/{conflict}", PERSON, conflicts.settle),
    Entry("GET", "/incidents", PERSON, incidents.show_list),
    Entry("GET", "/incidents/{incident}", PERSON, incidents.show_one),
    Entry("POST", "/incidents/{incident}/approve", PERSON, incidents.approve),
    Entry("POST", "/incidents/{incident}/close", PERSON, incidents.close),
    Entry("GET", "/waivers", PERSON, waivers.show_list),
    Entry("POST", "/waivers", PERSON, waivers.add),
    Entry("POST", "/waivers/{waiver}/end", PERSON, waivers.end),
    Entry("GET", "/orders", PERSON, orders.show_list),
    Entry("POST", "/orders/end-hold", PERSON, orders.end_hold),
    Entry("GET", "/orders/{leaf}", PERSON, orders.show_one),
    Entry("POST", "/orders/{leaf}/veto", PERSON, orders.veto),
    Entry("POST", "/orders/{leaf}/consent", PERSON, orders.consent),
    Entry("GET", "/limits", PERSON, limits.show),
    Entry("POST", "/limits/protected", PERSON, limits.protect),
    Entry("POST", "/limits/protected/{target}/end", PERSON, limits.unprotect),
    Entry("POST", "/limits/windows", PERSON, limits.add_window),
    Entry("POST", "/limits/windows/{window}/remove", PERSON, limits.remove_window),
    Entry("GET", "/health", PERSON, health.show),
    Entry("POST", "/health/observe-only", PERSON, health.observe_only),
    *entries(),
)
